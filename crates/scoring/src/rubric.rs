//! Rubrics: what a sheet is scored against, and whether a sheet is complete (`domain.md` §4).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::number::Exact;

/// A tree of criteria. Frozen, with its version, when the first sheet is opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rubric {
    /// What it is called on the sheet.
    pub title: String,
    /// Counts up with every change; at least 1.
    pub version: u32,
    /// The most that all bonuses of a sheet may add together; unlimited if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus_cap: Option<Exact>,
    /// The most that all deductions of a sheet may take off together; unlimited if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deduction_cap: Option<Exact>,
    /// The criteria of the first level, in the order of the sheet.
    pub criteria: Vec<Criterion>,
}

/// One line of a rubric: a leaf, which is given a mark, or a branch, which holds further criteria.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Unique within the rubric: lower-case letters, digits and underscores.
    pub key: String,
    /// What it is called on the sheet.
    pub title: String,
    /// The same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_en: Option<String>,
    /// Whether the mark counts, adds or takes off. Criteria below a bonus are bonuses too, and
    /// likewise deductions.
    #[serde(default)]
    pub kind: CriterionKind,
    /// What the mark, or the sum of a branch, is multiplied by. Positive; 1 if absent.
    #[serde(default = "one")]
    pub weight: Exact,
    /// The lowest mark of a leaf; 0 if absent.
    #[serde(default)]
    pub min: Exact,
    /// The highest mark of a leaf. A branch has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Exact>,
    /// Marks are `min` plus a multiple of this; 1 if absent.
    #[serde(default = "one")]
    pub step: Exact,
    /// A mark below this needs a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_required_below: Option<Exact>,
    /// A mark above this needs a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_required_above: Option<Exact>,
    /// A mark below this is a veto (一票否决); see [`Rubric::vetoes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veto_below: Option<Exact>,
    /// The criteria below a branch. A leaf has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Criterion>,
}

/// What a mark does to the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriterionKind {
    /// It counts, and every sheet must have it.
    #[default]
    Score,
    /// It is added, up to the rubric's cap; a sheet may leave it out. May carry a total over 100.
    Bonus,
    /// It is taken off, up to the rubric's cap; a sheet may leave it out. Written positive.
    Deduction,
}

/// What one expert entered on a sheet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The mark of each leaf, by its key.
    #[serde(default)]
    pub scores: BTreeMap<String, Exact>,
    /// Comments, by the key of a leaf or a branch.
    #[serde(default)]
    pub comments: BTreeMap<String, String>,
}

/// What is wrong with a rubric, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RubricFault {
    /// JSON Pointer into the rubric, such as `/criteria/0/max`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What is wrong with a sheet, and at which criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetFault {
    /// The key of the criterion.
    pub criterion: String,
    /// The kind of fault.
    pub code: SheetFaultCode,
    /// What is wrong and what to do.
    pub message: String,
}

/// The kinds of fault of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SheetFaultCode {
    /// A criterion that must be marked is not.
    Missing,
    /// The rubric has no such criterion, or it is a branch and takes no mark.
    UnknownCriterion,
    /// The mark is below the minimum or above the maximum.
    OutOfRange,
    /// The mark lies between two steps.
    OffStep,
    /// The mark needs a comment and has none.
    CommentMissing,
}

const fn one() -> Exact {
    Exact::ONE
}

/// A leaf as a sheet sees it: with the weights of all branches above it and the kind it inherits.
struct Leaf<'a> {
    criterion: &'a Criterion,
    kind: CriterionKind,
    weight: Exact,
}

impl Rubric {
    /// The total of a sheet that may be unfinished: weighted marks, plus bonuses and minus
    /// deductions within their caps. Marks of unknown criteria do not count.
    #[must_use]
    pub fn running_total(&self, marks: &Marks) -> Exact {
        let (mut counted, mut bonus, mut deduction) = (Exact::ZERO, Exact::ZERO, Exact::ZERO);
        for leaf in self.leaves() {
            let Some(mark) = marks.scores.get(&leaf.criterion.key) else {
                continue;
            };
            let sum = match leaf.kind {
                CriterionKind::Score => &mut counted,
                CriterionKind::Bonus => &mut bonus,
                CriterionKind::Deduction => &mut deduction,
            };
            *sum = &*sum + &(mark * &leaf.weight);
        }
        let capped = |sum: Exact, cap: &Option<Exact>| match cap {
            Some(cap) => sum.min(cap.clone()),
            None => sum,
        };
        counted + capped(bonus, &self.bonus_cap) - capped(deduction, &self.deduction_cap)
    }

