//! What clients know: when they asked, and when they were told that it is done. Held against the journal.

use std::collections::BTreeMap;

/// A moment, by a counter that all clients share: what has the smaller one was earlier.
pub(super) type Moment = u64;

/// One command of one client.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// What it writes; nobody else ever writes the same.
    pub(super) text: String,
    /// When it was first sent.
    pub(super) began: Moment,
    /// When its acknowledgement came; none: nobody knows whether it happened.
    pub(super) acknowledged: Option<Moment>,
}

/// All that the clients know.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    asked: BTreeMap<String, Asked>,
    left_open: usize,
}

impl Ledger {
    /// Notes what a client learned about one of its commands.
    pub(super) fn note(&mut self, asked: Asked) {
        if asked.acknowledged.is_none() {
            self.left_open += 1;
        }
        let known = self
            .asked
            .entry(asked.text.clone())
            .or_insert_with(|| asked.clone());
        // It was first sent when it was first sent, and acknowledged once for all.
        known.acknowledged = known.acknowledged.or(asked.acknowledged);
    }

    /// How many were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        let all = self.asked.values();
        all.filter(|asked| asked.acknowledged.is_some()).count()
    }

    /// How often a client did not learn whether its command happened.
    pub(super) const fn left_open(&self) -> usize {
        self.left_open
    }

    /// How many acknowledged commands the journal does not have. Panics if it has one twice, one that nobody
    /// asked, or one before another that was acknowledged before it was asked.
    pub(super) fn held_against(&self, journal: &[String]) -> usize {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut latest: Moment = 0;
        for (place, text) in journal.iter().enumerate() {
            let asked = self.asked.get(text);
            let asked = asked.unwrap_or_else(|| panic!("{text} was never asked"));
            assert!(
                places.insert(text, place).is_none(),
                "{text} happened twice"
            );
            // Everything before it in the journal began before it was acknowledged.
            latest = latest.max(asked.began);
            if let Some(acknowledged) = asked.acknowledged {
                assert!(
                    latest < acknowledged,
                    "{text} stands behind what came later"
                );
            }
        }
        let acknowledged = self
            .asked
            .values()
            .filter(|asked| asked.acknowledged.is_some());
        acknowledged
            .filter(|asked| !places.contains_key(asked.text.as_str()))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Ledger};

    fn ledger(asked: &[(&str, u64, Option<u64>)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (text, began, acknowledged) in asked {
            ledger.note(Asked {
                text: (*text).to_owned(),
                began: *began,
                acknowledged: *acknowledged,
            });
        }
        ledger
    }

    fn held(asked: &[(&str, u64, Option<u64>)], journal: &[&str]) -> usize {
        let journal: Vec<String> = journal.iter().map(|text| (*text).to_owned()).collect();
        ledger(asked).held_against(&journal)
    }

    #[test]
    fn what_is_missing_is_counted_and_what_is_open_may_be_either() {
        let asked = [("a", 1, Some(2)), ("b", 3, None), ("c", 4, Some(5))];
        assert_eq!(held(&asked, &["a", "c"]), 0);
        assert_eq!(held(&asked, &["a", "b", "c"]), 0);
        assert_eq!(held(&asked, &["b"]), 2);
    }

    #[test]
    #[should_panic(expected = "happened twice")]
    fn twice_is_found() {
        held(&[("a", 1, Some(2))], &["a", "a"]);
    }

    #[test]
    #[should_panic(expected = "never asked")]
    fn what_nobody_asked_is_found() {
        held(&[("a", 1, Some(2))], &["a", "b"]);
    }

    #[test]
    #[should_panic(expected = "behind what came later")]
    fn a_wrong_order_is_found() {
        held(&[("a", 1, Some(2)), ("b", 3, Some(4))], &["b", "a"]);
    }
}
