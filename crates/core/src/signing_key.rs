//! The key that signs checkpoints of the journals: its public half, on record. The secret half lies
//! in a file outside the database; each key but the first is vouched for by the one before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{
    Aggregate, Decided, Index, Move, REGISTRY, Record, Stored as _, derived_id,
};
use crate::context::Context;
use crate::digest::from_hex;
use crate::kinds::Kind;
use crate::proof::Digest;
use crate::proof::note::{PublicKey, SecretKey};
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Whether a key signs.
    pub enum Stage {
        /// It signs.
        Current = "current" "使用中",
        /// Another one signs now; what it signed stays signed.
        Retired = "retired" "已停用",
    }
}

commands! {
    /// Let a key sign from now on; the one before is retired.
    Introduce = "introduce" "启用" {
        /// The public key: 64 hexadecimal digits.
        public_key: String,
        /// The key before; none for the first.
        #[serde(default)]
        predecessor: Option<Uuid>,
        /// The signature of the key before over this one, in hexadecimal.
        #[serde(default)]
        endorsement: Option<String>,
        /// Why there is none, such as that the file with the key before was lost.
        #[serde(default)]
        reason: Option<String>,
    }
    /// Let it sign no more; follows from the introduction of the next one.
    Retire = "retire" "停用" {}
}

/// What is known of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SigningKey {
    /// The public key: 64 hexadecimal digits.
    pub public_key: String,
    /// The key before; none for the first.
    pub predecessor: Option<Uuid>,
    /// The signature of the key before over this one, in hexadecimal.
    pub endorsement: Option<String>,
    /// Why there is none, where there is a key before.
    pub reason: Option<String>,
}

/// What happened to a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It signs from now on.
    Introduced {
        /// What is known of it.
        key: SigningKey,
    },
    /// It signs no more.
    Retired {},
}

/// The identity of the record of a key.
pub fn id_of(key: PublicKey) -> Uuid {
    derived_id(REGISTRY, &format!("signing key {}", Digest(key.0)))
}

/// The key in its hexadecimal form; none if it is not one.
pub fn parse(hex: &str) -> Option<PublicKey> {
    from_hex(hex)?.try_into().ok().map(PublicKey)
}

/// What the key before signs to vouch for the next one.
pub fn vouching(predecessor: PublicKey, next: PublicKey) -> String {
    format!(
        "fundcycle signing key\n{}\n{}\n",
        Digest(predecessor.0),
        Digest(next.0)
    )
}

