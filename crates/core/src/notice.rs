//! The public notice (公示) of those who are to be funded, open to objections (`domain.md` §2.9).

use std::collections::BTreeSet;

use fundcycle_scoring::Exact;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record, Stored as _, Then};
use crate::application::{self, Application};
use crate::context::Context;
use crate::cycle;
use crate::kinds::Kind;
use crate::money::Money;
use crate::objection::Objection;
use crate::organisation::Organisation;
use crate::rejection::Rejection;
use crate::selection::{self, Selection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where a notice stands.
    pub enum Stage {
        /// Put together, not public.
        Prepared = "prepared" "待发布",
        /// Public and open to objections.
        Running = "running" "公示中",
        /// The window is over.
        Ended = "ended" "公示结束",
        /// Given up before it was public.
        Withdrawn = "withdrawn" "已撤回",
        /// The policy asks for no public notice.
        Skipped = "skipped" "免公示",
    }
}

commands! {
    /// Put a notice together from all that a selection proposes.
    Prepare = "prepare" "拟定公示" {
        /// Which selection.
        selection: Uuid,
    }
    /// Publish it; the window begins today.
    Publish = "publish" "发布公示" {}
    /// End it; who has no open objection is through.
    Close = "close" "结束公示" {}
    /// Let everybody through, where the policy has no notice.
    Skip = "skip" "免公示通过" {}
    /// Give it up before it is public.
    Withdraw = "withdraw" "撤回公示" {}
}

/// A public notice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Which selection.
    pub selection: Option<Uuid>,
    /// The applications it is for.
    pub applications: BTreeSet<Uuid>,
    /// Who put it together; somebody else publishes it.
    pub prepared_by: Option<Uuid>,
    /// The programme's title.
    pub title: String,
    /// How to reach the office that takes objections.
    pub contact: String,
    /// What is public of each application, best first.
    pub rows: Vec<Row>,
    /// The first day.
    #[schemars(with = "Option<String>")]
    pub starts_on: Option<Date>,
    /// The last moment for an objection.
    pub ends_at: Option<Timestamp>,
}

/// What is public of one application: nothing that is not listed here is ever on a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The application's number.
    pub number: String,
    /// The project's title.
    pub title: String,
    /// The organisation's name.
    pub organisation: String,
    /// The domain.
    pub domain: String,
    /// The place in the ranking.
    pub rank: Option<u32>,
    /// The combined score.
    pub score: Exact,
    /// What it is to get, in fen.
    pub award: Money,
}

/// What happened to a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was put together.
    Prepared {
        /// From which selection.
        selection: Uuid,
        /// For which applications.
        applications: BTreeSet<Uuid>,
        /// By whom.
        by: Option<Uuid>,
    },
    /// It became public.
    Published {
        /// The applications that were still proposed.
        applications: BTreeSet<Uuid>,
        /// The programme's title.
        title: String,
        /// How to reach the office.
        contact: String,
        /// What is public of each.
        rows: Vec<Row>,
        /// The first day.
        #[schemars(with = "String")]
        starts_on: Date,
        /// The last moment for an objection.
        ends_at: Timestamp,
    },
    /// Nothing but the move itself.
    Moved {},
}

impl Notice {
    /// Whether an objection at `now` comes in time.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|ends_at| now <= ends_at)
    }
}

const LIST_IN_USE: Gate<Notice> = Gate::<Notice>::new(
    "list_in_use",
    "the cycle is not at selection or launch",
    "届次不在遴选或立项阶段",
    |_, cx| {
        cx.cycle().is_some_and(|cycle| {
            matches!(cycle.stage, cycle::Stage::Selection | cycle::Stage::Launch)
        })
    },
);
const NONE_PREPARED: Gate<Notice> = Gate::<Notice>::new(
    "none_prepared",
    "another notice is prepared: publish or withdraw it first",
    "另有待发布的公示,请先发布或撤回",
    |notice, cx| {
        !cx.world
            .all::<Notice>()
            .any(|other| other.id != notice.id && other.stage == Stage::Prepared)
    },
)
.looking_at(|_| vec![Need::All(Kind::Notice)]);
const HAS_NOTICE: Gate<Notice> = Gate::<Notice>::new(
    "has_notice",
    "this cycle has no public notice: skip it",
    "本届不设公示,请直接通过",
    has_notice,
);
const NO_NOTICE: Gate<Notice> = Gate::<Notice>::new(
    "no_notice",
    "this cycle has a public notice",
    "本届须进行公示",
    |notice, cx| !has_notice(notice, cx),
);
const OTHERS_PREPARED_IT: Gate<Notice> = Gate::<Notice>::new(
    "others_prepared_it",
    "who prepared it does not publish it",
    "拟定人不得自行发布",
    |notice, cx| notice.data.prepared_by != cx.account(),
);
const WINDOW_OVER: Gate<Notice> = Gate::<Notice>::new(
    "window_over",
    "the time for objections is not over",
    "公示期未满",
    |notice, cx| notice.data.ends_at.is_some() && !notice.data.is_open(cx.now),
)
.opened_by_time();

