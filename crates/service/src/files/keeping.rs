//! Files as a whole: copied to another place, checked against their hashes, listed.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use object_store::{ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Files, place};

/// Why the bytes of a record are not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// There is no such file.
    #[error("the file is missing")]
    Missing,
    /// Its bytes are not those that were sent.
    #[error("the file was changed: its SHA-256 is not that of the record")]
    Changed,
    /// The store failed.
    #[error("the file cannot be read or written: {0}")]
    Failed(object_store::Error),
}

impl From<object_store::Error> for Lost {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            error => Self::Failed(error),
        }
    }
}

impl Files {
    /// Whether the bytes of record `id` are those that were sent; gives how many.
    ///
    /// # Errors
    ///
    /// [`Lost`] where they are not.
    pub(crate) async fn check(&self, id: Uuid, sha256: &str) -> Result<u64, Lost> {
        let mut bytes = self.store.get(&place(id, sha256)).await?.into_stream();
        let (mut hash, mut size) = (Sha256::new(), 0);
        while let Some(part) = bytes.try_next().await? {
            hash.update(&part);
            size += part.len() as u64;
        }
        if data_encoding::HEXLOWER.encode(&hash.finalize()) == sha256 {
            Ok(size)
        } else {
            Err(Lost::Changed)
        }
    }

    /// Copies the bytes of record `id` to `other`, which checks them; gives how many.
    ///
    /// # Errors
    ///
    /// [`Lost`]; then `other` has nothing of it.
    pub(crate) async fn copy_to(&self, other: &Self, id: Uuid, sha256: &str) -> Result<u64, Lost> {
        let path = place(id, sha256);
        let mut bytes = self.store.get(&path).await?.into_stream();
        let mut upload = other.store.put_multipart(&path).await?;
        let copied = async {
            while let Some(part) = bytes.try_next().await? {
                upload.put_part(PutPayload::from_bytes(part)).await?;
            }
            upload.complete().await
        }
        .await;
        if let Err(error) = copied {
            upload.abort().await?;
            return Err(error.into());
        }
        let checked = other.check(id, sha256).await;
        if checked.is_err() {
            other.store.delete(&path).await?;
        }
        checked
    }

    /// Every file that is kept, by its name, and when it was written, in Unix milliseconds.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be read.
    pub(crate) async fn all(&self) -> Result<BTreeMap<String, i64>, object_store::Error> {
        self.store
            .list(None)
            .map_ok(|one| {
                let at = one.last_modified.timestamp_millis();
                (one.location.to_string(), at)
            })
            .try_collect()
            .await
    }

    /// The name that the file of a record has in [`Files::all`].
    pub(crate) fn name_of(id: Uuid, sha256: &str) -> String {
        place(id, sha256).to_string()
    }
}
