//! A person who may score: who they are, what they know and whom they must not judge (`domain.md` §2.5).

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Belongs, Decided, Index, Move, Record, derived_id};
use crate::context::Context;
use crate::kinds::Kind;
use crate::rejection::{Fault, Rejection};
use crate::text::{check_name, comparison_key};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where an expert stands in the pool.
    pub enum Stage {
        /// Put forward by staff; has not agreed yet.
        Invited = "invited" "已邀请",
        /// May be put on panels.
        Active = "active" "在库",
        /// Said no.
        Declined = "declined" "已婉拒",
        /// Not put on panels any more.
        Retired = "retired" "已出库",
    }
}

/// What is known of an expert's work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name, as on the score summary.
    #[schemars(length(max = 100))]
    pub name: String,
    /// What they are called upon as, such as academic, practitioner or finance.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub category: String,
    /// The domains they know.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Where they work.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub employer: String,
    /// How the bureau reaches them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 100))]
    pub phone: String,
    /// The mail address of their office.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 254))]
    pub email: String,
    /// For and with whom they worked, beside their employer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub engagements: Vec<Engagement>,
    /// Whether the person was made up for a demonstration.
    #[serde(default)]
    pub synthetic: bool,
}

names! {
    /// What an expert was to an organisation.
    pub enum Relation {
        /// Worked for it.
        Employment = "employment" "任职",
        /// Sat on its board or council.
        Board = "board" "理事或监事",
        /// Advised it, for money or not.
        Adviser = "adviser" "顾问",
        /// Ran a project together with it.
        Project = "project" "共同承担项目",
    }
}

/// For or with whom an expert worked (`domain.md` §2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engagement {
    /// The organisation's name, as registered.
    #[schemars(length(max = 200))]
    pub organisation: String,
    /// Its unified social credit code, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<String>,
    /// What the expert was to it.
    pub relation: Relation,
    /// The post, or the title of the project.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub what: String,
    /// The last day; none: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

commands! {
    /// Put a person into the pool; they have to agree.
    Invite = "invite" "邀请入库" {
        /// The person's account.
        account: Uuid,
        /// What is known of their work.
        profile: Profile,
    }
    /// Agree to score.
    Accept = "accept" "接受" {
        /// Whether the person keeps what they read to themselves and has no hidden interest.
        pledge: bool,
    }
    /// Say no.
    Decline = "decline" "婉拒" {}
    /// Correct the profile.
    Amend = "amend" "更正资料" {
        /// What is known of their work.
        profile: Profile,
    }
    /// Name organisations that the person must not judge.
    DeclareConflicts = "declare_conflicts" "申报回避" {
        /// The organisations; they are added to those named before.
        organisations: BTreeSet<Uuid>,
        /// On what ground (`domain.md` §2.5).
        ground: String,
    }
    /// Take the person off the pool.
    Retire = "retire" "出库" {
        /// Why.
        reason: String,
    }
    /// Take the person back in.
    Reinstate = "reinstate" "重新入库" {}
}

/// What is known of an expert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expert {
    /// The person's account.
    pub account: Option<Uuid>,
    /// What is known of their work.
    pub profile: Profile,
    /// When they pledged confidentiality and no hidden interest.
    pub pledged_at: Option<Timestamp>,
    /// The organisations they must not judge, with the grounds given.
    pub conflicts: Vec<Conflict>,
    /// Whom the profile named as employer before, and until when: a corrected profile takes no
    /// interest away (`visibility.md` R4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_employers: Vec<FormerEmployer>,
}

/// An employer that the profile named before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FormerEmployer {
    /// Its name.
    pub name: String,
    /// When the profile stopped naming it.
    pub until: Timestamp,
}

/// A declared conflict of interest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// With which organisation.
    pub organisation: Uuid,
    /// On what ground.
    pub ground: String,
    /// Whether staff named it, rather than the expert.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_staff: bool,
}

/// What happened to an expert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// They were put forward.
    Invited {
        /// Their account.
        account: Uuid,
        /// What is known of their work.
        profile: Profile,
    },
    /// They agreed and pledged.
    Pledged {},
    /// Their profile changed.
    Amended {
        /// What is known of their work.
        profile: Profile,
    },
    /// They named conflicts.
    ConflictsDeclared {
        /// With whom and why.
        conflicts: Vec<Conflict>,
    },
    /// Nothing but the move itself.
    Moved {
        /// Why, where a reason was given.
        reason: Option<String>,
    },
}

/// The identity of the expert whom an account makes: one person is one expert.
pub fn id_of(account: Uuid) -> Uuid {
    derived_id(account, "expert")
}

