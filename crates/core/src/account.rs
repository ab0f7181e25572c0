//! A person who signs in, and what they have been granted. Names, addresses and passwords are kept
//! outside the journal, so that erasing a person does not touch the record.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::{Grant, Role, Scope};
use crate::aggregate::{Aggregate, Belongs, Decided, Gate, Index, Move, Record};
use crate::context::Context;
use crate::kinds::Kind;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Eye, Field, Shows, Sight};
use crate::world::World;

names! {
    /// Whether the person may sign in.
    pub enum Stage {
        /// May sign in.
        Active = "active" "有效",
        /// May not.
        Disabled = "disabled" "停用",
    }
}

commands! {
    /// Open an account; the service does it when somebody registers or is invited.
    Open = "open" "开户" {
        /// What the account may do from the beginning.
        #[serde(default)]
        grants: BTreeSet<Grant>,
    }
    /// Let the account act in a role.
    Grant = "grant" "授权" {
        /// Which role, and where.
        grant: Grant,
    }
    /// Take a role away.
    Revoke = "revoke" "撤销授权" {
        /// Which role, and where.
        grant: Grant,
    }
    /// Make the account a member; follows from the organisation's decision.
    Join = "join" "加入组织" {
        /// As what, and where.
        grant: Grant,
    }
    /// End a membership; follows from the organisation's decision.
    Leave = "leave" "退出组织" {
        /// As what, and where.
        grant: Grant,
    }
    /// Keep the person from signing in.
    Disable = "disable" "停用" {
        /// Why.
        reason: String,
    }
    /// Let the person sign in again.
    Enable = "enable" "恢复" {}
}

/// What is known of an account inside the record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Whose account it is: its own id, so that the holder finds it.
    pub holder: Option<Uuid>,
    /// What it may act as.
    pub grants: BTreeSet<Grant>,
    /// Why it is disabled.
    pub disabled_because: Option<String>,
    /// Of which organisations it is or was a member.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memberships: BTreeMap<Uuid, Membership>,
}

/// From when to when an account was a member of an organisation; the last time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// When it joined.
    pub since: Timestamp,
    /// When it left; none: it is a member.
    pub until: Option<Timestamp>,
}

/// What happened to an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// Its own id.
        holder: Uuid,
        /// What it may do from the beginning.
        grants: BTreeSet<Grant>,
    },
    /// It got a role.
    Granted {
        /// Which, and where.
        grant: Grant,
    },
    /// It lost a role.
    Revoked {
        /// Which, and where.
        grant: Grant,
    },
    /// It was disabled.
    Disabled {
        /// Why.
        reason: String,
    },
    /// It was enabled again.
    Enabled {},
}

const NOT_ONESELF: Gate<Account> = Gate::new(
    "not_oneself",
    "nobody changes their own rights",
    "不得更改本人权限",
    |account, cx| Some(account.id) != cx.account(),
);

