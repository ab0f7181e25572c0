//! One expert's scores for one application or project in one round (`design` §6).

mod entry;
mod facts;
mod transcript;

use std::collections::BTreeMap;

use fundcycle_scoring::{Exact, Marks, Rubric, SheetFault, SheetFaultCode};
use uuid::Uuid;

pub use facts::{Earlier, Event, Sheet, Transcript};

use crate::actor::Role;
use crate::aggregate::{Aggregate, Decided, Gate, Index, Move, Record};
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::panel::{self, Panel};
use crate::policy::Round;
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

names! {
    /// Where a sheet stands. A missing score is not zero: only submitted sheets count.
    pub enum Stage {
        /// Given to the expert.
        Pending = "pending" "待评分",
        /// Begun.
        Draft = "draft" "评分中",
        /// Handed in and locked.
        Submitted = "submitted" "已提交",
        /// The expert does not judge this one, without an interest in it.
        Abstained = "abstained" "弃权",
        /// The expert has an interest in it.
        Recused = "recused" "回避",
        /// Does not count any more; kept and marked.
        Void = "void" "作废",
    }
}

commands! {
    /// Give an application or project to an expert; follows from the panel's assignment.
    Assign = "assign" "分配" {
        /// For which panel.
        panel: Uuid,
        /// In which round.
        round: Round,
        /// What is scored.
        subject: Uuid,
        /// Who scores: the expert's account.
        expert: Uuid,
        /// The organisation whose it is, to keep conflicts away.
        organisation: Option<Uuid>,
    }
    /// Keep what has been entered so far.
    Save = "save" "保存" {
        /// Scores and comments by criterion; those left out are cleared.
        marks: Marks,
        /// What the expert would fund, in fen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recommended: Option<Money>,
    }
    /// Enter single fields while writing; whatever is not named stays as it is.
    Enter = "enter" "逐项保存" {
        /// Scores by criterion; null takes one away.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        scores: BTreeMap<String, Option<Exact>>,
        /// Comments by criterion; null takes one away.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        comments: BTreeMap<String, Option<String>>,
        /// What the expert would fund, in fen; null takes it away.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "entry::named"
        )]
        recommended: Option<Option<Money>>,
        /// The `edits` of fields as they were when the text was begun, such as `{"scores/need": 2}`: a
        /// field that has changed since is refused. Without it, the last to write wins.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        seen: BTreeMap<String, u32>,
    }
    /// Enter a sheet that was filled in on paper; it counts once a second clerk has entered the same.
    Transcribe = "transcribe" "录入纸质评分表" {
        /// Scores and comments by criterion, as on the paper.
        marks: Marks,
        /// What the expert would fund, in fen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recommended: Option<Money>,
    }
    /// Hand it in; every criterion is checked.
    Submit = "submit" "提交" {}
    /// Open it again, with a reason; both versions stay in the journal.
    Reopen = "reopen" "退回重评" {
        /// Why.
        reason: String,
    }
    /// Give no score, without an interest in it.
    Abstain = "abstain" "弃权" {
        /// Why.
        reason: String,
    }
    /// Step back because of an interest (`domain.md` §2.5).
    Recuse = "recuse" "回避" {
        /// On what ground.
        ground: String,
    }
    /// Take it out of the count.
    Void = "void" "作废" {
        /// Why.
        reason: String,
    }
}

const PANEL_OPEN: Gate<Sheet> = Gate::<Sheet>::new(
    "panel_open",
    "the panel is not open",
    "评审组未开放评分",
    |sheet, cx| {
        sheet
            .data
            .panel
            .and_then(|id| cx.world.get::<Panel>(id))
            .is_some_and(|panel| panel.stage == panel::Stage::Open)
    },
)
.looking_at(own_panel);

const LEFT_OUT: Gate<Sheet> = Gate::<Sheet>::new(
    "left_out",
    "its panel has not closed without it",
    "评审组结束评分时未排除该评分表",
    |sheet, cx| {
        let panel = sheet.data.panel.and_then(|id| cx.world.get::<Panel>(id));
        panel.is_some_and(|panel| panel.data.voided.contains(&sheet.id))
    },
)
.looking_at(own_panel);

fn own_panel(sheet: &Record<Sheet>) -> Vec<Need> {
    let panel = sheet.data.panel.map(|id| Need::One(Kind::Panel, id));
    panel.into_iter().collect()
}

