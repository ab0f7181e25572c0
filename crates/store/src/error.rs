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

impl StoreError {
    /// Whether the same may work again soon, nothing being wrong with it: the database cannot be reached, is
    /// starting up or shutting down, has no connection free, or no room on its disk.
    pub fn is_passing(&self) -> bool {
        let Self::Engine(error) = self else {
            return false;
        };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(answer) => answer.code().is_some_and(|code| {
                crate::db::is_out_of_room(&code)
                    || matches!(
                        code.as_ref(),
                        "57P01" | "57P02" | "57P03" | "53200" | "53300"
                    )
                    || code.starts_with("08")
            }),
            _ => false,
        }
    }
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
