//! The one clock: real time, or in a database made for it, a time that is set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use fundcycle_core::time::Timestamp;
use fundcycle_store::{Store, StoreError};

/// The setting that says whether the clock of a database may be set; written once, when it is created.
const TRAVELS: &str = "time_travel";
/// The setting that holds the time that was set.
const NOW: &str = "clock";

/// What time it is. Cheap to clone; all clones are one clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// The time that was set, which then stands still; none: real time.
    set: Option<Arc<AtomicI64>>,
}

/// The database was not made for a clock that is set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClockError {
    /// It was created without time travel.
    #[error(
        "--time-travel: this database was not created for it, and its record keeps real time; create one with `fundcycle migrate --time-travel`"
    )]
    NotCreatedForIt,
    /// It was created with time travel: real time would come after or before what stands in it.
    #[error("this database was created with a clock that is set; serve it with --time-travel")]
    CreatedForIt,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Clock {
    /// Real time.
    pub(crate) const fn real() -> Self {
        Self { set: None }
    }

    /// The clock of a database: one that is set where it was created for that.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub(crate) async fn of(store: &Store) -> Result<Self, StoreError> {
        if store.setting(TRAVELS).await?.is_none() {
            return Ok(Self::real());
        }
        let kept = store
            .setting(NOW)
            .await?
            .and_then(|text| text.parse::<Timestamp>().ok());
        let now = kept.unwrap_or_else(real_now);
        Ok(Self {
            set: Some(Arc::new(AtomicI64::new(now.0))),
        })
    }

    /// The clock of a database, if it is of the kind that was asked for.
    ///
    /// # Errors
    ///
    /// [`ClockError`] where it is not.
    pub(crate) async fn asked(store: &Store, time_travel: bool) -> Result<Self, ClockError> {
        let clock = Self::of(store).await?;
        match (clock.travels(), time_travel) {
            (false, true) => Err(ClockError::NotCreatedForIt),
            (true, false) => Err(ClockError::CreatedForIt),
            _ => Ok(clock),
        }
    }

    /// Makes a new database one whose clock is set, beginning at `start`.
    ///
    /// # Errors
    ///
    /// Where the database fails, or has facts already.
    pub(crate) async fn prepare(store: &Store, start: Option<Timestamp>) -> Result<(), ClockError> {
        if store.setting(TRAVELS).await?.is_none() {
            if !store.journals().await?.is_empty() {
                return Err(ClockError::NotCreatedForIt);
            }
            store.set_setting(TRAVELS, "true").await?;
        }
        if let Some(start) = start {
            store.set_setting(NOW, &start.to_string()).await?;
        }
        Ok(())
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.set
            .as_ref()
            .map_or_else(real_now, |set| Timestamp(set.load(Ordering::Acquire)))
    }

    /// Whether it may be set.
    pub(crate) const fn travels(&self) -> bool {
        self.set.is_some()
    }

    /// Sets the time, and keeps it for the next start. False where that would be back in time, which
    /// no journal allows, or where this clock keeps real time.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub(crate) async fn set(&self, store: &Store, now: Timestamp) -> Result<bool, StoreError> {
        let Some(set) = &self.set else {
            return Ok(false);
        };
        if set.fetch_max(now.0, Ordering::AcqRel) > now.0 {
            return Ok(false);
        }
        store.set_setting(NOW, &now.to_string()).await?;
        Ok(true)
    }
}

fn real_now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}
