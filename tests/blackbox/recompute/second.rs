//! A second implementation of what decides: sheets to scores, scores to places, places to awards.
//! Written from `domain.md` §5 for what the Wujin policy uses, on JSON and fractions alone.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Add, Mul};

use serde_json::{Map, Value, json};

/// A fraction in lowest terms, the lower part positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fraction(i128, i128);

impl Fraction {
    const ZERO: Self = Self(0, 1);

    fn new(above: i128, below: i128) -> Self {
        let (mut a, mut b) = (above.abs(), below.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = a.max(1) * below.signum();
        Self(above / divisor, below / divisor)
    }

    /// Reads `88`, `87.67` or `263/3`, as a text or a number.
    pub(super) fn of(value: &Value) -> Self {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let Some((above, below)) = text.split_once('/') {
            return Self::new(above.parse().unwrap(), below.parse().unwrap());
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let below = 10_i128.pow(u32::try_from(decimals.len()).unwrap());
        Self::new(format!("{whole}{decimals}").parse().unwrap(), below)
    }

    /// To `scale` decimals, half of the last one up.
    fn rounded(self, scale: &Value) -> Self {
        let unit = 10_i128.pow(u32::try_from(scale.as_u64().unwrap()).unwrap());
        let twice = 2 * self.0 * unit + self.1;
        Self::new(twice.div_euclid(2 * self.1), unit)
    }
}

impl Add for Fraction {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }
}

impl Mul for Fraction {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::new(self.0 * other.0, self.1 * other.1)
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0 * other.1).cmp(&(other.0 * self.1))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Fraction {
    /// As the API writes it: a decimal where it ends, and else a fraction.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for scale in 0..30 {
            let unit = 10_i128.pow(scale);
            if unit % self.1 == 0 {
                let digits = (self.0 * (unit / self.1)).to_string();
                if scale == 0 {
                    return write!(out, "{digits}");
                }
                let scale = usize::try_from(scale).unwrap();
                let digits = format!("{digits:0>width$}", width = scale + 1);
                let (whole, decimals) = digits.split_at(digits.len() - scale);
                return write!(out, "{whole}.{decimals}");
            }
        }
        write!(out, "{}/{}", self.0, self.1)
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

/// The total of a sheet: its marks by the weights of a rubric without branches.
pub(super) fn total(rubric: &Value, marks: &Value) -> Fraction {
    let criteria = list(&rubric["criteria"]).iter();
    criteria.fold(Fraction::ZERO, |sum, criterion| {
        assert!(
            criterion
                .get("criteria")
                .is_none_or(|below| list(below).is_empty())
        );
        let weight = criterion.get("weight").map_or(Fraction(1, 1), Fraction::of);
        let key = criterion["key"].as_str().unwrap();
        sum + Fraction::of(&marks["scores"][key]) * weight
    })
}

fn mean(scores: &[(Fraction, &str)]) -> Fraction {
    let sum = scores.iter().fold(Fraction::ZERO, |sum, one| sum + one.0);
    sum * Fraction::new(1, scores.len() as i128)
}

/// Mean, or mean without the highest and lowest: the score, who counts, and who was left out.
fn aggregated<'a>(
    rule: &Value,
    totals: &'a Map<String, Value>,
) -> (Fraction, BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let mut scores: Vec<(Fraction, &str)> = totals
        .iter()
        .map(|(expert, total)| (Fraction::of(total), expert.as_str()))
        .collect();
    scores.sort();
    let count = |name: &str| usize::try_from(rule[name].as_u64().unwrap()).unwrap();
    let (low, high) = match rule["method"].as_str().unwrap() {
        "mean" => (0, 0),
        "trimmed_mean" => (count("drop_low"), count("drop_high")),
        other => panic!("{other} is not among what the policy uses"),
    };
    let trims = scores.len() >= low + high + count("min_remaining");
    let kept = if trims {
        low..scores.len() - high
    } else {
        0..scores.len()
    };
    let used = scores[kept.clone()].iter().map(|one| one.1).collect();
    let dropped = (0..scores.len()).filter(|index| !kept.contains(index));
    let dropped = dropped.map(|index| scores[index].1).collect();
    (mean(&scores[kept]), used, dropped)
}

