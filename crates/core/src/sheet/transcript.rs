//! Paper sheets that are entered late: by two clerks, neither of whom sees what the other has read
//! (`domain.md` §2.7).

use std::collections::BTreeSet;

use fundcycle_scoring::{Exact, Marks, Rubric};

use super::{Event, Sheet, Transcript, located};
use crate::aggregate::{Gate, Record};
use crate::context::Context;
use crate::money::Money;
use crate::rejection::{Fault, Rejection};

pub(super) const FIRST_CLERK: Gate<Sheet> = Gate::<Sheet>::new(
    "first_clerk",
    "another clerk has entered it first",
    "已由另一名录入人员先行录入",
    |sheet, cx| {
        let first = sheet.data.transcript.as_ref();
        first.is_none_or(|first| Some(first.by) == cx.account())
    },
);

pub(super) const SECOND_CLERK: Gate<Sheet> = Gate::<Sheet>::new(
    "second_clerk",
    "a second clerk has to enter the same",
    "须由第二名录入人员录入相同内容",
    |sheet, cx| {
        let first = sheet.data.transcript.as_ref();
        first.is_some_and(|first| Some(first.by) != cx.account())
    },
);

/// What entering a paper sheet makes happen: the first entry waits, the second one has to say the same.
///
/// # Errors
///
/// [`Rejection::Invalid`] with what is wrong with the sheet, or naming every field that the other clerk
/// entered otherwise, without what they entered.
pub(super) fn transcribed(
    record: &Record<Sheet>,
    rubric: &Rubric,
    marks: Marks,
    recommended: Option<Money>,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let total = rubric.check(&marks).map_err(|faults| Rejection::Invalid {
        faults: faults.into_iter().map(located).collect(),
    })?;
    let by = cx.account().ok_or(Rejection::NotFound)?;
    let first = record.data.transcript.as_ref().filter(|one| one.by != by);
    let Some(first) = first else {
        return Ok(Event::Transcribed {
            transcript: Box::new(Transcript {
                by,
                marks,
                recommended,
            }),
        });
    };
    Rejection::unless_empty(differences(first, &marks, recommended))?;
    Ok(Event::Submitted {
        vetoes: rubric.vetoes(&marks),
        marks,
        total,
        recommended,
        entered_by: vec![first.by, by],
    })
}

fn differences(first: &Transcript, marks: &Marks, recommended: Option<Money>) -> Vec<Fault> {
    let keys = |one: &Marks| -> BTreeSet<String> {
        let scores = one.scores.keys().map(|key| format!("/marks/scores/{key}"));
        let comments = one.comments.keys();
        let comments = comments.map(|key| format!("/marks/comments/{key}"));
        scores.chain(comments).collect()
    };
    let value = |one: &Marks, pointer: &str| {
        let key = pointer.rsplit('/').next().unwrap_or_default();
        if pointer.starts_with("/marks/scores/") {
            one.scores.get(key).map(Exact::to_string)
        } else {
            one.comments.get(key).map(|text| text.trim().to_owned())
        }
    };
    let mut at: Vec<String> = keys(&first.marks)
        .union(&keys(marks))
        .filter(|pointer| value(&first.marks, pointer) != value(marks, pointer))
        .cloned()
        .collect();
    if first.recommended != recommended {
        at.push("/recommended".to_owned());
    }
    at.into_iter()
        .map(|pointer| {
            Fault::new(
                pointer,
                "differs",
                "The first clerk read something else: look at the paper again.",
                "与第一名录入人员的录入不一致,请核对纸质评分表。",
            )
        })
        .collect()
}
