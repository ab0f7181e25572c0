//! What a timetable asks of a room or a person twice at once, and who sits where they have an interest.
//! Warnings: people may know better.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Clash, ClashOf, Sitting};
use crate::aggregate::Record;
use crate::application::Application;
use crate::context::Context;
use crate::expert::{self, Expert};
use crate::panel::{self, Panel, interests_in};
use crate::pitch_session::{self, PitchSession};
use crate::policy::Round;
use crate::sheet::{self, Sheet};

use super::arrange::end_of;

/// Every clash of `sittings` with one another and with the sessions in `others`.
pub(super) fn clashes(
    sittings: &[Sitting],
    others: &[&Record<PitchSession>],
    cx: &Context<'_>,
) -> Vec<Clash> {
    let format = cx
        .policy()
        .map(|policy| policy.roadshow.clone())
        .unwrap_or_default();
    let planned = sittings.iter().map(|one| Busy {
        name: one.name.clone(),
        room: one.room.clone(),
        from: one.starts_at.0,
        until: one.ends_at.0,
        applications: one.applications().collect(),
    });
    let standing = others.iter().map(|session| {
        let data = &session.data;
        Busy {
            name: data.name.clone(),
            room: data.room.clone(),
            from: data.starts_at.0,
            until: end_of(&format, data.starts_at, data.applications.len()).0,
            applications: data.applications.clone(),
        }
    });
    let all: Vec<Busy> = planned.chain(standing).collect();
    let mut found = Vec::new();
    for (index, first) in all.iter().enumerate().take(sittings.len()) {
        for second in all
            .iter()
            .skip(index + 1)
            .filter(|other| first.overlaps(other))
        {
            let clash = |what, about| Clash {
                what,
                sittings: vec![first.name.clone(), second.name.clone()],
                about,
            };
            if first.room == second.room {
                found.push(clash(ClashOf::Room, first.room.clone()));
            }
            let presenters = &presenters(first, cx) & &presenters(second, cx);
            found.extend(
                presenters
                    .into_iter()
                    .map(|who| clash(ClashOf::Presenter, who)),
            );
            let experts = &experts(first, cx) & &experts(second, cx);
            found.extend(
                experts
                    .into_iter()
                    .map(|who| clash(ClashOf::Expert, who.to_string())),
            );
        }
        found.extend(interests(first, cx));
    }
    found
}

/// A room in use.
struct Busy {
    name: String,
    room: String,
    from: i64,
    until: i64,
    applications: BTreeSet<Uuid>,
}

impl Busy {
    const fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// Who presents: organisation and project lead together, since one person may lead two projects.
fn presenters(sitting: &Busy, cx: &Context<'_>) -> BTreeSet<String> {
    let applications = sitting
        .applications
        .iter()
        .filter_map(|id| cx.world.get::<Application>(*id));
    applications
        .filter_map(|one| {
            let lead = one.data.form.lead.trim();
            let organisation = one.data.organisation?;
            (!lead.is_empty()).then(|| format!("{lead} ({organisation})"))
        })
        .collect()
}

/// Who has a sheet of the roadshow for something that is pitched here.
fn experts(sitting: &Busy, cx: &Context<'_>) -> BTreeSet<Uuid> {
    let sheets = cx.world.all::<Sheet>();
    sheets
        .filter(|sheet| {
            use sheet::Stage::{Draft, Pending, Submitted};
            sheet.data.round == Some(Round::Roadshow)
                && matches!(sheet.stage, Pending | Draft | Submitted)
                && sheet
                    .data
                    .subject
                    .is_some_and(|id| sitting.applications.contains(&id))
        })
        .filter_map(|sheet| sheet.data.expert)
        .collect()
}

/// The members of the panel of the roadshow, while it is at work.
pub(super) fn members<'a>(panels: impl Iterator<Item = &'a Record<Panel>>) -> BTreeSet<Uuid> {
    panels
        .filter(|panel| {
            panel.data.round == Some(Round::Roadshow)
                && matches!(panel.stage, panel::Stage::Forming | panel::Stage::Open)
        })
        .flat_map(|panel| panel.data.experts.iter().copied())
        .collect()
}

fn interests(sitting: &Busy, cx: &Context<'_>) -> Vec<Clash> {
    let members = members(cx.world.all::<Panel>());
    let experts: Vec<&Record<Expert>> = members
        .into_iter()
        .filter_map(|account| cx.world.get::<Expert>(expert::id_of(account)))
        .collect();
    let mut found = Vec::new();
    for application in &sitting.applications {
        let Some(one) = cx.world.get::<Application>(*application) else {
            continue;
        };
        let Some(number) = &one.data.number else {
            continue;
        };
        let interested = experts
            .iter()
            .filter(|expert| !interests_in(expert, *application, cx.journal, cx.world).is_empty());
        found.extend(interested.map(|expert| Clash {
            what: ClashOf::Interest,
            sittings: vec![sitting.name.clone()],
            about: format!("{number} {}", expert.data.account.unwrap_or_default()),
        }));
    }
    found
}

/// Sessions that are still to take place or under way.
pub(super) const fn is_ahead(stage: pitch_session::Stage) -> bool {
    !matches!(
        stage,
        pitch_session::Stage::Held | pitch_session::Stage::Cancelled
    )
}
