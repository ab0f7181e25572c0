//! Sorting whole numbers in time that grows no faster than their count.

/// The most bits that one pass sorts by: its counters fit in the fastest memory.
const WIDEST: u32 = 12;

/// Below this many, comparing is faster.
const FEW: usize = 128;

/// The order of the places in `values` from the highest value to the lowest, equal ones as they
/// stand, those without a value last.
pub(crate) fn highest_first<I>(values: I) -> Vec<usize>
where
    I: ExactSizeIterator<Item = Option<i128>> + Clone,
{
    let highest = values.clone().flatten().max().unwrap_or(0);
    // What sorts is in the upper half, the place in the lower.
    let mut keys: Vec<u64> = Vec::with_capacity(values.len());
    let mut without = Vec::new();
    for (index, value) in values.clone().enumerate() {
        let Some(value) = value else {
            without.push(index);
            continue;
        };
        let below = highest.checked_sub(value).map(u32::try_from);
        let (Some(Ok(below)), Ok(place)) = (below, u32::try_from(index)) else {
            return by_comparing(values);
        };
        keys.push(u64::from(below) << 32 | u64::from(place));
    }
    sort(&mut keys);
    let place = |key: u64| usize::try_from(key & u64::from(u32::MAX)).unwrap_or(usize::MAX);
    keys.into_iter().map(place).chain(without).collect()
}

/// The same for values too far apart, or too many, for such keys.
fn by_comparing(values: impl Iterator<Item = Option<i128>>) -> Vec<usize> {
    let mut order: Vec<(Option<i128>, usize)> = values.zip(0..).collect();
    order.sort_unstable_by_key(|(value, index)| (std::cmp::Reverse(*value), *index));
    order.into_iter().map(|(_, index)| index).collect()
}

/// Sorts keys whose lower halves ascend: by the upper half, digit by digit from the lowest.
fn sort(keys: &mut Vec<u64>) {
    if keys.len() < FEW {
        keys.sort_unstable();
        return;
    }
    let highest = keys.iter().map(|key| key >> 32).max().unwrap_or(0);
    let bits = u64::BITS - highest.leading_zeros();
    let passes = bits.div_ceil(WIDEST);
    let width = bits
        .checked_div(passes)
        .map_or(0, |_| bits.div_ceil(passes));
    let mask = (1_u64 << width) - 1;
    let mut sorted = vec![0; keys.len()];
    for pass in 0..passes {
        let shift = 32 + pass * width;
        let digit = |key: u64| usize::try_from(key >> shift & mask).unwrap_or(0);
        // How many there are of each digit, then where those of each begin.
        let mut next = vec![0_usize; 1 << width];
        for key in &*keys {
            if let Some(count) = next.get_mut(digit(*key)) {
                *count += 1;
            }
        }
        let mut start = 0;
        for slot in &mut next {
            start += std::mem::replace(slot, start);
        }
        for key in &*keys {
            let Some(slot) = next.get_mut(digit(*key)) else {
                continue;
            };
            if let Some(place) = sorted.get_mut(*slot) {
                *place = *key;
            }
            *slot += 1;
        }
        std::mem::swap(keys, &mut sorted);
    }
}

#[cfg(test)]
mod tests {
    use super::{by_comparing, highest_first};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_sort_as_comparing_does(
            values in prop::collection::vec(
                prop::option::weighted(0.9, prop_oneof![0..50_i128, any::<i64>().prop_map(i128::from), any::<i128>()]),
                0..400,
            ),
            narrow in any::<bool>(),
        ) {
            let narrow = |value: i128| if narrow { value % 5_000 } else { value };
            let values: Vec<Option<i128>> = values.into_iter().map(|value| value.map(narrow)).collect();
            prop_assert_eq!(highest_first(values.iter().copied()), by_comparing(values.iter().copied()));
        }
    }
}
