//! An organisation that may apply, its members and its standing (`domain.md` §3.1).

mod profile;

use std::collections::BTreeMap;

use fundcycle_scoring::Exact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{self, Account};
use crate::actor::{Grant, Role, Scope};
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, REGISTRY, Record, Stored as _};
use crate::context::Context;
use crate::kinds::Kind;
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};
use profile::check;
pub use profile::{OrganisationKind, Profile};

names! {
    /// Where an organisation stands with the bureau.
    pub enum Stage {
        /// Entered by one of its own people.
        Registered = "registered" "已登记",
        /// Compared with the registry by staff.
        Verified = "verified" "已核验",
        /// May not apply for now.
        Banned = "banned" "禁止申报",
    }
}

commands! {
    /// Enter an organisation; who does becomes its owner.
    Register = "register" "登记" {
        /// What it says of itself.
        profile: Profile,
    }
    /// Correct the profile.
    Amend = "amend" "更正资料" {
        /// What it says of itself.
        profile: Profile,
    }
    /// Confirm the profile against the registry.
    Verify = "verify" "核验" {
        /// Why a code that fails the check is accepted all the same; needed only then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code_override: Option<String>,
    }
    /// Add a member.
    AddMember = "add_member" "添加成员" {
        /// The member's account.
        account: Uuid,
        /// Whether the member may manage members and sign.
        #[serde(default)]
        owner: bool,
    }
    /// Remove a member.
    RemoveMember = "remove_member" "移除成员" {
        /// The member's account.
        account: Uuid,
    }
    /// Keep it from applying for a time (`domain.md` §2.15).
    Ban = "ban" "列入禁止申报" {
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    }
    /// End a ban early.
    LiftBan = "lift_ban" "解除禁止" {
        /// Why.
        reason: String,
    }
    /// Note the grade of a project that ended well; follows from its final evaluation.
    NoteMerit = "note_merit" "记录业绩" {
        /// In which cycle.
        cycle: Uuid,
        /// Which project.
        project: Uuid,
        /// The grade.
        grade: String,
        /// The points that it brings in later cycles whose rules count them.
        points: Exact,
    }
    /// Note that a ban is over; the profile is verified anew.
    EndBan = "end_ban" "禁止期满" {}
}

/// A project that ended well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Merit {
    /// In which cycle.
    pub cycle: Uuid,
    /// Which project.
    pub project: Uuid,
    /// The grade of its final evaluation.
    pub grade: String,
    /// The points that it brings in later cycles whose rules count them.
    pub points: Exact,
    /// When the grade took effect.
    pub noted_at: Timestamp,
}

/// What is known of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Organisation {
    /// Its own identity, so that its members find it.
    pub organisation: Option<Uuid>,
    /// What it says of itself.
    pub profile: Profile,
    /// Its members; true for owners.
    pub members: BTreeMap<Uuid, bool>,
    /// Why a code that fails the check was accepted.
    pub code_override: Option<String>,
    /// Until when it may not apply.
    pub banned_until: Option<Timestamp>,
    /// Why.
    pub banned_because: Option<String>,
    /// The projects that ended well, one entry each, the newest last.
    #[serde(default)]
    pub merits: Vec<Merit>,
}

/// What happened to an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was entered.
    Registered {
        /// Its own identity.
        organisation: Uuid,
        /// What it says of itself.
        profile: Profile,
        /// Its first owner.
        owner: Uuid,
    },
    /// Its profile changed.
    Amended {
        /// What it says of itself.
        profile: Profile,
    },
    /// Its profile was confirmed.
    Verified {
        /// Why a code that fails the check is accepted.
        code_override: Option<String>,
    },
    /// A member came or changed.
    MemberAdded {
        /// Whose account.
        account: Uuid,
        /// As an owner?
        owner: bool,
    },
    /// A member left.
    MemberRemoved {
        /// Whose account.
        account: Uuid,
    },
    /// It was banned.
    Banned {
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// The ban ended.
    BanLifted {
        /// Why.
        reason: String,
    },
    /// A ban was over.
    BanEnded {},
    /// A project ended well.
    MeritNoted {
        /// In which cycle.
        cycle: Uuid,
        /// Which project.
        project: Uuid,
        /// The grade.
        grade: String,
        /// The points that it brings.
        points: Exact,
    },
}