impl Aggregate for Account {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Account;
    const FIRST: Stage = Stage::Active;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Open, to: Some(Stage::Active), by: &[Role::System], gates: &[] },
        Move { from: &[Stage::Active], verb: Verb::Grant, to: None, by: &[Role::Admin], gates: &[NOT_ONESELF] },
        Move { from: &[Stage::Active, Stage::Disabled], verb: Verb::Revoke, to: None, by: &[Role::Admin], gates: &[NOT_ONESELF] },
        Move { from: &[Stage::Active], verb: Verb::Join, to: None, by: &[Role::System], gates: &[] },
        Move { from: &[Stage::Active, Stage::Disabled], verb: Verb::Leave, to: None, by: &[Role::System], gates: &[] },
        Move { from: &[Stage::Active], verb: Verb::Disable, to: Some(Stage::Disabled), by: &[Role::Admin], gates: &[NOT_ONESELF] },
        Move { from: &[Stage::Disabled], verb: Verb::Enable, to: Some(Stage::Active), by: &[Role::Admin], gates: &[] },
    ];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Holder,
            stages: &[],
        },
        Sight {
            eye: Eye::Admin,
            stages: &[],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "holder",
            eyes: &[Eye::Holder, Eye::Admin],
        },
        Field {
            name: "grants",
            eyes: &[Eye::Holder, Eye::Admin],
        },
        Field {
            name: "disabled_because",
            eyes: &[Eye::Admin],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[];

    fn index(&self) -> Index {
        Index {
            person: self.holder,
            ..Index::default()
        }
    }

    fn belongs(_command: &Command, _world: &World) -> Belongs {
        Belongs::default()
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        _cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Open { grants } => Event::Opened {
                holder: record.id,
                grants,
            },
            Command::Grant { grant } => {
                grantable(grant)?;
                Event::Granted { grant }
            }
            Command::Join { grant } => Event::Granted { grant },
            Command::Revoke { grant } | Command::Leave { grant } => {
                if !record.data.grants.contains(&grant) {
                    return Err(Rejection::fault(
                        "/grant",
                        "not_granted",
                        "The account does not have this role there.",
                        "该账户没有此项权限。",
                    ));
                }
                Event::Revoked { grant }
            }
            Command::Disable { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Disabled { reason }
            }
            Command::Enable {} => Event::Enabled {},
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Opened { holder, grants } => {
                *self = Self {
                    holder: Some(holder),
                    grants,
                    ..Self::default()
                };
                for organisation in self.organisations() {
                    self.join(organisation, at);
                }
            }
            Event::Granted { grant } => {
                self.grants.insert(grant);
                if let Scope::Organisation(id) = grant.scope {
                    self.join(id, at);
                }
            }
            Event::Revoked { grant } => {
                self.grants.remove(&grant);
                if let Scope::Organisation(id) = grant.scope
                    && !self.organisations().contains(&id)
                {
                    self.leave(id, at);
                }
            }
            Event::Disabled { reason } => self.disabled_because = Some(reason),
            Event::Enabled {} => self.disabled_because = None,
        }
    }
}

impl Account {
    /// The organisations of which it is a member.
    pub fn organisations(&self) -> BTreeSet<Uuid> {
        let scopes = self.grants.iter().map(|grant| grant.scope);
        scopes
            .filter_map(|scope| match scope {
                Scope::Organisation(id) => Some(id),
                Scope::Everywhere | Scope::Cycle(_) => None,
            })
            .collect()
    }

    /// Who becomes something else there at the same moment goes on being a member.
    fn join(&mut self, organisation: Uuid, at: Timestamp) {
        let fresh = Membership {
            since: at,
            until: None,
        };
        let membership = self.memberships.entry(organisation).or_insert(fresh);
        match membership.until {
            Some(until) if until < at => *membership = fresh,
            _ => membership.until = None,
        }
    }

    fn leave(&mut self, organisation: Uuid, at: Timestamp) {
        let membership = self.memberships.get_mut(&organisation);
        if let Some(membership) = membership {
            membership.until = Some(at);
        }
    }
}

/// Roles per cycle; membership comes from the organisation; only administrators and auditors are
/// ever granted everywhere (`design` §11).
fn grantable(grant: Grant) -> Result<(), Rejection> {
    let fits = match grant.scope {
        Scope::Everywhere => matches!(grant.role, Role::Admin | Role::Auditor),
        Scope::Cycle(_) => matches!(
            grant.role,
            Role::Staff | Role::Lead | Role::Finance | Role::Auditor
        ),
        Scope::Organisation(_) => false,
    };
    if fits {
        return Ok(());
    }
    Err(Rejection::fault(
        "/grant",
        "not_grantable",
        "Staff, lead, finance and auditor are granted in a cycle; admin and auditor everywhere; members are added by their organisation.",
        "工作人员、负责人、财务、审计按届次授权;管理员与审计可全局授权;成员由其组织添加。",
    ))
}
