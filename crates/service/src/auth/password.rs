//! Passwords, hashed with Argon2id. Hashing costs 19 MiB and some hundredths of a second on
//! purpose, so it runs aside, two at a time, and only so many may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use fundcycle_core::rejection::Fault;
use tokio::sync::Semaphore;

use super::Breached;
use crate::problem::Problem;

/// Hashes that run at the same time.
const AT_ONCE: usize = 2;
/// Hashes that may be under way or waiting.
const WAITING: usize = 64;
/// Characters that a password has at least (NIST SP 800-63B: length is what counts).
const SHORTEST: usize = 10;
/// Bytes at most, so that hashing a text does not cost more than hashing does.
const LONGEST: usize = 512;

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    /// What the password of an account that does not exist is compared with.
    nobody: Arc<str>,
    /// Those that nobody may choose.
    breached: Option<Breached>,
}

impl Passwords {
    /// A hasher that refuses those of a list, if there is one.
    ///
    /// # Errors
    ///
    /// Where the system has no random bytes to give.
    pub(crate) fn new(breached: Option<Breached>) -> Result<Self, argon2::password_hash::Error> {
        let nobody = Argon2::default()
            .hash_password(b"nobody signs in with this")?
            .to_string();
        Ok(Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
            nobody: nobody.into(),
            breached,
        })
    }

    /// What is wrong with a password that somebody chose.
    ///
    /// # Errors
    ///
    /// 500 where the list cannot be read.
    pub(crate) async fn faults(
        &self,
        password: &str,
        pointer: &str,
    ) -> Result<Vec<Fault>, Problem> {
        let mut faults = Vec::new();
        if password.chars().count() < SHORTEST {
            let (en, zh) = (
                format!("At least {SHORTEST} characters."),
                format!("密码至少 {SHORTEST} 个字符。"),
            );
            faults.push(Fault::new(pointer, "too_short", en, zh));
        }
        if password.len() > LONGEST {
            let (en, zh) = (
                format!("At most {LONGEST} bytes."),
                format!("密码最长 {LONGEST} 字节。"),
            );
            faults.push(Fault::new(pointer, "too_long", en, zh));
        }
        if self.is_breached(password).await? {
            faults.push(Fault::new(
                pointer,
                "breached",
                "This password is known from leaks. Choose another one.",
                "该密码已在泄露名单中,请另选密码。",
            ));
        }
        Ok(faults)
    }

    async fn is_breached(&self, password: &str) -> Result<bool, Problem> {
        let Some(list) = self.breached.clone() else {
            return Ok(false);
        };
        let password = password.to_owned();
        let looked = tokio::task::spawn_blocking(move || list.has(&password)).await;
        let found = looked.map_err(|error| Problem::internal(&error))?;
        found.map_err(|error| Problem::internal(&error))
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    ///
    /// 503 where too many wait.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let hashed = self.aside(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
        });
        hashed.await?.map_err(|error| Problem::internal(&error))
    }

    /// Whether `password` is the one with this hash. Takes as long where there is no hash.
    ///
    /// # Errors
    ///
    /// 503 where too many wait.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Problem> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let fits = self.aside(move || {
            Argon2::default()
                .verify_password(password.as_bytes(), hash.as_str())
                .is_ok()
        });
        Ok(fits.await? && known)
    }

    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Place::take(&self.waiting).ok_or_else(Problem::overloaded)?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|error| Problem::internal(&error))?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller who goes away does not make room for more.
            let _held = (place, turn);
            work()
        });
        done.await.map_err(|error| Problem::internal(&error))
    }
}

/// A place among those that wait.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(waiting));
        (waiting.fetch_add(1, Ordering::AcqRel) < WAITING).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[tokio::test]
    async fn only_the_very_password_fits() {
        let passwords = Passwords::new(None).unwrap();
        let hash = passwords
            .hash("正确的密码 correct".to_owned())
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(
            passwords
                .verify("正确的密码 correct".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("正确的密码 Correct".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("nobody signs in with this".to_owned(), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_turned_away() {
        let passwords = Passwords::new(None).unwrap();
        let places: Vec<_> = (0..WAITING)
            .filter_map(|_| Place::take(&passwords.waiting))
            .collect();
        assert_eq!(
            passwords
                .hash("whatever".to_owned())
                .await
                .unwrap_err()
                .code(),
            Code::Overloaded
        );
        drop(places);
        assert!(passwords.hash("whatever".to_owned()).await.is_ok());
    }
}
