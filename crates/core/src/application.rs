//! What an organisation asks funding for, from the first draft to the award (`domain.md` §2.16, §2.17).

pub mod flow;
pub mod form;

use std::collections::BTreeSet;

use fundcycle_scoring::Exact;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use flow::{Command, Stage, Verb, ends_with_the_cycle};
pub use form::Form;

use crate::aggregate::{Aggregate, Belongs, Decided, Index, Move, Record};
use crate::attachment::{self, Attachment};
use crate::calendar::FirstDay;
use crate::context::Context;
use crate::kinds::Kind;
use crate::money::Money;
use crate::organisation::{self, Organisation};
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;
use crate::visibility::{Column, Eye, Field, Shows, Sight};
use crate::world::{Need, World};

/// An application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// Who applies.
    pub organisation: Option<Uuid>,
    /// The number that people quote; given at the first submission.
    pub number: Option<String>,
    /// What it says now.
    pub form: Form,
    /// Every submission, the newest last; the texts are in the journal.
    pub submissions: Vec<Submission>,
    /// Who last decided on its eligibility; a re-check is done by somebody else.
    pub checked_by: Option<Uuid>,
    /// What is being or was to be corrected.
    pub correction: Option<Correction>,
    /// How often it was returned.
    pub corrections: u32,
    /// The last decision with its reason.
    pub decision: Option<Reasoned>,
    /// Until when a re-check may be asked for.
    pub recheck_by: Option<Timestamp>,
    /// Whether it was checked a second time.
    pub rechecked: bool,
    /// The score of the paper review.
    pub paper_review: Option<RoundScore>,
    /// The score of the roadshow.
    pub roadshow: Option<RoundScore>,
    /// The selection that decided on it, with the amount.
    pub selected: Option<Selected>,
}

/// A receipt: what was submitted, when, and the hash of its very text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Submission {
    /// The application's number.
    pub number: String,
    /// When.
    pub at: Timestamp,
    /// SHA-256 over the canonical JSON (RFC 8785) of form and attachments, in hex.
    pub content_hash: String,
}

/// What has to be corrected, listed once and completely, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    /// The fields and what is wrong with each.
    pub items: Vec<CorrectionItem>,
    /// The last moment to hand in the correction.
    pub due: Timestamp,
}

/// One field that has to be corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionItem {
    /// The field of the form, or `attachments`.
    pub field: String,
    /// What is wrong with it.
    #[schemars(length(max = 500))]
    pub note: String,
}

/// A decision and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reasoned {
    /// Which.
    pub verb: Verb,
    /// Why.
    pub reason: String,
}

/// The score of one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundScore {
    /// Exactly.
    pub exact: Exact,
    /// As published.
    pub rounded: Exact,
    /// Its place in the round; none without a score.
    pub rank: Option<u32>,
}

/// What a selection decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// Which selection.
    pub selection: Uuid,
    /// The combined score, as published.
    pub score: Exact,
    /// The place in the ranking.
    pub rank: Option<u32>,
    /// The award, in fen; 0 unless proposed.
    pub award: Money,
    /// Which rule decided.
    pub reason: String,
    /// What was cut from which line of the budget, where people gave less than was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<crate::selection::Cut>,
}

/// What happened to an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was begun.
    Created {
        /// Who applies.
        organisation: Uuid,
        /// What it says.
        form: Box<Form>,
    },
    /// Its text changed.
    Edited {
        /// What it says.
        form: Box<Form>,
    },
    /// It was handed in: the very text that will be judged.
    Submitted {
        /// The receipt.
        receipt: Submission,
        /// What it said.
        form: Box<Form>,
        /// The files it carried: id and SHA-256.
        attachments: Vec<(Uuid, String)>,
    },
    /// It was returned.
    Returned {
        /// What to correct, and until when.
        correction: Correction,
    },
    /// Its eligibility was decided.
    Checked {
        /// By whom; none by the clock.
        by: Option<Uuid>,
        /// The decision and why.
        decision: Reasoned,
        /// Until when a re-check may be asked for, after a rejection.
        recheck_by: Option<Timestamp>,
    },
    /// A round was scored.
    Scored {
        /// The score.
        score: Option<RoundScore>,
        /// Whether it was the roadshow.
        roadshow: bool,
    },
    /// A round was opened again: its score no longer stands.
    ScoreCleared {
        /// Whether it was the roadshow.
        roadshow: bool,
    },
    /// A selection decided on it.
    Selected {
        /// What it decided.
        selected: Selected,
    },
    /// The selection was taken back.
    Unselected {},
    /// The move itself, with its reason where one was asked for.
    Moved {
        /// Why.
        reason: Option<String>,
    },
}

