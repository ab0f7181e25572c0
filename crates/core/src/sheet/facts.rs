//! What is known of a sheet, and what happens to it.

use std::collections::BTreeMap;

use fundcycle_scoring::{Exact, Marks};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entry::Fields;
use crate::money::Money;
use crate::policy::Round;
use crate::time::Timestamp;

/// A sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sheet {
    /// For which panel.
    pub panel: Option<Uuid>,
    /// In which round.
    pub round: Option<Round>,
    /// What is scored: an application, or a project.
    pub subject: Option<Uuid>,
    /// Who scores: the expert's account.
    pub expert: Option<Uuid>,
    /// Scores and comments by criterion.
    pub marks: Marks,
    /// The total so far, or as handed in.
    pub total: Option<Exact>,
    /// What the expert would fund, in fen.
    pub recommended: Option<Money>,
    /// When it was handed in.
    pub submitted_at: Option<Timestamp>,
    /// The criteria whose score vetoes the application.
    pub vetoes: Vec<String>,
    /// Why it was reopened, abstained, recused or voided.
    pub reason: Option<String>,
    /// When its first score or comment was entered.
    #[serde(default)]
    pub begun_at: Option<Timestamp>,
    /// How often each field has changed, such as `scores/need`, `comments/need` or `recommended`.
    #[serde(default)]
    pub edits: BTreeMap<String, u32>,
    /// What was handed in before it was reopened, oldest first.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
    /// What the first clerk read on paper, until a second one agrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
    /// The clerks who entered it from paper and agreed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entered_by: Vec<Uuid>,
}

/// What a sheet said when it was handed in before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Earlier {
    /// Scores and comments by criterion.
    pub marks: Marks,
    /// Their total.
    pub total: Option<Exact>,
    /// What the expert would fund, in fen.
    pub recommended: Option<Money>,
    /// When it was handed in.
    pub submitted_at: Timestamp,
    /// Why it was opened again.
    pub reopened_because: String,
}

/// What one clerk read on a paper sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// The clerk's account.
    pub by: Uuid,
    /// Scores and comments by criterion.
    pub marks: Marks,
    /// What the expert would fund, in fen.
    pub recommended: Option<Money>,
}

/// What happened to a sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was given to an expert.
    Assigned {
        /// For which panel.
        panel: Uuid,
        /// In which round.
        round: Round,
        /// What is scored.
        subject: Uuid,
        /// Who scores.
        expert: Uuid,
    },
    /// What was entered so far.
    Saved {
        /// Scores and comments by criterion.
        marks: Marks,
        /// The total so far.
        total: Exact,
        /// What the expert would fund.
        recommended: Option<Money>,
    },
    /// It was handed in.
    Submitted {
        /// What counts.
        marks: Marks,
        /// Its total.
        total: Exact,
        /// The criteria whose score vetoes the application.
        vetoes: Vec<String>,
        /// What the expert would fund, in fen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recommended: Option<Money>,
        /// The clerks who entered it from paper.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entered_by: Vec<Uuid>,
    },
    /// Single fields were entered.
    Entered {
        /// The scores that changed; null where one was taken away.
        scores: BTreeMap<String, Option<Exact>>,
        /// The comments that changed.
        comments: BTreeMap<String, Option<String>>,
        /// What the expert would fund now, if that changed; null where it was taken away.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "super::entry::named"
        )]
        recommended: Option<Option<Money>>,
        /// The total so far.
        total: Exact,
    },
    /// A clerk entered it from paper; it counts once a second one hands the same in.
    Transcribed {
        /// What is on the paper.
        transcript: Box<Transcript>,
    },
    /// It was opened again, and what was handed in is kept beside it.
    Reopened {
        /// Why.
        reason: String,
    },
    /// It left the count, or came back to it.
    Moved {
        /// Why.
        reason: String,
    },
}

impl Sheet {
    /// The scores of single criteria, prefixed for tie-breaks: `criterion:need`.
    pub fn criteria(&self) -> BTreeMap<String, Exact> {
        self.marks
            .scores
            .iter()
            .map(|(key, score)| (format!("criterion:{key}"), score.clone()))
            .collect()
    }

    /// Takes in what happened.
    pub(super) fn take(&mut self, event: &Event, at: Timestamp) {
        match event.clone() {
            Event::Assigned {
                panel,
                round,
                subject,
                expert,
            } => {
                *self = Self {
                    panel: Some(panel),
                    round: Some(round),
                    subject: Some(subject),
                    expert: Some(expert),
                    ..Self::default()
                };
            }
            Event::Saved {
                marks,
                total,
                recommended,
            } => self.save(marks, total, recommended, at),
            Event::Entered {
                scores,
                comments,
                recommended,
                total,
            } => {
                let fields = Fields {
                    scores,
                    comments,
                    recommended,
                };
                self.enter(fields, total, at);
            }
            Event::Transcribed { transcript } => self.transcript = Some(*transcript),
            Event::Reopened { reason } => {
                if let Some(submitted_at) = self.submitted_at.take() {
                    self.earlier.push(Earlier {
                        marks: self.marks.clone(),
                        total: self.total.clone(),
                        recommended: self.recommended,
                        submitted_at,
                        reopened_because: reason.clone(),
                    });
                }
                self.reason = Some(reason);
            }
            Event::Submitted {
                marks,
                total,
                vetoes,
                recommended,
                entered_by,
            } => {
                self.marks = marks;
                self.total = Some(total);
                self.vetoes = vetoes;
                self.recommended = recommended.or(self.recommended);
                self.entered_by = entered_by;
                self.transcript = None;
                self.submitted_at = Some(at);
            }
            Event::Moved { reason } => {
                self.reason = Some(reason);
                self.transcript = None;
                self.submitted_at = None;
            }
        }
    }
}