fn has_notice(_: &Record<Notice>, cx: &Context<'_>) -> bool {
    cx.policy().is_some_and(|policy| policy.stages.notice)
}

impl Aggregate for Notice {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Notice;
    const FIRST: Stage = Stage::Prepared;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Prepare, to: Some(Prepared), by: &[Role::Staff], gates: &[LIST_IN_USE, NONE_PREPARED] },
            Move { from: &[Prepared], verb: Verb::Publish, to: Some(Running), by: &[Role::Lead], gates: &[LIST_IN_USE, HAS_NOTICE, OTHERS_PREPARED_IT] },
            Move { from: &[Prepared], verb: Verb::Skip, to: Some(Skipped), by: &[Role::Lead], gates: &[LIST_IN_USE, NO_NOTICE, OTHERS_PREPARED_IT] },
            Move { from: &[Prepared], verb: Verb::Withdraw, to: Some(Withdrawn), by: &[Role::Lead, Role::System], gates: &[] },
            Move { from: &[Running], verb: Verb::Close, to: Some(Ended), by: &[Role::System, Role::Staff], gates: &[WINDOW_OVER] },
        ]
    };
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Staff,
            stages: &[],
        },
        Sight {
            eye: Eye::Public,
            stages: &["running", "ended"],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "title",
            eyes: &[Eye::Public],
        },
        Field {
            name: "contact",
            eyes: &[Eye::Public],
        },
        Field {
            name: "rows",
            eyes: &[Eye::Public],
        },
        Field {
            name: "starts_on",
            eyes: &[Eye::Public],
        },
        Field {
            name: "ends_at",
            eyes: &[Eye::Public],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "selection"), (Column::Label, "title")];

    fn index(&self) -> Index {
        Index {
            parent: self.selection,
            label: Some(self.title.clone()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, world: &World) -> Vec<Need> {
        let applications = record.data.applications.iter();
        let applications = applications.map(|id| Need::One(Kind::Application, *id));
        match command {
            Command::Prepare { selection } => vec![
                Need::One(Kind::Selection, *selection),
                Need::All(Kind::Application),
            ],
            Command::Publish {} => {
                let owners = record
                    .data
                    .applications
                    .iter()
                    .filter_map(|id| world.get::<Application>(*id)?.data.organisation)
                    .map(|id| Need::One(Kind::Organisation, id));
                applications.chain(owners).collect()
            }
            Command::Skip {} => applications.collect(),
            Command::Close {} => {
                let parts = record.data.applications.iter();
                let parts = parts.map(|id| Need::PartsOf(Kind::Objection, *id));
                applications.chain(parts).collect()
            }
            Command::Withdraw {} => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        match command {
            Command::Prepare { selection } => prepared(selection, cx),
            Command::Publish {} => published(record, cx),
            Command::Skip {} => {
                let still = in_stage(record, application::Stage::Proposed, cx);
                Ok(Decided::only(Event::Moved {}).then(cleared(still, cx)))
            }
            Command::Close {} => {
                // Only the disputed projects wait, and those whose objection nobody has read yet.
                let free = in_stage(record, application::Stage::Noticing, cx).filter(|one| {
                    !cx.world
                        .parts_of::<Objection>(one.id)
                        .any(|objection| objection.stage.is_open())
                });
                Ok(Decided::only(Event::Moved {}).then(cleared(free, cx)))
            }
            Command::Withdraw {} => Ok(Decided::only(Event::Moved {})),
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Prepared {
                selection,
                applications,
                by,
            } => {
                *self = Self {
                    selection: Some(selection),
                    applications,
                    prepared_by: by,
                    ..Self::default()
                };
            }
            Event::Published {
                applications,
                title,
                contact,
                rows,
                starts_on,
                ends_at,
            } => {
                self.applications = applications;
                self.title = title;
                self.contact = contact;
                self.rows = rows;
                self.starts_on = Some(starts_on);
                self.ends_at = Some(ends_at);
            }
            Event::Moved {} => {}
        }
    }
}

/// The applications of the notice that stand in `stage` now.
fn in_stage<'a>(
    record: &'a Record<Notice>,
    stage: application::Stage,
    cx: &Context<'a>,
) -> impl Iterator<Item = &'a Record<Application>> + use<'a> {
    let world = cx.world;
    let ids = record.data.applications.iter();
    ids.filter_map(move |id| world.get::<Application>(*id))
        .filter(move |one| one.stage == stage)
}

fn cleared<'a>(
    applications: impl Iterator<Item = &'a Record<Application>>,
    cx: &Context<'_>,
) -> Vec<Then> {
    applications
        .map(|one| Application::then(one.id, cx.journal, application::Command::Clear {}))
        .collect()
}