/// The number that people quote: the policy's code and eight characters that follow from the
/// identity, so that numbers tell nothing about how many applied or when.
pub fn number_of(code: &str, id: Uuid) -> String {
    use sha2::Digest as _;
    // Crockford's alphabet: no I, L, O, U to mistake.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digest = sha2::Sha256::digest(id.as_bytes());
    let mut text: String = digest
        .iter()
        .take(8)
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|byte| char::from(*byte))
        .collect();
    text.insert(4, '-');
    format!("{code}-{text}")
}

impl Aggregate for Application {
    type Stage = Stage;
    type Verb = Verb;
    type Command = Command;
    type Event = Event;

    const KIND: Kind = Kind::Application;
    const FIRST: Stage = Stage::Draft;
    const FLOW: &'static [Move<Self>] = flow::FLOW;
    // Nobody but its members sees a draft (`visibility.md` F6).
    const REPLACES: &'static [Verb] = &[Verb::Edit, Verb::Correct];
    const SIGHTS: &'static [Sight] = &[
        Sight {
            eye: Eye::Applicant,
            stages: &[],
        },
        Sight {
            eye: Eye::Expert,
            stages: flow::JUDGED,
        },
        Sight {
            eye: Eye::Staff,
            stages: flow::HANDED_IN,
        },
    ];
    const FIELDS: &'static [Field] = &[
        Field {
            name: "organisation",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "number",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "form",
            eyes: &[Eye::Applicant, Eye::Expert],
        },
        Field {
            name: "submissions",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "correction",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "corrections",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "decision",
            eyes: &[Eye::Applicant],
        },
        Field {
            name: "recheck_by",
            eyes: &[Eye::Applicant],
        },
    ];
    #[rustfmt::skip]
    const SHOWS: &'static [Shows] = &[(Column::Facet, "form"), (Column::Number, "number"), (Column::Label, "form"), (Column::Amount, "form")];
    const IDENTIFIES: &'static [&'static str] = &["organisation", "form/lead", "form/synthetic"];

    fn index(&self) -> Index {
        Index {
            organisation: self.organisation,
            facet: Some(self.form.domain.clone()),
            number: self.number.clone(),
            label: Some(self.form.title.clone()),
            amount: Some(self.form.requested.fen()),
            ..Index::default()
        }
    }

    fn belongs(command: &Command, _world: &World) -> Belongs {
        match command {
            Command::Create { organisation, .. } => Belongs {
                organisation: Some(*organisation),
                person: None,
            },
            _ => Belongs::default(),
        }
    }

    fn needs(record: &Record<Self>, command: &Command, _world: &World) -> Vec<Need> {
        match command {
            Command::Create { organisation, .. } => {
                vec![Need::One(Kind::Organisation, *organisation)]
            }
            Command::Submit {} | Command::Resubmit {} => record
                .data
                .organisation
                .into_iter()
                .flat_map(|id| {
                    [
                        Need::One(Kind::Organisation, id),
                        Need::OfOrganisation(Kind::Application, id),
                    ]
                })
                .chain([Need::PartsOf(Kind::Attachment, record.id)])
                .collect(),
            _ => Vec::new(),
        }
    }

    fn decide(
        record: &Record<Self>,
        command: Command,
        cx: &Context<'_>,
    ) -> Result<Decided<Self>, Rejection> {
        let event = match command {
            Command::Create { organisation, form } => {
                Rejection::unless_empty(form.draft_faults(cx.require_policy()?))?;
                Event::Created { organisation, form }
            }
            Command::Edit { form } => {
                Rejection::unless_empty(form.draft_faults(cx.require_policy()?))?;
                Event::Edited { form }
            }
            Command::Correct { form } => corrected(record, form, cx)?,
            Command::Submit {} | Command::Resubmit {} => submitted(record, cx)?,
            Command::RequestCorrection { items } => returned(items, cx)?,
            Command::Accept { note } => Event::Checked {
                by: cx.account(),
                decision: Reasoned {
                    verb: Verb::Accept,
                    reason: note.unwrap_or_default(),
                },
                recheck_by: None,
            },
            Command::Reject { reason } | Command::UpholdRejection { reason } => {
                required("/reason", &reason)?;
                rejected(record, reason, cx)?
            }
            Command::Expire {} => rejected(
                record,
                "补正逾期 (the correction was not handed in in time)".to_owned(),
                cx,
            )?,
            Command::Shortlist { score } | Command::NotShortlist { score } => Event::Scored {
                score,
                roadshow: false,
            },
            Command::ScorePitch { score } => Event::Scored {
                score,
                roadshow: true,
            },
            Command::ReopenReview {} => Event::ScoreCleared { roadshow: false },
            Command::ClearPitch {} => Event::ScoreCleared { roadshow: true },
            Command::Propose { selected }
            | Command::HoldInReserve { selected }
            | Command::NotSelect { selected }
            | Command::Promote { selected } => Event::Selected { selected },
            Command::UndoSelection {} => Event::Unselected {},
            Command::RequestRecheck { reason } | Command::Withdraw { reason } => {
                required("/reason", &reason)?;
                Event::Moved {
                    reason: Some(reason),
                }
            }
            Command::Cancel { reason } => Event::Moved {
                reason: Some(reason),
            },
            Command::Discard {}
            | Command::Retract {}
            | Command::StartCheck {}
            | Command::Assign {}
            | Command::Invite {}
            | Command::Confirm {}
            | Command::Present {}
            | Command::Absent {}
            | Command::PitchAgain {}
            | Command::StartNotice {}
            | Command::Dispute {}
            | Command::DismissObjection {}
            | Command::Clear {}
            | Command::Award {}
            | Command::DeclineAward {}
            | Command::CancelWithCycle {} => Event::Moved { reason: None },
        };
        Ok(Decided::only(event))
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event.clone() {
            Event::Created { organisation, form } => {
                *self = Self {
                    organisation: Some(organisation),
                    form: *form,
                    ..Self::default()
                }
            }
            Event::Edited { form } => self.form = *form,
            Event::Submitted { receipt, form, .. } => {
                self.number = Some(receipt.number.clone());
                self.form = *form;
                self.submissions.push(receipt);
            }
            Event::Returned { correction } => {
                self.corrections += 1;
                self.correction = Some(correction);
            }
            Event::Checked {
                by,
                decision,
                recheck_by,
            } => {
                // Whoever decides after a rejection has checked a second time.
                self.rechecked = self
                    .decision
                    .as_ref()
                    .is_some_and(|before| before.verb == Verb::Reject);
                self.checked_by = by;
                self.decision = Some(decision);
                self.recheck_by = recheck_by;
            }
            Event::Scored {
                score,
                roadshow: false,
            } => self.paper_review = score,
            Event::Scored {
                score,
                roadshow: true,
            } => self.roadshow = score,
            Event::ScoreCleared { roadshow: false } => self.paper_review = None,
            Event::ScoreCleared { roadshow: true } => self.roadshow = None,
            Event::Selected { selected } => self.selected = Some(selected),
            Event::Unselected {} => self.selected = None,
            Event::Moved { .. } => {}
        }
    }
}

