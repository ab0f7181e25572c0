//! Who pitches in which sitting: a pure function of the rooms, the times and the shortlist.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Frame, Sitting};
use crate::policy::document::RoadshowFormat;
use crate::time::Timestamp;

/// Milliseconds in a minute.
const MINUTE: i64 = 60_000;

/// An application that is to pitch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pitch {
    /// Its number, by which pitches are put in order.
    pub number: String,
    /// Which application.
    pub application: Uuid,
    /// Its domain.
    pub domain: String,
}

/// More pitches than can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// How many can be heard.
    pub capacity: usize,
    /// How many there are.
    pub pitches: usize,
}

/// How many pitches of `format` fit between two moments; none is cut short.
pub fn capacity(format: &RoadshowFormat, from: Timestamp, until: Timestamp) -> usize {
    let (length, pace) = lengths(format);
    let time = until.0.saturating_sub(from.0);
    if time < length || pace <= 0 {
        return 0;
    }
    // The last pitch needs no changeover.
    usize::try_from((time - length) / pace + 1).unwrap_or(0)
}

/// When a sitting of `pitches` that begins at `from` is over.
pub fn end_of(format: &RoadshowFormat, from: Timestamp, pitches: usize) -> Timestamp {
    let (length, pace) = lengths(format);
    let more = i64::try_from(pitches.saturating_sub(1)).unwrap_or(i64::MAX);
    Timestamp(
        from.0
            .saturating_add(pace.saturating_mul(more))
            .saturating_add(length),
    )
}

/// How long a pitch takes with its questions, and from the beginning of one to that of the next.
fn lengths(format: &RoadshowFormat) -> (i64, i64) {
    let minutes = |minutes: u32| i64::from(minutes) * MINUTE;
    let length = minutes(format.present_minutes) + minutes(format.question_minutes);
    (length, length + minutes(format.changeover_minutes))
}

/// A room at a time, while it is being filled.
struct Place<'a> {
    room: &'a str,
    from: Timestamp,
    free: usize,
    pitches: Vec<&'a Pitch>,
}

/// The sittings in which all `pitches` are heard, earliest first and rooms in the order given.
///
/// By domain: the largest domain first, each in the first place where all of it fits; one that fits
/// nowhere as a whole is divided over the places with most room. Otherwise by number. Nothing is
/// left to chance: who comes first within a sitting is drawn by lots later.
///
/// # Errors
///
/// [`Shortage`] where rooms and times do not suffice.
pub fn arrange(
    frame: &Frame,
    format: &RoadshowFormat,
    pitches: &BTreeSet<Pitch>,
) -> Result<Vec<Sitting>, Shortage> {
    let mut places: Vec<Place<'_>> = frame
        .windows
        .iter()
        .flat_map(|window| frame.rooms.iter().map(move |room| (window, room)))
        .map(|(window, room)| Place {
            room,
            from: window.from,
            free: capacity(format, window.from, window.until),
            pitches: Vec::new(),
        })
        .collect();
    places.sort_by_key(|place| place.from);
    let capacity = places.iter().map(|place| place.free).sum();
    if capacity < pitches.len() {
        return Err(Shortage {
            capacity,
            pitches: pitches.len(),
        });
    }
    for group in groups(frame, pitches) {
        let mut rest = group.as_slice();
        while !rest.is_empty() {
            let whole = places.iter().position(|place| rest.len() <= place.free);
            // Of places with equally much room the first, which comes last when read backwards.
            let largest = (0..places.len())
                .rev()
                .max_by_key(|&index| places[index].free);
            let Some(place) = whole.or(largest).and_then(|index| places.get_mut(index)) else {
                break;
            };
            let (here, later) = rest.split_at(rest.len().min(place.free));
            place.pitches.extend(here);
            place.free -= here.len();
            rest = later;
        }
    }
    let filled = places.iter().filter(|place| !place.pitches.is_empty());
    Ok((1..)
        .zip(filled)
        .map(|(nth, place): (u32, _)| Sitting {
            name: format!("第{nth}场"),
            room: place.room.to_owned(),
            starts_at: place.from,
            ends_at: end_of(format, place.from, place.pitches.len()),
            pitches: place
                .pitches
                .iter()
                .map(|pitch| (pitch.number.clone(), pitch.application))
                .collect(),
            domains: place
                .pitches
                .iter()
                .map(|pitch| pitch.domain.clone())
                .collect(),
        })
        .collect())
}