fn prepared(selection: Uuid, cx: &Context<'_>) -> Result<Decided<Notice>, Rejection> {
    let announced = cx
        .world
        .get::<Selection>(selection)
        .is_some_and(|one| one.stage == selection::Stage::Announced);
    if !announced {
        return Err(Rejection::fault(
            "/selection",
            "not_announced",
            "There is no announced selection with this id in the cycle.",
            "本届没有该已公布的遴选结果。",
        ));
    }
    let applications: BTreeSet<Uuid> = cx
        .world
        .all::<Application>()
        .filter(|one| one.stage == application::Stage::Proposed)
        .filter(|one| {
            one.data
                .selected
                .as_ref()
                .is_some_and(|selected| selected.selection == selection)
        })
        .map(|one| one.id)
        .collect();
    if applications.is_empty() {
        return Err(nothing_proposed("/selection"));
    }
    Ok(Decided::only(Event::Prepared {
        selection,
        applications,
        by: cx.account(),
    }))
}

fn nothing_proposed(pointer: &str) -> Rejection {
    Rejection::fault(
        pointer,
        "nothing_proposed",
        "None of its applications waits for a notice.",
        "没有待公示的拟立项申报。",
    )
}

fn published(record: &Record<Notice>, cx: &Context<'_>) -> Result<Decided<Notice>, Rejection> {
    let policy = cx.require_policy()?;
    let still: Vec<&Record<Application>> =
        in_stage(record, application::Stage::Proposed, cx).collect();
    if still.is_empty() {
        return Err(nothing_proposed(""));
    }
    let mut rows: Vec<Row> = still.iter().filter_map(|one| row(one, cx)).collect();
    rows.sort_by(|a, b| (a.rank, &a.number).cmp(&(b.rank, &b.number)));
    let rules = &policy.notice;
    let ends_at = cx.due_in(rules.working_days, rules.first_day)?;
    let then: Vec<Then> = still
        .iter()
        .map(|one| Application::then(one.id, cx.journal, application::Command::StartNotice {}))
        .collect();
    Ok(Decided::only(Event::Published {
        applications: still.iter().map(|one| one.id).collect(),
        title: policy.programme.title.clone(),
        contact: policy.programme.contact.clone(),
        rows,
        starts_on: cx.today(),
        ends_at,
    })
    .then(then))
}

fn row(application: &Record<Application>, cx: &Context<'_>) -> Option<Row> {
    let data = &application.data;
    let selected = data.selected.as_ref()?;
    let organisation = cx.world.get::<Organisation>(data.organisation?)?;
    Some(Row {
        number: data.number.clone()?,
        title: data.form.title.clone(),
        organisation: organisation.data.profile.name.clone(),
        domain: data.form.domain.clone(),
        rank: selected.rank,
        score: selected.score.clone(),
        award: selected.award,
    })
}