fn corrected(
    record: &Record<Application>,
    form: Box<Form>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let mut faults = form.draft_faults(cx.require_policy()?);
    let open: BTreeSet<&str> = record
        .data
        .correction
        .iter()
        .flat_map(|correction| &correction.items)
        .map(|item| item.field.as_str())
        .collect();
    let (before, after) = (as_object(&record.data.form), as_object(&form));
    for field in form::FIELDS
        .iter()
        .filter(|field| !open.contains(*field) && before.get(**field) != after.get(**field))
    {
        faults.push(Fault::new(
            format!("/form/{field}"),
            "not_returned",
            "Only the returned items may change.",
            "只能修改被退回的内容。",
        ));
    }
    Rejection::unless_empty(faults)?;
    Ok(Event::Edited { form })
}

fn as_object(form: &Form) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(form) {
        Ok(serde_json::Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    }
}

fn submitted(record: &Record<Application>, cx: &Context<'_>) -> Result<Event, Rejection> {
    let policy = cx.require_policy()?;
    let form = &record.data.form;
    let mut faults = form.submission_faults(policy);
    if let Some(organisation) = record
        .data
        .organisation
        .and_then(|id| cx.world.get::<Organisation>(id))
    {
        faults.extend(ineligible(record, organisation, cx));
    }
    let attachments: Vec<(Uuid, String)> = cx
        .world
        .parts_of::<Attachment>(record.id)
        .filter(|file| file.stage == attachment::Stage::Stored)
        .map(|file| (file.id, file.data.sha256.clone()))
        .collect();
    Rejection::unless_empty(faults)?;
    let number = record
        .data
        .number
        .clone()
        .unwrap_or_else(|| number_of(&policy.programme.code, record.id));
    let receipt = Submission {
        number,
        at: cx.now,
        content_hash: content_hash(form, &attachments),
    };
    Ok(Event::Submitted {
        receipt,
        form: Box::new(form.clone()),
        attachments,
    })
}