/// The signature by which `predecessor` vouches for `next`, in hexadecimal.
pub fn endorse(predecessor: &SecretKey, next: PublicKey) -> String {
    use std::fmt::Write as _;
    let message = vouching(predecessor.public(), next);
    predecessor
        .sign(message.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Whether `predecessor` vouches for `next` with this signature.
pub fn vouches(predecessor: PublicKey, next: PublicKey, endorsement: &str) -> bool {
    from_hex(endorsement).is_some_and(|signature| {
        predecessor.signed(vouching(predecessor, next).as_bytes(), &signature)
    })
}

/// The name of a journal on all machines and for all time, under which its checkpoints are signed.
/// It follows from the first key, so that it outlives every other.
pub fn origin(first: PublicKey, journal: Uuid) -> String {
    let fingerprint = first.fingerprint().to_string();
    format!(
        "fundcycle/{}/{journal}",
        fingerprint.get(..16).unwrap_or_default()
    )
}

/// The journal that an origin names; none if it is not one of ours.
pub fn journal_of(origin: &str) -> Option<Uuid> {
    let (_, journal) = origin.strip_prefix("fundcycle/")?.split_once('/')?;
    Uuid::try_parse(journal).ok()
}

impl Aggregate for SigningKey {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::SigningKey;
    const FIRST: Stage = Stage::Current;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Introduce, to: Some(Stage::Current), by: &[Role::System], gates: &[] },
        Move { from: &[Stage::Current], verb: Verb::Retire, to: Some(Stage::Retired), by: &[Role::System], gates: &[] },
    ];
    const SIGHTS: &'static [Sight] = &[Sight {
        eye: Eye::Public,
        stages: &[],
    }];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "public_key",
            eyes: &[Eye::Public],
        },
        Field {
            name: "predecessor",
            eyes: &[Eye::Public],
        },
        Field {
            name: "endorsement",
            eyes: &[Eye::Public],
        },
        Field {
            name: "reason",
            eyes: &[Eye::Public],
        },
    ];
    const SHOWS: &'static [Shows] = &[
        (Column::Parent, "predecessor"),
        (Column::Number, "public_key"),
    ];

    fn index(&self) -> Index {
        Index {
            parent: self.predecessor,
            number: Some(self.public_key.clone()),
            ..Index::default()
        }
    }

    fn identity(command: &Command) -> Option<Uuid> {
        match command {
            Command::Introduce { public_key, .. } => parse(public_key).map(id_of),
            Command::Retire {} => None,
        }
    }

    fn needs(_record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Introduce { .. } => vec![Need::All(Kind::SigningKey)],
            Command::Retire {} => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let Command::Introduce {
            public_key,
            predecessor,
            endorsement,
            reason,
        } = command
        else {
            return Ok(Decided::only(Event::Retired {}));
        };
        let Some(key) = parse(&public_key) else {
            return Err(Rejection::fault(
                "/public_key",
                "malformed",
                "A public key is 64 hexadecimal digits.",
                "公钥应为 64 位十六进制数。",
            ));
        };
        let current: Option<&Record<Self>> = cx
            .world
            .all::<Self>()
            .find(|other| other.id != record.id && other.stage == Stage::Current);
        if current.map(|other| other.id) != predecessor {
            return Err(Rejection::fault(
                "/predecessor",
                "not_current",
                "Another key signs at present.",
                "现用密钥不是所填的密钥。",
            ));
        }
        if let Some(before) = current {
            match (&endorsement, &reason) {
                (Some(signature), None) => {
                    let vouched = parse(&before.data.public_key)
                        .is_some_and(|before| vouches(before, key, signature));
                    Rejection::unless_empty(Vec::from_iter((!vouched).then(|| {
                        Fault::new(
                            "/endorsement",
                            "not_signed",
                            "This is not the signature of the key before over this one.",
                            "不是前一密钥对本密钥的签名。",
                        )
                    })))?;
                }
                (None, reason) => {
                    Rejection::unless_reasoned(reason.as_deref().unwrap_or_default())?;
                }
                (Some(_), Some(_)) => {
                    return Err(Rejection::fault(
                        "/reason",
                        "not_needed",
                        "A key that is vouched for needs no reason.",
                        "已有前一密钥签名的,不需填写理由。",
                    ));
                }
            }
        }
        let retired = current.map(|before| Self::then(before.id, REGISTRY, Command::Retire {}));
        let key = Self {
            public_key: Digest(key.0).to_string(),
            predecessor,
            endorsement,
            reason,
        };
        Ok(Decided::only(Event::Introduced { key }).then(retired))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::Introduced { key } => *self = key.clone(),
            Event::Retired {} => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_vouches_for_the_next_one_and_for_no_other() {
        let [first, second, third] = [1, 2, 3].map(|seed| SecretKey::from_seed([seed; 32]));
        let endorsement = endorse(&first, second.public());
        assert!(vouches(first.public(), second.public(), &endorsement));
        assert!(!vouches(first.public(), third.public(), &endorsement));
        assert!(!vouches(third.public(), second.public(), &endorsement));
        assert!(!vouches(first.public(), second.public(), "00"));
    }

    #[test]
    fn an_origin_names_its_journal() {
        let journal = Uuid::from_u128(7);
        let origin = origin(SecretKey::from_seed([1; 32]).public(), journal);
        assert_eq!(journal_of(&origin), Some(journal));
        assert_eq!(journal_of("example.org/log"), None);
    }
}