impl Aggregate for Sheet {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Sheet;
    const FIRST: Stage = Stage::Pending;
    #[rustfmt::skip]
    const FLOW: &'static [Move<Self>] = {
        use Stage::*;
        &[
            Move { from: &[], verb: Verb::Assign, to: Some(Pending), by: &[Role::System], gates: &[] },
            Move { from: &[Pending, Draft], verb: Verb::Save, to: Some(Draft), by: &[Role::Holder], gates: &[PANEL_OPEN] },
            Move { from: &[Pending, Draft], verb: Verb::Enter, to: Some(Draft), by: &[Role::Holder], gates: &[PANEL_OPEN] },
            // What the expert has begun to type is never overwritten from paper.
            Move { from: &[Pending], verb: Verb::Transcribe, to: None, by: &[Role::Staff], gates: &[PANEL_OPEN, transcript::FIRST_CLERK] },
            Move { from: &[Pending], verb: Verb::Transcribe, to: Some(Submitted), by: &[Role::Staff], gates: &[PANEL_OPEN, transcript::SECOND_CLERK] },
            Move { from: &[Pending, Draft], verb: Verb::Submit, to: Some(Submitted), by: &[Role::Holder], gates: &[PANEL_OPEN] },
            Move { from: &[Submitted, Abstained], verb: Verb::Reopen, to: Some(Draft), by: &[Role::Staff], gates: &[PANEL_OPEN] },
            Move { from: &[Pending, Draft], verb: Verb::Abstain, to: Some(Abstained), by: &[Role::Holder], gates: &[PANEL_OPEN] },
            // An interest may come to light at any time, also after the sheet was handed in.
            Move { from: &[Pending, Draft, Submitted, Abstained], verb: Verb::Recuse, to: Some(Recused), by: &[Role::Holder], gates: &[PANEL_OPEN] },
            Move { from: &[Pending, Draft, Submitted, Abstained], verb: Verb::Void, to: Some(Void), by: &[Role::Staff], gates: &[PANEL_OPEN] },
            // Follows from the close of a panel, where an interest has come to light.
            Move { from: &[Pending, Draft, Submitted, Abstained], verb: Verb::Void, to: Some(Void), by: &[Role::System], gates: &[LEFT_OUT] },
        ]
    };
    const REPLACES: &'static [Verb] = &[Verb::Save];
    const PATCHES: Option<Verb> = Some(Verb::Enter);
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Holder,
            stages: &["pending", "draft", "submitted", "abstained"],
        },
        Sight {
            eye: Eye::Peer,
            stages: &["submitted"],
        },
        Sight {
            eye: Eye::Organiser,
            stages: &[],
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "panel",
            eyes: &[Eye::Holder, Eye::Peer],
        },
        Field {
            name: "round",
            eyes: &[Eye::Holder, Eye::Peer],
        },
        Field {
            name: "subject",
            eyes: &[Eye::Holder, Eye::Peer],
        },
        Field {
            name: "expert",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "marks",
            eyes: &[Eye::Holder, Eye::Peer],
        },
        Field {
            name: "total",
            eyes: &[Eye::Holder, Eye::Peer],
        },
        Field {
            name: "recommended",
            eyes: &[Eye::Holder, Eye::Peer],
        },
        Field {
            name: "submitted_at",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "begun_at",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "edits",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "earlier",
            eyes: &[Eye::Holder],
        },
        Field {
            name: "reason",
            eyes: &[Eye::Holder],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Parent, "subject"), (Column::Facet, "round")];
    const SEALED: &'static [&'static str] = &[
        "marks",
        "total",
        "recommended",
        "vetoes",
        "edits",
        "earlier",
        "transcript",
    ];

    fn index(&self) -> Index {
        Index {
            parent: self.subject,
            person: self.expert,
            facet: self.round.map(|round| round.to_string()),
            ..Index::default()
        }
    }

    fn needs(record: &Record<Self>, command: &Command, world: &World) -> Vec<Need> {
        match command {
            Command::Submit {} | Command::Transcribe { .. } => panel::interest_needs(record, world),
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Assign {
                panel,
                round,
                subject,
                expert,
                ..
            } => Event::Assigned {
                panel,
                round,
                subject,
                expert,
            },
            Command::Save { marks, recommended } => {
                let rubric = rubric(record, cx)?;
                unknown_criteria(rubric, &marks)?;
                Event::Saved {
                    total: rubric.running_total(&marks),
                    marks,
                    recommended,
                }
            }
            Command::Enter {
                scores,
                comments,
                recommended,
                seen,
            } => {
                let fields = entry::Fields {
                    scores,
                    comments,
                    recommended,
                };
                entry::entered(record, rubric(record, cx)?, fields, &seen)?
            }
            Command::Transcribe { marks, recommended } => {
                without_interest(record, cx)?;
                transcript::transcribed(record, rubric(record, cx)?, marks, recommended, cx)?
            }
            Command::Submit {} => {
                without_interest(record, cx)?;
                let (rubric, marks) = (rubric(record, cx)?, record.data.marks.clone());
                let total = rubric.check(&marks).map_err(|faults| Rejection::Invalid {
                    faults: faults.into_iter().map(located).collect(),
                })?;
                Event::Submitted {
                    vetoes: rubric.vetoes(&marks),
                    marks,
                    total,
                    recommended: record.data.recommended,
                    entered_by: Vec::new(),
                }
            }
            Command::Reopen { reason } => {
                Rejection::unless_reasoned(&reason)?;
                Event::Reopened { reason }
            }
            Command::Abstain { reason }
            | Command::Void { reason }
            | Command::Recuse { ground: reason } => {
                if reason.trim().is_empty() {
                    return Err(Rejection::fault(
                        "",
                        "required",
                        "Give the reason.",
                        "请填写理由。",
                    ));
                }
                Event::Moved { reason }
            }
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        self.take(event, at);
    }
}