/// Which of two goes first, and the link of the chain that says so where the scores are equal.
fn order(
    chain: &[Value],
    a: (&Fraction, &Value),
    b: (&Fraction, &Value),
) -> (Ordering, Option<String>) {
    let by_score = b.0.cmp(a.0);
    if by_score.is_ne() {
        return (by_score, None);
    }
    for link in chain {
        let name = link["by"].as_str().unwrap();
        let value = |keys: &Value| keys.get(name).map(Fraction::of);
        let ordering = match (value(a.1), value(b.1)) {
            (Some(a), Some(b)) if link["order"] == "lower" => a.cmp(&b),
            (Some(a), Some(b)) => b.cmp(&a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        if ordering.is_ne() {
            return (ordering, Some(name.to_owned()));
        }
    }
    (Ordering::Equal, None)
}

/// Places: the index of each in the order, its rank, and what decided between it and a neighbour.
fn places(policy: &Value, all: &[(Fraction, Value)]) -> Vec<(usize, usize, Value)> {
    let chain = list(&policy["ranking"]["tie_breaks"]);
    let compare = |a: usize, b: usize| order(chain, (&all[a].0, &all[a].1), (&all[b].0, &all[b].1));
    let mut sorted: Vec<usize> = (0..all.len()).collect();
    sorted.sort_by(|a, b| compare(*a, *b).0);
    let place = |at: usize| {
        let own = sorted[at];
        let before = sorted
            .iter()
            .filter(|other| compare(**other, own).0.is_lt());
        let (ahead, behind): (Vec<usize>, Vec<usize>) = sorted
            .iter()
            .copied()
            .filter(|other| compare(*other, own).0.is_ne())
            .partition(|other| compare(*other, own).0.is_lt());
        let neighbours = [ahead.last(), behind.first()];
        let decided = neighbours
            .into_iter()
            .flatten()
            .find_map(|other| compare(*other, own).1);
        (own, before.count() + 1, json!(decided))
    };
    (0..all.len()).map(place).collect()
}

/// What the inputs of a round add up to, as the API writes it, best first.
pub(super) fn results(policy: &Value, round: &str, inputs: &[Value]) -> Vec<Value> {
    let rules = &policy["rounds"][round];
    let scored: Vec<_> = inputs
        .iter()
        .map(|input| aggregated(&rules["aggregation"], object(&input["totals"])))
        .collect();
    let rounded = |index: usize| scored[index].0.rounded(&rules["aggregation"]["scale"]);
    let ranked: Vec<(Fraction, Value)> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| (rounded(index), input["keys"].clone()))
        .collect();
    let places = places(policy, &ranked).into_iter();
    places
        .map(|(index, rank, decided_by)| {
            let (exact, used, dropped) = &scored[index];
            let passes = rules
                .get("pass_line")
                .is_none_or(|line| Fraction::of(line) <= rounded(index));
            let within = rules
                .get("shortlist")
                .is_none_or(|most| rank as u64 <= most.as_u64().unwrap());
            let vetoed = inputs[index]["vetoed"] == true;
            let stopped = [(vetoed, "veto"), (!passes, "pass_line"), (!within, "shortlist")];
            let stopped = stopped.iter().find(|one| one.0);
            let mut outcome = json!({
                "input": inputs[index],
                "score": { "exact": exact.to_string(), "rounded": rounded(index).to_string(), "rank": rank },
                "used": used, "dropped": dropped, "decided_by": decided_by,
                "goes_on": stopped.is_none(),
            });
            if let Some((_, rule)) = stopped {
                outcome["stopped_by"] = json!(rule);
            }
            outcome
        })
        .collect()
}

/// The score that ranks: the rounds by their weights, rounded once.
pub(super) fn combined(policy: &Value, rounds: &Value) -> String {
    let sum = object(rounds)
        .iter()
        .fold(Fraction::ZERO, |sum, (round, exact)| {
            sum + Fraction::of(exact) * Fraction::of(&policy["rounds"][round.as_str()]["weight"])
        });
    sum.rounded(&policy["ranking"]["scale"]).to_string()
}

/// Money and projects given so far.
#[derive(Default)]
struct Given<'a> {
    fen: i64,
    of_organisation: BTreeMap<&'a str, u64>,
    of_domain: BTreeMap<&'a str, u64>,
}

