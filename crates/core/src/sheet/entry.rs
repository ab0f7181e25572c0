//! Entering a sheet field by field, as a form does that saves itself: nobody's field is lost to another one.

use std::collections::BTreeMap;

use fundcycle_scoring::{Exact, Marks, Rubric};
use serde::{Deserialize, Deserializer};

use super::{Event, Sheet, unknown_criteria};
use crate::aggregate::Record;
use crate::money::Money;
use crate::rejection::{Fault, Rejection};
use crate::time::Timestamp;

/// Single fields of a sheet; none in place of a value takes it away.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) scores: BTreeMap<String, Option<Exact>>,
    pub(super) comments: BTreeMap<String, Option<String>>,
    pub(super) recommended: Option<Option<Money>>,
}

/// A value that was named, null or not; for members that mean something else when they are left out.
pub(super) fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Fields {
    /// Their names, as `edits` counts them.
    fn names(&self) -> Vec<String> {
        let scores = self.scores.keys().map(|key| format!("scores/{key}"));
        let comments = self.comments.keys().map(|key| format!("comments/{key}"));
        let recommended = self.recommended.map(|_| "recommended".to_owned());
        scores.chain(comments).chain(recommended).collect()
    }

    /// The fields in which two versions of a sheet differ, with what the second has there.
    fn between(before: &Sheet, marks: &Marks, recommended: Option<Money>) -> Self {
        Self {
            scores: changed(&before.marks.scores, &marks.scores),
            comments: changed(&before.marks.comments, &marks.comments),
            recommended: (before.recommended != recommended).then_some(recommended),
        }
    }
}

/// The keys whose values differ, with the value of `after`.
fn changed<T: Clone + PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
) -> BTreeMap<String, Option<T>> {
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| before.get(*key) != after.get(*key))
        .map(|key| (key.clone(), after.get(key).cloned()))
        .collect()
}

fn put<T>(into: &mut BTreeMap<String, T>, fields: BTreeMap<String, Option<T>>) {
    for (key, value) in fields {
        match value {
            Some(value) => drop(into.insert(key, value)),
            None => drop(into.remove(&key)),
        }
    }
}

/// What entering `fields` makes happen, unless one of them has changed since it was seen.
///
/// # Errors
///
/// [`Rejection::Invalid`] naming every field that has changed since, or that the rubric does not have.
pub(super) fn entered(
    record: &Record<Sheet>,
    rubric: &Rubric,
    fields: Fields,
    seen: &BTreeMap<String, u32>,
) -> Result<Event, Rejection> {
    let edits = &record.data.edits;
    let names = fields.names();
    if names.is_empty() {
        return Err(Rejection::fault(
            "",
            "nothing_entered",
            "Name at least one field.",
            "请至少填写一项。",
        ));
    }
    let stale = names.iter().filter(|name| {
        let now = edits.get(*name).copied().unwrap_or_default();
        seen.get(*name).is_some_and(|seen| *seen != now)
    });
    Rejection::unless_empty(
        stale
            .map(|name| {
                Fault::new(
                    format!("/{name}"),
                    "changed_meanwhile",
                    "This field was changed elsewhere meanwhile: read the sheet again.",
                    "该项已在别处修改,请重新读取评分表。",
                )
            })
            .collect(),
    )?;
    // Those that are taken away, too: what nobody has cannot be changed.
    let named = Marks {
        scores: (fields.scores.keys().cloned())
            .map(|key| (key, Exact::ZERO))
            .collect(),
        comments: (fields.comments.keys().cloned())
            .map(|key| (key, String::new()))
            .collect(),
    };
    unknown_criteria(rubric, &named)?;
    let mut marks = record.data.marks.clone();
    put(&mut marks.scores, fields.scores.clone());
    put(&mut marks.comments, fields.comments.clone());
    Ok(Event::Entered {
        scores: fields.scores,
        comments: fields.comments,
        recommended: fields.recommended,
        total: rubric.running_total(&marks),
    })
}

impl Sheet {
    /// Takes in single fields.
    pub(super) fn enter(&mut self, fields: Fields, total: Exact, at: Timestamp) {
        self.count(&fields, at);
        put(&mut self.marks.scores, fields.scores);
        put(&mut self.marks.comments, fields.comments);
        self.recommended = fields.recommended.unwrap_or(self.recommended);
        self.total = Some(total);
    }

    /// Takes in a whole sheet in place of what was there.
    pub(super) fn save(
        &mut self,
        marks: Marks,
        total: Exact,
        recommended: Option<Money>,
        at: Timestamp,
    ) {
        let fields = Fields::between(self, &marks, recommended);
        self.count(&fields, at);
        self.marks = marks;
        self.recommended = recommended;
        self.total = Some(total);
    }

    fn count(&mut self, fields: &Fields, at: Timestamp) {
        self.begun_at.get_or_insert(at);
        // What the expert types comes before what a clerk has read.
        self.transcript = None;
        for name in fields.names() {
            let edits = self.edits.entry(name).or_default();
            *edits = edits.saturating_add(1);
        }
    }
}
