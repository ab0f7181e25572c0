//! Why a command was refused: one closed enum, so that it becomes a problem in one place.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::kinds::Kind;

/// A sentence in both languages of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// 简体中文.
    pub zh: String,
}

impl Text {
    /// A sentence in English and in Chinese.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            zh: zh.into(),
        }
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en)
    }
}

/// One thing that is wrong with an input, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) to the value at fault; empty for the whole.
    pub pointer: String,
    /// Stable code that clients match on.
    pub code: String,
    /// What is wrong and what to do.
    pub message: Text,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            message: Text::new(en, zh),
        }
    }
}

/// The longest reason or note that anybody may give, in characters.
pub const LONGEST_REASON: usize = 2000;

impl Fault {
    /// What is wrong with a text that has to be there, at most `most` characters long.
    pub fn of_text(pointer: impl Into<String>, text: &str, most: usize) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::new(
                pointer,
                "required",
                "Fill this in.",
                "请填写此项。",
            ));
        }
        let error = crate::text::check_length(text, 1..=most).err()?;
        Some(Self::new(
            pointer,
            "too_long",
            error.to_string(),
            format!("超出 {most} 字的上限。"),
        ))
    }
}

/// A key as a segment of a JSON Pointer (RFC 6901).
pub fn pointer_segment(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A gate that keeps a move shut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShutGate {
    /// Its stable name.
    pub gate: String,
    /// What has to happen first.
    pub message: Text,
}

/// A refusal the caller can act on. Never used for faults of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No such record, or none that the actor may know of.
    #[error("no such record")]
    NotFound,
    /// The actor is not one who may ask for this.
    #[error("only {} may {verb}", names(needed))]
    Forbidden {
        /// What was asked.
        verb: String,
        /// Who could.
        needed: Vec<Role>,
    },
    /// The flow has no such move from this stage.
    #[error("cannot {verb} this {kind}: it is {stage}; possible now: {}", allowed.join(", "))]
    NotFromHere {
        /// What kind of record.
        kind: Kind,
        /// Where it stands.
        stage: String,
        /// What was asked.
        verb: String,
        /// What could be asked instead.
        allowed: Vec<String>,
    },
    /// One or more gates on the move are shut.
    #[error("{verb} is shut: {}", gates.iter().map(|gate| gate.message.en.as_str()).collect::<Vec<_>>().join("; "))]
    Shut {
        /// What was asked.
        verb: String,
        /// Every gate that is shut.
        gates: Vec<ShutGate>,
    },
    /// The input cannot be accepted.
    #[error("the input has {} fault(s): {}", faults.len(), faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// Everything wrong with it.
        faults: Vec<Fault>,
    },
    /// A move that this one brings about is refused, so this one is too.
    #[error("it would {verb} {kind} {id}, but: {because}")]
    Consequence {
        /// What would have followed.
        verb: String,
        /// For what kind of record.
        kind: Kind,
        /// For which record.
        id: Uuid,
        /// Why that is refused.
        because: Box<Rejection>,
    },
}

impl Rejection {
    /// A refusal for one fault.
    pub fn fault(
        pointer: impl Into<String>,
        code: impl Into<String>,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            faults: vec![Fault::new(pointer, code, en, zh)],
        }
    }

    /// `Ok` where a reason is given, else the refusal that says where it is missing or too long.
    pub fn unless_reasoned(reason: &str) -> Result<(), Self> {
        Self::unless_empty(Vec::from_iter(Fault::of_text(
            "/reason",
            reason,
            LONGEST_REASON,
        )))
    }

    /// `Ok` without faults, else the refusal that lists them all.
    pub fn unless_empty(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid { faults })
        }
    }
}

fn names(roles: &[Role]) -> String {
    roles
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}