/// Number, rank, what decided a tie, decision and award of each application, best first: the
/// minimums of the domains, then rank order under the maximums until the money runs out.
pub(super) fn selected(policy: &Value, inputs: &[Value]) -> Vec<Value> {
    let rules = &policy["selection"];
    assert_eq!(
        (&rules["mode"], &rules["when_short"]),
        (&json!("rank_order"), &json!("stop"))
    );
    let all: Vec<(Fraction, Value)> = inputs
        .iter()
        .map(|input| (Fraction::of(&input["score"]), input["keys"].clone()))
        .collect();
    let budget = Fraction::of(&rules["budget"]) * Fraction(100, 1);
    assert_eq!(budget.1, 1);
    let order = places(policy, &all);
    let text = |index: usize, name: &str| inputs[index][name].as_str().unwrap();
    let limit = |domain: &str, name: &str| {
        let own = rules["domain"].get(domain).and_then(|own| own.get(name));
        let every = own.or_else(|| rules["every_domain"].get(name));
        every.and_then(Value::as_u64)
    };
    let mut given = Given::default();
    let mut funded = BTreeSet::new();
    let mut over = false;
    for minimums in [true, false] {
        for (index, ..) in &order {
            let (organisation, domain) = (text(*index, "organisation"), text(*index, "domain"));
            let has =
                |counts: &BTreeMap<&str, u64>, who: &str| counts.get(who).copied().unwrap_or(0);
            let (own, inside) = (
                has(&given.of_organisation, organisation),
                has(&given.of_domain, domain),
            );
            let passes = Fraction::of(&rules["pass_line"]) <= all[*index].0;
            let below = limit(domain, "min").is_some_and(|min| inside < min);
            let room = limit(domain, "max").is_none_or(|max| inside < max)
                && own < rules["max_per_organisation"].as_u64().unwrap();
            if !passes || !room || funded.contains(index) || (minimums && !below) || over {
                continue;
            }
            let requested = inputs[*index]["requested"].as_i64().unwrap();
            if i128::from(given.fen + requested) <= budget.0 {
                given.fen += requested;
                *given.of_organisation.entry(organisation).or_default() += 1;
                *given.of_domain.entry(domain).or_default() += 1;
                funded.insert(*index);
            } else {
                over = !minimums;
            }
        }
    }
    let mut reserve = rules["reserve"].as_u64().unwrap();
    order
        .iter()
        .map(|(index, rank, decided_by)| {
            let waits = Fraction::of(&rules["pass_line"]) <= all[*index].0 && 0 < reserve;
            let (decision, award) = if funded.contains(index) {
                ("funded", inputs[*index]["requested"].clone())
            } else if waits {
                reserve -= 1;
                ("reserve", json!(0))
            } else {
                ("not_funded", json!(0))
            };
            json!({
                "number": inputs[*index]["number"], "score": inputs[*index]["score"], "rank": rank,
                "decided_by": decided_by, "decision": decision, "award": award,
            })
        })
        .collect()
}

/// The numbers of the lines, for telling that something is at stake.
pub(super) fn numbers(lines: &[Value], decision: &str) -> Vec<String> {
    let mut numbers: Vec<String> = lines
        .iter()
        .filter(|line| line["decision"] == decision)
        .map(|line| line["number"].to_string())
        .collect();
    numbers.sort_by_key(|number| Reverse(number.clone()));
    numbers
}