/// The hash that a receipt carries: SHA-256 over the canonical JSON of form and attachments.
pub fn content_hash(form: &Form, attachments: &[(Uuid, String)]) -> String {
    crate::digest::canonical_hash(&serde_json::json!({ "form": form, "attachments": attachments }))
}

fn ineligible(
    record: &Record<Application>,
    organisation: &Record<Organisation>,
    cx: &Context<'_>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add =
        |code: &str, en: String, zh: String| faults.push(Fault::new("/organisation", code, en, zh));
    let Some(rules) = cx.policy().map(|policy| &policy.eligibility) else {
        return faults;
    };
    if organisation.data.is_banned(cx.now) {
        add(
            "banned",
            "The organisation may not apply at present.".into(),
            "该组织目前被禁止申报。".into(),
        );
    } else if rules.verified_only && organisation.stage != organisation::Stage::Verified {
        add(
            "not_verified",
            "Staff have to verify the organisation first.".into(),
            "须先经工作人员核验组织信息。".into(),
        );
    }
    let kind = organisation.data.profile.organisation_kind;
    if !rules.organisation_kinds.is_empty()
        && !kind.is_some_and(|kind| rules.organisation_kinds.contains(&kind))
    {
        add(
            "kind",
            "This kind of organisation may not apply in this cycle.".into(),
            "该类组织不在本届申报范围内。".into(),
        );
    }
    let old_enough = organisation
        .data
        .profile
        .registered_on
        .is_some_and(|registered| {
            registered
                .checked_add(jiff::Span::new().days(i64::from(rules.minimum_age_days)))
                .is_ok_and(|since| since <= cx.today())
        });
    if rules.minimum_age_days > 0 && !old_enough {
        let days = rules.minimum_age_days;
        add(
            "too_young",
            format!("The organisation must have been registered for {days} days."),
            format!("组织登记须满 {days} 天。"),
        );
    }
    let others = flow::others_of_organisation(record, cx);
    if let Some(most) = rules.applications_per_organisation
        && others >= usize::try_from(most).unwrap_or(usize::MAX)
    {
        add(
            "too_many",
            format!("An organisation may submit {most} application(s)."),
            format!("每个组织最多提交 {most} 份申报。"),
        );
    }
    faults
}

fn returned(items: Vec<CorrectionItem>, cx: &Context<'_>) -> Result<Event, Rejection> {
    if items.is_empty() {
        return Err(Rejection::fault(
            "/items",
            "required",
            "List what has to be corrected.",
            "请列明需补正的内容。",
        ));
    }
    let faults = items
        .iter()
        .enumerate()
        .filter(|(_, item)| {
            item.field != "attachments" && !form::FIELDS.contains(&item.field.as_str())
        })
        .map(|(index, item)| {
            Fault::new(
                format!("/items/{index}/field"),
                "unknown_field",
                format!("The form has no field `{}`.", item.field),
                format!("申报书没有“{}”这一项。", item.field),
            )
        })
        .collect();
    Rejection::unless_empty(faults)?;
    let due = cx.due_in(
        cx.require_policy()?.application.correction_working_days,
        FirstDay::NotCounted,
    )?;
    Ok(Event::Returned {
        correction: Correction { items, due },
    })
}

fn rejected(
    record: &Record<Application>,
    reason: String,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let second = record.stage == Stage::Rechecking;
    let verb = if second {
        Verb::UpholdRejection
    } else {
        Verb::Reject
    };
    let days = cx.require_policy()?.application.recheck_working_days;
    let recheck_by = if second {
        None
    } else {
        Some(cx.due_in(days, FirstDay::NotCounted)?)
    };
    Ok(Event::Checked {
        by: cx.account(),
        decision: Reasoned { verb, reason },
        recheck_by,
    })
}

fn required(pointer: &str, reason: &str) -> Result<(), Rejection> {
    if reason.trim().is_empty() {
        return Err(Rejection::fault(
            pointer,
            "required",
            "Give the reason.",
            "请填写理由。",
        ));
    }
    Ok(())
}
