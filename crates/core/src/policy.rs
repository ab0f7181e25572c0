//! The rules of a cycle as a record: drafted, put in force when the cycle is published, and after
//! that replaced only by a numbered amendment.

pub mod check;
pub mod document;
pub mod reference;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use document::{PolicyDocument, Round};

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Index, Move, Record};
use crate::context::Context;
use crate::kinds::Kind;
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};

names! {
    /// Where one version of the rules stands.
    pub enum Stage {
        /// Being written.
        Draft = "draft" "草案",
        /// What decisions are made by.
        InForce = "in_force" "生效",
        /// Replaced by an amendment.
        Superseded = "superseded" "已被更正",
        /// Given up before it came into force.
        Discarded = "discarded" "已放弃",
    }
}

commands! {
    /// Write a first version of the rules, or one that amends them.
    Draft = "draft" "起草规则" {
        /// The rules; checked as a whole.
        document: Box<PolicyDocument>,
        /// Why the rules change; asked for once the cycle is published.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// Replace the draft.
    Revise = "revise" "修改草案" {
        /// The rules; checked as a whole.
        document: Box<PolicyDocument>,
    }
    /// Give the draft up.
    Discard = "discard" "放弃草案" {}
    /// Make the draft what decisions are made by; follows from publishing or amending the cycle.
    PutInForce = "put_in_force" "生效" {
        /// 1 for the published rules, 2 for the first amendment.
        number: u32,
    }
    /// Retire the version; follows from an amendment.
    Supersede = "supersede" "废止" {}
}

/// One version of the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// The rules.
    pub document: PolicyDocument,
    /// What results made under it refer to: SHA-256 over its canonical JSON.
    pub hash: String,
    /// Its number once in force, from 1.
    pub number: Option<u32>,
    /// Why it replaces the version before.
    pub reason: Option<String>,
    /// Who wrote it; somebody else has to put it in force.
    pub drafted_by: Option<Uuid>,
}

/// What happened to a version of the rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The text was set.
    Written {
        /// The rules.
        document: Box<PolicyDocument>,
        /// Their hash.
        hash: String,
        /// Why they change.
        reason: Option<String>,
        /// By whom.
        by: Option<Uuid>,
    },
    /// It got its number.
    Numbered {
        /// From 1.
        number: u32,
    },
    /// Nothing but the move itself.
    Moved {},
}

impl Aggregate for Policy {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Policy;
    const FIRST: Stage = Stage::Draft;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Draft, to: Some(Stage::Draft), by: &[Role::Staff], gates: &[] },
        Move { from: &[Stage::Draft], verb: Verb::Revise, to: None, by: &[Role::Staff], gates: &[] },
        Move { from: &[Stage::Draft], verb: Verb::Discard, to: Some(Stage::Discarded), by: &[Role::Staff, Role::Lead], gates: &[] },
        Move { from: &[Stage::Draft], verb: Verb::PutInForce, to: Some(Stage::InForce), by: &[Role::System], gates: &[] },
        Move { from: &[Stage::InForce], verb: Verb::Supersede, to: Some(Stage::Superseded), by: &[Role::System], gates: &[] },
    ];
    const REPLACES: &'static [Verb] = &[Verb::Revise];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
        Sight {
            eye: Eye::Public,
            stages: &["in_force", "superseded"],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "document",
            eyes: &[Eye::Public],
        },
        Field {
            name: "hash",
            eyes: &[Eye::Public],
        },
        Field {
            name: "number",
            eyes: &[Eye::Public],
        },
        Field {
            name: "reason",
            eyes: &[Eye::Public],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Number, "number"), (Column::Label, "document")];

    fn index(&self) -> Index {
        Index {
            number: self.number.map(|number| number.to_string()),
            label: Some(self.document.programme.title.clone()),
            ..Index::default()
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Draft { document, reason } => {
                let amends = cx.policy().is_some();
                if amends
                    && reason
                        .as_deref()
                        .is_none_or(|reason| reason.trim().is_empty())
                {
                    return Err(Rejection::fault(
                        "/reason",
                        "required",
                        "Say why the published rules change.",
                        "已发布规则的更正须说明理由。",
                    ));
                }
                written(document, reason, cx)?
            }
            Command::Revise { document } => written(document, record.data.reason.clone(), cx)?,
            Command::PutInForce { number } => Event::Numbered { number },
            Command::Discard {} | Command::Supersede {} => Event::Moved {},
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Written {
                document,
                hash,
                reason,
                by,
            } => {
                *self = Self {
                    document: *document,
                    hash,
                    number: None,
                    reason,
                    drafted_by: by,
                };
            }
            Event::Numbered { number } => self.number = Some(number),
            Event::Moved {} => {}
        }
    }
}

fn written(
    document: Box<PolicyDocument>,
    reason: Option<String>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let within = |fault: Fault| Fault {
        pointer: format!("/document{}", fault.pointer),
        ..fault
    };
    let mut faults = document.faults();
    if let Some(in_force) = cx.policy() {
        faults.extend(in_force.unversioned_rubrics(&document));
    }
    Rejection::unless_empty(faults.into_iter().map(within).collect())?;
    Ok(Event::Written {
        hash: document.hash(),
        document,
        reason,
        by: cx.account(),
    })
}
