//! What can go wrong while reading and writing.

use uuid::Uuid;

/// The database failed, or holds what it should not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed; nothing was changed.
    #[error("the database failed: {0}")]
    Engine(#[from] sqlx::Error),
    /// A row that this program did not write like this.
    #[error(
        "the stored {what} {id} cannot be read: {reason}; run `fundcycle journal replay --check`"
    )]
    Corrupt {
        /// What kind of row.
        what: String,
        /// Which one.
        id: Uuid,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<crate::db::CommitError> for StoreError {
    fn from(error: crate::db::CommitError) -> Self {
        match error {
            crate::db::CommitError::NotDone(error) | crate::db::CommitError::Unknown(error) => {
                Self::Engine(error)
            }
        }
    }
}
