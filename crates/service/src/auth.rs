//! Who asks: passwords, bearer tokens, and the way from a token to an actor with its grants.

mod breached;
pub(crate) mod factor;
mod guess;
mod password;
pub(crate) mod scope;
pub(crate) mod totp;
mod vault;

use axum::http::{HeaderMap, header};
use data_encoding::HEXLOWER;
use fundcycle_core::account::{self, Account};
use fundcycle_core::actor::Actor;
use fundcycle_core::aggregate::Stored as _;
use fundcycle_core::kinds::Kind;
use fundcycle_core::visibility::Viewer;
use fundcycle_store::token::{Program, Secret, Token};

pub(crate) use breached::{Breached, BreachedFile};
pub(crate) use guess::Guess;
pub(crate) use password::Passwords;
pub(crate) use vault::Vault;

use crate::app::App;
use crate::problem::{Code, Problem};

/// What every token begins with, so that scanners of leaked secrets know it.
const PREFIX: &str = "fct_";

/// Somebody who has signed in, or nobody we know.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Through whose eyes, with what rights.
    pub viewer: Viewer,
    /// The token they came with.
    pub secret: Option<Secret>,
    /// What is known of it.
    pub token: Option<Token>,
    /// Whether a second factor is asked for that they do not have.
    pub lacks_factor: bool,
}

impl Session {
    /// What the token is for, if it was made for a program.
    pub(crate) fn program(&self) -> Option<&Program> {
        self.token.as_ref().and_then(|token| token.program.as_ref())
    }
}

/// Random bytes from the operating system.
///
/// # Errors
///
/// Where it has none to give.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal(&error))?;
    Ok(bytes)
}

/// The token as it is shown, once.
pub(crate) fn token_text(secret: &Secret) -> String {
    format!("{PREFIX}{}", HEXLOWER.encode(secret))
}

fn token_secret(text: &str) -> Option<Secret> {
    let bytes = HEXLOWER
        .decode(text.strip_prefix(PREFIX)?.as_bytes())
        .ok()?;
    bytes.try_into().ok()
}

/// Who sent these headers. Nobody without a token; a token that is not valid is refused everywhere,
/// so that it tells nothing about addresses.
///
/// # Errors
///
/// 401 for a token that is unknown, expired, revoked or of a disabled account.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Session, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(Session {
            viewer: Viewer::new(Actor::public()),
            secret: None,
            token: None,
            lacks_factor: false,
        });
    };
    let refused = || Problem::new(Code::Unauthenticated);
    let (scheme, text) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused());
    }
    let secret = token_secret(text.trim()).ok_or_else(refused)?;
    let token = app.store.token(&secret, app.clock.now()).await?;
    let token = token.ok_or_else(refused)?;
    let id = token.account;
    let state = app
        .store
        .read_one(Some(Kind::Account), id)
        .await?
        .ok_or_else(refused)?;
    let account = Account::of(&state)
        .filter(|account| account.stage == account::Stage::Active)
        .ok_or_else(refused)?;
    let lacks_factor = !token.has_factor && app.second_factor.of(&account.data.grants);
    let actor = Actor::account(id, account.data.grants.clone());
    // Interests are those of the person, whatever the token reaches.
    let standing = app.store.standing(&actor).await?;
    let limit = token.program.as_ref().and_then(|one| one.cycles.clone());
    let actor = match limit {
        Some(cycles) => actor.limited_to(cycles),
        None => actor,
    };
    Ok(Session {
        viewer: Viewer { actor, standing },
        secret: Some(secret),
        token: Some(token),
        lacks_factor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_nothing_else_does() {
        let secret = [7; 32];
        let text = token_text(&secret);
        assert_eq!(token_secret(&text), Some(secret));
        for wrong in [
            "",
            "fct_",
            &text[4..],
            &text[..text.len() - 2],
            &text.to_uppercase(),
            &format!("{text}00"),
        ] {
            assert_eq!(token_secret(wrong), None, "{wrong}");
        }
    }
}