    /// The total of a finished sheet, or everything that is wrong with it.
    pub fn check(&self, marks: &Marks) -> Result<Exact, Vec<SheetFault>> {
        let mut faults = Vec::new();
        let leaves = self.leaves();
        for leaf in &leaves {
            check_mark(leaf, marks, &mut faults);
        }
        let marked: BTreeSet<&str> = leaves.iter().map(|l| l.criterion.key.as_str()).collect();
        let all = self.keys();
        let unknown_marks = marks
            .scores
            .keys()
            .filter(|key| !marked.contains(key.as_str()));
        let unknown_comments = marks
            .comments
            .keys()
            .filter(|key| !all.contains(key.as_str()) && !marks.scores.contains_key(*key));
        for key in unknown_marks.chain(unknown_comments) {
            let message = if all.contains(key.as_str()) {
                format!("`{key}` is the sum of the criteria below it: mark those")
            } else {
                format!("the rubric has no criterion `{key}`")
            };
            faults.push(SheetFault {
                criterion: key.clone(),
                code: SheetFaultCode::UnknownCriterion,
                message,
            });
        }
        if faults.is_empty() {
            Ok(self.running_total(marks))
        } else {
            Err(faults)
        }
    }

    /// The criteria whose mark is a veto, in the order of the sheet.
    #[must_use]
    pub fn vetoes(&self, marks: &Marks) -> Vec<String> {
        let vetoed = |criterion: &Criterion| {
            let mark = marks.scores.get(&criterion.key);
            mark.zip(criterion.veto_below.as_ref())
                .is_some_and(|(mark, line)| mark < line)
        };
        self.leaves()
            .iter()
            .filter(|leaf| vetoed(leaf.criterion))
            .map(|leaf| leaf.criterion.key.clone())
            .collect()
    }

    /// The highest total without bonuses and deductions.
    #[must_use]
    pub fn maximum(&self) -> Exact {
        self.leaves()
            .iter()
            .filter(|leaf| leaf.kind == CriterionKind::Score)
            .filter_map(|leaf| Some(&leaf.weight * leaf.criterion.max.as_ref()?))
            .sum()
    }

    /// Everything that is wrong with the rubric as a document.
    #[must_use]
    pub fn faults(&self) -> Vec<RubricFault> {
        let mut faults = Faults::default();
        if self.title.trim().is_empty() {
            faults.add("/title", "give the rubric a title");
        }
        if self.version == 0 {
            faults.add("/version", "versions count from 1");
        }
        for (path, cap) in [
            ("/bonus_cap", &self.bonus_cap),
            ("/deduction_cap", &self.deduction_cap),
        ] {
            if cap.as_ref().is_some_and(Exact::is_negative) {
                faults.add(path, "a cap cannot be negative");
            }
        }
        if self.criteria.is_empty() {
            faults.add("/criteria", "a rubric needs at least one criterion");
        } else if self
            .leaves()
            .iter()
            .all(|leaf| leaf.kind != CriterionKind::Score)
        {
            faults.add(
                "/criteria",
                "a rubric needs a criterion that counts, not only bonuses and deductions",
            );
        }
        let mut seen = BTreeSet::new();
        for (index, criterion) in self.criteria.iter().enumerate() {
            let path = format!("/criteria/{index}");
            criterion.add_faults(&path, CriterionKind::Score, &mut seen, &mut faults);
        }
        faults.0
    }

    fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        for criterion in &self.criteria {
            criterion.add_leaves(CriterionKind::Score, &Exact::ONE, &mut leaves);
        }
        leaves
    }

    fn keys(&self) -> BTreeSet<&str> {
        fn add<'a>(criteria: &'a [Criterion], keys: &mut BTreeSet<&'a str>) {
            for criterion in criteria {
                keys.insert(&criterion.key);
                add(&criterion.criteria, keys);
            }
        }
        let mut keys = BTreeSet::new();
        add(&self.criteria, &mut keys);
        keys
    }
}

