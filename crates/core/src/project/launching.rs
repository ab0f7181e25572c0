//! When and where a project begins in public: said freely, with what there is to know about the day and
//! the place (`domain.md` §2.11).

use jiff::civil::Date;

use super::{Event, Launch, Project, RUNNING};
use crate::aggregate::Record;
use crate::context::Context;
use crate::rejection::{Fault, Rejection};
use crate::world::World;

/// The longest name of a place, a host, a guest or a medium, in characters.
const LONGEST_NAME: usize = 200;

/// The people of a launch.
pub(super) struct People {
    /// Who hosts.
    pub(super) host: Option<String>,
    /// Who is expected.
    pub(super) guests: Vec<String>,
    /// Which media are invited.
    pub(super) media: Vec<String>,
}

/// The launch as planned: any day and any place will do; what kind of day it is and how many others
/// launch there on that day is noted.
pub(super) fn scheduled(
    record: &Record<Project>,
    date: Date,
    venue: Option<String>,
    people: People,
    cx: &Context<'_>,
) -> Result<Event, Rejection> {
    let mut faults = Vec::new();
    let mut named = |at: &str, name: &str| faults.extend(Fault::of_text(at, name, LONGEST_NAME));
    if let Some(venue) = &venue {
        named("/venue", venue);
    }
    if let Some(host) = &people.host {
        named("/host", host);
    }
    for (list, names) in [("guests", &people.guests), ("media", &people.media)] {
        for (index, name) in names.iter().enumerate() {
            named(&format!("/{list}/{index}"), name);
        }
    }
    Rejection::unless_empty(faults)?;
    let People {
        host,
        guests,
        media,
    } = people;
    let launch = Launch {
        date,
        day_kind: cx.calendar.day_kind(date).ok(),
        venue,
    };
    Ok(Event::LaunchScheduled {
        same_venue: same_venue(record, &launch, cx.world),
        launch,
        host,
        guests,
        media,
    })
}

/// How many other projects of the world launch there on that day; those that have been stopped do not.
fn same_venue(record: &Record<Project>, launch: &Launch, world: &World) -> u32 {
    let others = world.all::<Project>().filter(|other| {
        let theirs = other.data.launch.as_ref();
        other.id != record.id
            && RUNNING.contains(&other.stage)
            && theirs.is_some_and(|theirs| theirs.meets(launch))
    });
    u32::try_from(others.count()).unwrap_or(u32::MAX)
}
