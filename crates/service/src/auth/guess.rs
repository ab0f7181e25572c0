//! Looking at a password, as often as somebody may guess.

use fundcycle_store::attempt::Attempt;
use fundcycle_store::credential::Credential;
use std::time::Duration;

use crate::app::App;
use crate::limits::{Network, too_many};
use crate::problem::Problem;

/// A password that was looked at. Until it is settled it counts as wrong.
#[derive(Debug)]
pub(crate) struct Guess {
    attempt: Attempt,
    /// Whose it is; none where it is wrong, or nobody has this address.
    pub right: Option<Credential>,
}

impl Guess {
    /// Looks at the password of whoever signs in with `email`. It takes the same time, and waits come
    /// as soon, where nobody does.
    ///
    /// # Errors
    ///
    /// 429 where there were too many wrong ones; then the password is not looked at.
    pub(crate) async fn look(
        app: &App,
        network: Network,
        email: &str,
        password: String,
    ) -> Result<Self, Problem> {
        let attempt = Attempt::new(email, &network.name());
        let now = app.clock.now();
        if let Some(until) = app.store.try_sign_in(&attempt, now).await? {
            let wait = u64::try_from(until.0 - now.0).unwrap_or_default();
            return Err(too_many(Duration::from_millis(wait)));
        }
        match Self::right(app, email, password).await {
            Ok(right) => Ok(Self { attempt, right }),
            // Nobody has looked at it, so it was not wrong.
            Err(problem) => {
                app.store.take_back(&attempt, app.clock.now()).await?;
                Err(problem)
            }
        }
    }

    async fn right(
        app: &App,
        email: &str,
        password: String,
    ) -> Result<Option<Credential>, Problem> {
        let credential = app.store.credential_by_email(email).await?;
        let hash = credential.as_ref().map(|one| one.password_hash.clone());
        let fits = app.passwords.verify(password, hash).await?;
        Ok(credential.filter(|_| fits))
    }

    /// It was right, and something else is missing.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub(crate) async fn take_back(&self, app: &App) -> Result<(), Problem> {
        Ok(app.store.take_back(&self.attempt, app.clock.now()).await?)
    }

    /// Somebody signed in by it.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub(crate) async fn settle(&self, app: &App) -> Result<(), Problem> {
        Ok(app.store.signed_in(&self.attempt, app.clock.now()).await?)
    }
}
