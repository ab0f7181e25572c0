//! What the installation was told once, such as whether its clock may be set.

use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// The value of a setting.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut reader = self.pool().reader().await?;
        let found = fetch_optional!(
            &mut reader.engine(),
            (String,),
            "SELECT value FROM setting WHERE name = $1",
            name
        )?;
        Ok(found.map(|(value,)| value))
    }

    /// Sets a setting.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let mut writer = self.pool().writer().await?;
        execute!(
            &mut writer.engine(),
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value
        )?;
        Ok(())
    }
}