impl Aggregate for Expert {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Expert;
    const FIRST: Stage = Stage::Invited;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Invite, to: Some(Stage::Invited), by: &[Role::Staff], gates: &[] },
        Move { from: &[Stage::Invited], verb: Verb::Accept, to: Some(Stage::Active), by: &[Role::Holder], gates: &[] },
        Move { from: &[Stage::Invited], verb: Verb::Decline, to: Some(Stage::Declined), by: &[Role::Holder], gates: &[] },
        Move { from: &[Stage::Invited, Stage::Active], verb: Verb::Amend, to: None, by: &[Role::Holder, Role::Staff], gates: &[] },
        Move {
            from: &[Stage::Invited, Stage::Active],
            verb: Verb::DeclareConflicts,
            to: None,
            by: &[Role::Holder, Role::Staff],
            gates: &[],
        },
        Move { from: &[Stage::Invited, Stage::Active], verb: Verb::Retire, to: Some(Stage::Retired), by: &[Role::Staff], gates: &[] },
        Move { from: &[Stage::Retired, Stage::Declined], verb: Verb::Reinstate, to: Some(Stage::Invited), by: &[Role::Staff], gates: &[] },
    ];
    const REPLACES: &'static [Verb] = &[Verb::Amend];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Holder,
            stages: &[],
        },
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "account",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "profile",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "pledged_at",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "conflicts",
            eyes: &[Eye::Holder],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Facet, "profile"), (Column::Label, "profile")];

    fn index(&self) -> Index {
        Index {
            person: self.account,
            label: Some(self.profile.name.clone()),
            facet: Some(self.profile.category.clone()),
            ..Index::default()
        }
    }

    fn belongs(command: &Command, _world: &World) -> Belongs {
        match command {
            Command::Invite { account, .. } => Belongs {
                person: Some(*account),
                organisation: None,
            },
            _ => Belongs::default(),
        }
    }

    fn identity(command: &Command) -> Option<Uuid> {
        match command {
            Command::Invite { account, .. } => Some(id_of(*account)),
            _ => None,
        }
    }

    fn needs(_record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Invite { account, .. } => vec![Need::One(Kind::Account, *account)],
            _ => Vec::new(),
        }
    }

    fn decide(
        _record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Invite { account, profile } => {
                check(&profile)?;
                if cx.world.get::<crate::account::Account>(account).is_none() {
                    return Err(Rejection::fault(
                        "/account",
                        "unknown_account",
                        "There is no such account.",
                        "账户不存在。",
                    ));
                }
                Event::Invited { account, profile }
            }
            Command::Accept { pledge } => {
                if !pledge {
                    return Err(Rejection::fault(
                        "/pledge",
                        "required",
                        "Nothing is shown before the pledge is given.",
                        "须先签署保密与无利害关系承诺。",
                    ));
                }
                Event::Pledged {}
            }
            Command::Amend { profile } => {
                check(&profile)?;
                Event::Amended { profile }
            }
            Command::DeclareConflicts {
                organisations,
                ground,
            } => {
                if ground.trim().is_empty() {
                    return Err(Rejection::fault(
                        "/ground",
                        "required",
                        "Say on what ground.",
                        "请说明回避事由。",
                    ));
                }
                let conflicts = organisations
                    .into_iter()
                    .map(|organisation| Conflict {
                        organisation,
                        ground: ground.clone(),
                        by_staff: !cx.roles.contains(&Role::Holder),
                    })
                    .collect();
                Event::ConflictsDeclared { conflicts }
            }
            Command::Retire { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Moved {
                    reason: Some(reason),
                }
            }
            Command::Decline {} | Command::Reinstate {} => Event::Moved { reason: None },
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Invited { account, profile } => {
                *self = Self {
                    account: Some(account),
                    profile,
                    ..Self::default()
                }
            }
            Event::Pledged {} => self.pledged_at = Some(at),
            Event::Amended { profile } => {
                let before = std::mem::replace(&mut self.profile, profile).employer;
                if !before.trim().is_empty()
                    && comparison_key(&before) != comparison_key(&self.profile.employer)
                {
                    self.former_employers.push(FormerEmployer {
                        name: before,
                        until: at,
                    });
                }
            }
            Event::ConflictsDeclared { conflicts } => self.conflicts.extend(conflicts),
            Event::Moved { .. } => {}
        }
    }
}

fn check(profile: &Profile) -> Result<(), Rejection> {
    let faults = check_name(&profile.name, 100)
        .err()
        .into_iter()
        .flatten()
        .map(|error| {
            Fault::new(
                "/profile/name",
                "name",
                error.to_string(),
                format!("姓名有误:{error}"),
            )
        })
        .collect();
    Rejection::unless_empty(faults)
}