impl Organisation {
    /// Whether it may not apply at `now`.
    pub fn is_banned(&self, now: Timestamp) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }
}

const BAN_OVER: Gate<Organisation> = Gate::<Organisation>::new(
    "ban_over",
    "the ban is not over",
    "禁止期未满",
    |organisation, cx| !organisation.data.is_banned(cx.now),
)
.opened_by_time();

impl Aggregate for Organisation {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Organisation;
    const FIRST: Stage = Stage::Registered;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = &[
        Move { from: &[], verb: Verb::Register, to: Some(Stage::Registered), by: &[Role::Account], gates: &[] },
        Move { from: &[Stage::Registered], verb: Verb::Amend, to: None, by: &[Role::Owner], gates: &[] },
        Move { from: &[Stage::Registered], verb: Verb::Verify, to: Some(Stage::Verified), by: &[Role::Staff, Role::Lead], gates: &[] },
        // A verified profile that changes has to be verified again.
        Move { from: &[Stage::Verified], verb: Verb::Amend, to: Some(Stage::Registered), by: &[Role::Owner], gates: &[] },
        Move { from: &[Stage::Registered, Stage::Verified], verb: Verb::AddMember, to: None, by: &[Role::Owner], gates: &[] },
        Move { from: &[Stage::Registered, Stage::Verified], verb: Verb::RemoveMember, to: None, by: &[Role::Owner], gates: &[] },
        Move { from: &[Stage::Registered, Stage::Verified], verb: Verb::Ban, to: Some(Stage::Banned), by: &[Role::Lead, Role::System], gates: &[] },
        // A project that is stopped later may lengthen it.
        Move { from: &[Stage::Banned], verb: Verb::Ban, to: None, by: &[Role::System], gates: &[] },
        Move { from: &[Stage::Registered, Stage::Verified, Stage::Banned], verb: Verb::NoteMerit, to: None, by: &[Role::System], gates: &[] },
        Move { from: &[Stage::Banned], verb: Verb::LiftBan, to: Some(Stage::Registered), by: &[Role::Lead], gates: &[] },
        Move { from: &[Stage::Banned], verb: Verb::EndBan, to: Some(Stage::Registered), by: &[Role::System], gates: &[BAN_OVER] },
    ];
    const REPLACES: &'static [Verb] = &[Verb::Amend];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Applicant,
            stages: &[],
        },
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "merits",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "organisation",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "profile",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "members",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "banned_until",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "banned_because",
            eyes: &[Eye::Applicant],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Facet, "profile"), (Column::Number, "profile"), (Column::Label, "profile")];

    fn index(&self) -> Index {
        Index {
            organisation: self.organisation,
            number: self.profile.uscc.as_deref().map(crate::uscc::normalise),
            label: Some(self.profile.name.clone()),
            facet: self.profile.organisation_kind.map(|kind| kind.to_string()),
            ..Index::default()
        }
    }

    fn needs(_record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::AddMember { account, .. } | Command::RemoveMember { account } => {
                vec![Need::One(Kind::Account, *account)]
            }
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Register { profile } => {
                check(&profile)?;
                let owner = cx.account().ok_or(Rejection::NotFound)?;
                let join = Account::then(
                    owner,
                    REGISTRY,
                    account::Command::Join {
                        grant: membership(record.id, true),
                    },
                );
                Ok(Decided::only(Event::Registered {
                    organisation: record.id,
                    profile,
                    owner,
                })
                .then([join]))
            }
            Command::Amend { profile } => {
                check(&profile)?;
                Ok(Decided::only(Event::Amended { profile }))
            }
            Command::Verify { code_override } => {
                if let (Some(code), None) = (&record.data.profile.uscc, &code_override)
                    && let Err(error) = crate::uscc::Uscc::parse(code)
                {
                    return Err(Rejection::fault(
                        "/code_override",
                        "uscc",
                        format!(
                            "{error} If the registry really has this code, say so in code_override."
                        ),
                        format!(
                            "统一社会信用代码校验未通过({error})。如登记机关确为此码,请在 code_override 中说明。"
                        ),
                    ));
                }
                Ok(Decided::only(Event::Verified { code_override }))
            }
            Command::AddMember { account, owner } => {
                if cx.world.get::<Account>(account).is_none() {
                    return Err(Rejection::fault(
                        "/account",
                        "unknown_account",
                        "There is no such account.",
                        "账户不存在。",
                    ));
                }
                let before = record.data.members.get(&account);
                let leave = before.map(|owner| {
                    Account::then(
                        account,
                        REGISTRY,
                        account::Command::Leave {
                            grant: membership(record.id, *owner),
                        },
                    )
                });
                let join = Account::then(
                    account,
                    REGISTRY,
                    account::Command::Join {
                        grant: membership(record.id, owner),
                    },
                );
                Ok(Decided::only(Event::MemberAdded { account, owner })
                    .then(leave)
                    .then([join]))
            }
            Command::RemoveMember { account } => {
                let Some(owner) = record.data.members.get(&account).copied() else {
                    return Err(Rejection::fault(
                        "/account",
                        "not_a_member",
                        "This account is not a member.",
                        "该账户不是本组织成员。",
                    ));
                };
                if owner && record.data.members.values().filter(|owner| **owner).count() == 1 {
                    return Err(Rejection::fault(
                        "/account",
                        "last_owner",
                        "The last owner cannot leave: name another owner first.",
                        "最后一名负责人不能退出,请先指定其他负责人。",
                    ));
                }
                let leave = Account::then(
                    account,
                    REGISTRY,
                    account::Command::Leave {
                        grant: membership(record.id, owner),
                    },
                );
                Ok(Decided::only(Event::MemberRemoved { account }).then([leave]))
            }
            Command::Ban { until, reason } => {
                if until <= cx.now {
                    return Err(Rejection::fault(
                        "/until",
                        "past",
                        "A ban ends in the future.",
                        "禁止期限须晚于当前时间。",
                    ));
                }
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::Banned { until, reason }))
            }
            Command::LiftBan { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Ok(Decided::only(Event::BanLifted { reason }))
            }
            Command::EndBan {} => Ok(Decided::only(Event::BanEnded {})),
            Command::NoteMerit {
                cycle,
                project,
                grade,
                points,
            } => Ok(Decided::only(Event::MeritNoted {
                cycle,
                project,
                grade,
                points,
            })),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Registered {
                organisation,
                profile,
                owner,
            } => {
                *self = Self {
                    organisation: Some(organisation),
                    profile,
                    members: BTreeMap::from([(owner, true)]),
                    ..Self::default()
                };
            }
            Event::Amended { profile } => self.profile = profile,
            Event::Verified { code_override } => self.code_override = code_override,
            Event::MemberAdded { account, owner } => {
                self.members.insert(account, owner);
            }
            Event::MemberRemoved { account } => {
                self.members.remove(&account);
            }
            Event::Banned { until, reason } => {
                self.banned_until = Some(until);
                self.banned_because = Some(reason);
            }
            Event::MeritNoted {
                cycle,
                project,
                grade,
                points,
            } => {
                self.merits.retain(|one| one.project != project);
                self.merits.push(Merit {
                    cycle,
                    project,
                    grade,
                    points,
                    noted_at: at,
                });
            }
            Event::BanLifted { .. } | Event::BanEnded {} => {
                self.banned_until = None;
                self.banned_because = None;
            }
        }
    }
}

/// The grant that makes an account a member.
const fn membership(organisation: Uuid, owner: bool) -> Grant {
    Grant {
        role: if owner { Role::Owner } else { Role::Applicant },
        scope: Scope::Organisation(organisation),
    }
}
