//! What its reader has to come to (路演日历): an applicant's own turns, the sittings an expert scores
//! in, and for the bureau and the public every sitting whose order is public.

use std::collections::BTreeSet;

use fundcycle_core::kinds::{Kind, State};
use fundcycle_core::pitch_session::PitchSession;
use fundcycle_core::policy::Round;
use fundcycle_core::sheet::Sheet;
use fundcycle_core::slot::{Slot, Turn};
use fundcycle_core::visibility::{Eye, Viewer};
use fundcycle_core::world::{Need, World};

use crate::Format;
use crate::document::{Document, Source, View};
use crate::ics::{Happening, When};
use crate::paper::Paper;
use crate::pitch_order::happening;

pub(crate) const DOCUMENT: Document = Document {
    name: "calendar",
    kind: Kind::Cycle,
    title: ("路演日历", "Calendar of the roadshow"),
    eyes: &[Eye::Public, Eye::Staff],
    stages: &["review", "roadshow", "selection"],
    formats: &[Format::Ics],
    needs,
    content,
};

/// The sittings, and what is the reader's own.
fn needs(viewer: &Viewer, _: &State, _: &World) -> Vec<Need> {
    let turns = viewer.actor.organisations().into_iter();
    let scored = viewer.standing.assigned.keys().flat_map(|id| {
        [
            Need::One(Kind::Application, *id),
            Need::PartsOf(Kind::Sheet, *id),
        ]
    });
    [Need::All(Kind::PitchSession)]
        .into_iter()
        .chain(turns.map(|id| Need::OfOrganisation(Kind::Slot, id)))
        .chain(scored)
        .collect()
}

fn content(source: &Source<'_>) -> Option<Paper> {
    let format = source.programme()?.roadshow;
    let sittings = source.all::<PitchSession>();
    // A sitting is for everybody once its order is public; what fell through before that never was.
    let public = sittings
        .iter()
        .filter(|one| ["published", "running", "held"].contains(&one.stage));
    let turns = turns(source);
    let scored = scored(source);
    let is_everybodys = turns.is_empty() && scored.is_empty();
    let happenings = public
        .filter(|one| {
            let list: BTreeSet<String> = one.read("list").unwrap_or_default();
            is_everybodys || !list.is_disjoint(&scored)
        })
        .filter_map(|one| happening(source, one, &format))
        .chain(turns);
    Some(Paper {
        happenings: happenings.collect(),
        ..Paper::default()
    })
}

/// The numbers of what the reader scores in the roadshow.
fn scored(source: &Source<'_>) -> BTreeSet<String> {
    let sheets = source.all::<Sheet>().into_iter();
    sheets
        .filter(|sheet| sheet.read("round") == Some(Round::Roadshow))
        .filter(|sheet| ["pending", "draft", "submitted"].contains(&sheet.stage))
        .filter_map(|sheet| source.one(Kind::Application, sheet.read("subject")?))
        .map(|application| application.text("number"))
        .collect()
}

/// The turns of the reader's own organisations.
fn turns(source: &Source<'_>) -> Vec<Happening> {
    let slots = source.all::<Slot>();
    slots.iter().filter_map(|slot| turn(source, slot)).collect()
}

fn turn(source: &Source<'_>, slot: &View) -> Option<Happening> {
    let turn: Turn = slot.read("turn")?;
    let (number, position) = (&turn.number, turn.position);
    Some(Happening {
        uid: format!("{}@fundcycle", slot.id),
        settled_at: slot.dated(),
        when: When::Between(turn.starts_at, turn.ends_at),
        summary: source
            .language
            .choose(format!("路演:{number}"), format!("Pitch: {number}")),
        place: turn.room.clone(),
        description: source
            .language
            .choose(format!("第{position}个出场"), format!("turn {position}")),
        cancelled: ["cancelled", "withdrawn"].contains(&slot.stage),
    })
}