/// The pitches that belong together, in the order in which they are placed.
fn groups<'a>(frame: &Frame, pitches: &'a BTreeSet<Pitch>) -> Vec<Vec<&'a Pitch>> {
    if !frame.by_domain {
        // One by one: each place is filled before the next.
        return pitches.iter().map(|pitch| vec![pitch]).collect();
    }
    let mut by_domain: BTreeMap<&str, Vec<&Pitch>> = BTreeMap::new();
    for pitch in pitches {
        by_domain.entry(&pitch.domain).or_default().push(pitch);
    }
    let mut groups: Vec<Vec<&Pitch>> = by_domain.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::Window;
    use super::*;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp((hour * 60 + minute) * MINUTE)
    }

    fn pitches(of: &[(&str, usize)]) -> BTreeSet<Pitch> {
        let mut all = BTreeSet::new();
        for (domain, count) in of {
            for _ in 0..*count {
                let nth = all.len();
                all.insert(Pitch {
                    number: format!("WJ-{nth:02}"),
                    application: Uuid::from_u128(nth as u128),
                    domain: (*domain).to_owned(),
                });
            }
        }
        all
    }

    fn frame(rooms: &[&str], by_domain: bool) -> Frame {
        Frame {
            rooms: rooms.iter().map(|room| (*room).to_owned()).collect(),
            windows: vec![
                Window {
                    from: at(9, 0),
                    until: at(11, 30),
                },
                Window {
                    from: at(13, 30),
                    until: at(17, 0),
                },
            ],
            by_domain,
        }
    }

    #[test]
    fn a_half_day_holds_what_the_clock_says() {
        // 8 + 7 + 2: the example of `domain.md` §2.7, about twelve in a half-day.
        let format = RoadshowFormat::default();
        assert_eq!(capacity(&format, at(9, 0), at(12, 22)), 12);
        assert_eq!(capacity(&format, at(9, 0), at(12, 21)), 11);
        assert_eq!(capacity(&format, at(9, 0), at(9, 15)), 1);
        assert_eq!(capacity(&format, at(9, 0), at(9, 14)), 0);
        assert_eq!(capacity(&format, at(9, 0), at(8, 0)), 0);
        assert_eq!(end_of(&format, at(9, 0), 12), at(12, 22));
    }

    #[test]
    fn a_domain_stays_together_where_it_fits_and_everybody_is_heard_once() {
        // 8 in a morning, 12 in an afternoon; two rooms.
        let all = pitches(&[("养老", 9), ("助残", 7), ("青少年", 4), ("社区", 3)]);
        let sittings = arrange(
            &frame(&["甲", "乙"], true),
            &RoadshowFormat::default(),
            &all,
        )
        .unwrap();
        let placed: Vec<(&str, i64, Vec<&str>, usize)> = sittings
            .iter()
            .map(|one| {
                let domains = one.domains.iter().map(String::as_str).collect();
                (
                    one.room.as_str(),
                    one.starts_at.0 / (60 * MINUTE),
                    domains,
                    one.pitches.len(),
                )
            })
            .collect();
        assert_eq!(
            placed,
            [
                ("甲", 9, vec!["助残"], 7),
                ("乙", 9, vec!["社区", "青少年"], 7),
                ("甲", 13, vec!["养老"], 9),
            ]
        );
        let heard: BTreeSet<Uuid> = sittings.iter().flat_map(Sitting::applications).collect();
        let count: usize = sittings.iter().map(|one| one.pitches.len()).sum();
        assert_eq!((heard.len(), count), (all.len(), all.len()));
    }

    #[test]
    fn a_domain_too_large_for_any_place_is_divided() {
        let all = pitches(&[("养老", 25)]);
        let sittings = arrange(
            &frame(&["甲", "乙"], true),
            &RoadshowFormat::default(),
            &all,
        )
        .unwrap();
        let sizes: Vec<usize> = sittings.iter().map(|one| one.pitches.len()).collect();
        assert_eq!(sizes, [1, 12, 12]);
    }

    #[test]
    fn without_groups_places_are_filled_in_order_of_time_and_number() {
        let all = pitches(&[("养老", 5), ("助残", 5)]);
        let sittings = arrange(&frame(&["甲"], false), &RoadshowFormat::default(), &all).unwrap();
        let numbers: Vec<Vec<&str>> = sittings
            .iter()
            .map(|one| one.pitches.keys().map(String::as_str).collect())
            .collect();
        assert_eq!(numbers[0].first(), Some(&"WJ-00"));
        assert_eq!(numbers[1], ["WJ-08", "WJ-09"]);
    }

    #[test]
    fn too_little_time_is_said_with_both_numbers() {
        let all = pitches(&[("养老", 21)]);
        let refused = arrange(&frame(&["甲"], true), &RoadshowFormat::default(), &all);
        assert_eq!(
            refused,
            Err(Shortage {
                capacity: 20,
                pitches: 21
            })
        );
    }
}
