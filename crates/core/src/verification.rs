//! What a cycle publishes so that anyone can compute its results again: the journal, every entry of
//! it, with the values that are public and commitments to all others ([`crate::disclosure`]).
//!
//! - [`Export`]: the file. It holds nothing about a person: what is shown is a list of paths by kind
//!   (`allow.rs`), everything else is a hash.
//! - [`export()`]: makes it from the entries of a journal.
//! - [`check`]: computes everything in it again, with no server and no database, and says line by
//!   line what it compared.

mod allow;
mod check;
mod draws;
mod export;
mod fact;
mod notices;
mod rankings;
mod selections;
mod signed;
mod slots;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use check::check;
pub use export::{Source, export};

use crate::disclosure::Disclosed;
use crate::notice::{self, Notice};
use crate::rejection::Text;
use crate::world::World;

/// The format that this program writes and reads.
pub const FORMAT: &str = "fundcycle-verification/1";

/// The file of one cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The format, `fundcycle-verification/1`.
    pub format: String,
    /// Which cycle.
    pub cycle: Uuid,
    /// Every entry of its journal, from the first.
    pub entries: Vec<Line>,
    /// The last published head of that journal; it may be over fewer entries than are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

/// A head of a journal, and who signed it ([`crate::proof`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// What is signed, with its signature (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// The key that signed it (C2SP).
    pub key: String,
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `SHA-256(hash of the entry before ‖ content)`, in hexadecimal; 32 zero bytes stand before the first.
    pub hash: String,
    /// What is shown of its content, and commitments to the rest.
    pub content: Disclosed,
}

/// Whether the file of a cycle is public: once its result has been on notice, or went without one.
/// `world` has all of its notices.
pub fn is_public(world: &World) -> bool {
    use notice::Stage::{Ended, Running, Skipped};
    world
        .all::<Notice>()
        .any(|notice| matches!(notice.stage, Running | Ended | Skipped))
}

/// One thing that was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether it is as it should be.
    pub holds: bool,
    /// What was compared, or what differs and where.
    pub text: Text,
}

impl Said {
    fn holds(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            holds: true,
            text: Text::new(en, zh),
        }
    }

    fn differs(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            holds: false,
            text: Text::new(en, zh),
        }
    }
}