/// An interest may come about after the sheet was given out.
fn without_interest(record: &Record<Sheet>, cx: &Context<'_>) -> Result<(), Rejection> {
    if panel::interested(record, cx.world) {
        return Err(Rejection::fault(
            "",
            "conflict",
            "There is a conflict of interest here: the expert has to step back.",
            "该专家与申报方存在利害关系,须回避。",
        ));
    }
    Ok(())
}

/// How many criteria of the rubric have a score, and how many there are.
pub fn progress(sheet: &Sheet, rubric: &Rubric) -> (usize, usize) {
    let faults = rubric.check(&sheet.marks).err().unwrap_or_default();
    let count = |code| faults.iter().filter(|fault| fault.code == code).count();
    let entered = sheet.marks.scores.len()
        - count(SheetFaultCode::UnknownCriterion).min(sheet.marks.scores.len());
    (entered, entered + count(SheetFaultCode::Missing))
}

fn rubric<'a>(record: &Record<Sheet>, cx: &Context<'a>) -> Result<&'a Rubric, Rejection> {
    let policy = cx.require_policy()?;
    let rules = record
        .data
        .round
        .and_then(|round| policy.rounds.get(&round));
    rules.map(|rules| &rules.rubric).ok_or_else(|| {
        Rejection::fault(
            "",
            "no_rubric",
            "The policy in force has no such round.",
            "现行规则没有该轮次。",
        )
    })
}

/// A draft may be incomplete and out of range; what it cannot have is scores for nothing.
fn unknown_criteria(rubric: &Rubric, marks: &Marks) -> Result<(), Rejection> {
    let faults = rubric.check(marks).err().unwrap_or_default();
    Rejection::unless_empty(
        faults
            .into_iter()
            .filter(|fault| fault.code == SheetFaultCode::UnknownCriterion)
            .map(located)
            .collect(),
    )
}

fn located(fault: SheetFault) -> Fault {
    let (code, zh) = match fault.code {
        SheetFaultCode::Missing => ("missing", "尚未评分"),
        SheetFaultCode::UnknownCriterion => ("unknown_criterion", "评分表没有这一项"),
        SheetFaultCode::OutOfRange => ("out_of_range", "超出分值范围"),
        SheetFaultCode::OffStep => ("off_step", "不符合评分间隔"),
        SheetFaultCode::CommentMissing => ("comment_missing", "须填写评语"),
    };
    let zh = format!("“{}”{zh}。", fault.criterion);
    Fault::new(
        format!("/marks/scores/{}", fault.criterion),
        code,
        fault.message,
        zh,
    )
}