fn check_mark(leaf: &Leaf<'_>, marks: &Marks, faults: &mut Vec<SheetFault>) {
    let Criterion {
        key,
        title,
        min,
        max,
        step,
        ..
    } = leaf.criterion;
    let mut add = |code, message| {
        faults.push(SheetFault {
            criterion: key.clone(),
            code,
            message,
        });
    };
    let Some(mark) = marks.scores.get(key) else {
        if leaf.kind == CriterionKind::Score {
            add(SheetFaultCode::Missing, format!("{title} has no mark"));
        }
        return;
    };
    let max = max.as_ref().unwrap_or(min);
    if mark < min || max < mark {
        add(
            SheetFaultCode::OutOfRange,
            format!("{title}: {mark} is not between {min} and {max}"),
        );
    } else if !(mark - min).is_multiple_of(step) {
        add(
            SheetFaultCode::OffStep,
            format!("{title}: {mark} is not on a step of {step} from {min}"),
        );
    }
    let commented = marks
        .comments
        .get(key)
        .is_some_and(|text| !text.trim().is_empty());
    if commented {
        return;
    }
    if let Some(line) = &leaf.criterion.comment_required_below
        && mark < line
    {
        add(
            SheetFaultCode::CommentMissing,
            format!("{title}: a mark below {line} needs a comment"),
        );
    }
    if let Some(line) = &leaf.criterion.comment_required_above
        && line < mark
    {
        add(
            SheetFaultCode::CommentMissing,
            format!("{title}: a mark above {line} needs a comment"),
        );
    }
}

#[derive(Default)]
struct Faults(Vec<RubricFault>);

impl Faults {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(RubricFault {
            path: path.into(),
            message: message.into(),
        });
    }
}

impl Criterion {
    fn inherits(&self, above: CriterionKind) -> CriterionKind {
        if self.kind == CriterionKind::Score {
            above
        } else {
            self.kind
        }
    }

    fn add_leaves<'a>(&'a self, above: CriterionKind, weight: &Exact, leaves: &mut Vec<Leaf<'a>>) {
        let kind = self.inherits(above);
        let weight = weight * &self.weight;
        if self.criteria.is_empty() {
            leaves.push(Leaf {
                criterion: self,
                kind,
                weight,
            });
            return;
        }
        for criterion in &self.criteria {
            criterion.add_leaves(kind, &weight, leaves);
        }
    }

    fn add_faults<'a>(
        &'a self,
        path: &str,
        above: CriterionKind,
        seen: &mut BTreeSet<&'a str>,
        faults: &mut Faults,
    ) {
        let key_character = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.key.is_empty() || !self.key.chars().all(key_character) {
            faults.add(
                format!("{path}/key"),
                format!(
                    "`{}` is no key: use lower-case letters, digits and underscores",
                    self.key
                ),
            );
        }
        if !seen.insert(&self.key) {
            faults.add(
                format!("{path}/key"),
                format!("another criterion is called `{}`", self.key),
            );
        }
        if self.title.trim().is_empty() {
            faults.add(format!("{path}/title"), "give the criterion a title");
        }
        if self.weight <= Exact::ZERO {
            faults.add(format!("{path}/weight"), "a weight must be above 0");
        }
        if above != CriterionKind::Score && self.inherits(above) != above {
            faults.add(
                format!("{path}/kind"),
                "bonuses and deductions cannot be nested in each other",
            );
        }
        if self.criteria.is_empty() {
            self.add_leaf_faults(path, faults);
        } else if self.max.is_some() {
            faults.add(
                format!("{path}/max"),
                "a criterion with criteria below it has no maximum of its own: leave it out",
            );
        }
        let kind = self.inherits(above);
        for (index, criterion) in self.criteria.iter().enumerate() {
            criterion.add_faults(&format!("{path}/criteria/{index}"), kind, seen, faults);
        }
    }

    fn add_leaf_faults(&self, path: &str, faults: &mut Faults) {
        let Some(max) = &self.max else {
            faults.add(
                format!("{path}/max"),
                "say the highest mark, or list criteria below",
            );
            return;
        };
        if max <= &self.min {
            faults.add(
                format!("{path}/max"),
                format!(
                    "the highest mark {max} must be above the lowest, {}",
                    self.min
                ),
            );
        }
        if self.step <= Exact::ZERO {
            faults.add(format!("{path}/step"), "a step must be above 0");
        } else if !(max - &self.min).is_multiple_of(&self.step) {
            faults.add(
                format!("{path}/step"),
                format!("steps of {} from {} never reach {max}", self.step, self.min),
            );
        }
        for (name, line) in [
            ("comment_required_below", &self.comment_required_below),
            ("comment_required_above", &self.comment_required_above),
            ("veto_below", &self.veto_below),
        ] {
            if line
                .as_ref()
                .is_some_and(|line| line < &self.min || max < line)
            {
                faults.add(
                    format!("{path}/{name}"),
                    format!("must lie between {} and {max}", self.min),
                );
            }
        }
    }
}
