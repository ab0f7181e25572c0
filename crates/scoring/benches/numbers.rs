//! How long the numbers take, at the sizes that a province needs. `docs/benchmarks.md` has results.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fundcycle_scoring::{
    Affinity, Aggregation, AssignmentProblem, Bid, CalibrationRule, DomainLimits, Exact, Fairness,
    Method, Pair, Rounding, ScoreRow, ScoreTable, SelectionMode, SelectionRules, Yuan, allocate,
    assign, calibrate,
};

/// A small generator of test data: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Applications with 5 sheets each, of one expert per hundred applications, at least 10.
fn table(applications: u64) -> ScoreTable {
    let mut dice = Dice(1);
    let experts = (applications / 100).max(10);
    let mut rows = Vec::new();
    for application in 0..applications {
        let mut own = Vec::new();
        while own.len() < 5 {
            let expert = dice.below(experts);
            if !own.contains(&expert) {
                own.push(expert);
                let score = 6_000 + dice.below(3_000) + expert % 700;
                let score = Exact::ratio(score.into(), 100).unwrap();
                rows.push((format!("e{expert}"), format!("a{application}"), score));
            }
        }
    }
    let row = |(expert, application, score): &(String, String, Exact)| {
        (expert.clone(), application.clone(), score.clone())
    };
    let rows: Vec<(String, String, Exact)> = rows.iter().map(row).collect();
    ScoreTable::new(rows.iter().map(|(expert, application, score)| ScoreRow {
        expert,
        application,
        score: Some(score),
    }))
    .unwrap()
}

fn scores(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scores");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(4));
    for applications in [1_000, 10_000, 100_000] {
        let table = table(applications);
        group.throughput(Throughput::Elements(applications * 5));
        let mean = Aggregation::default();
        let trimmed = Aggregation {
            method: Method::TrimmedMean,
            drop_high: 1,
            drop_low: 1,
            ..mean.clone()
        };
        let mut calibrated = |name, rule: CalibrationRule| {
            group.bench_function(BenchmarkId::new(name, applications), |bench| {
                bench.iter(|| calibrate(&rule, &table).ranking(&table, 2, Rounding::HalfUp));
            });
        };
        calibrated("additive", CalibrationRule::Additive { ridge: Exact::ZERO });
        calibrated("z_score", CalibrationRule::ZScore);
        for (name, rule) in [("mean", mean), ("trimmed_mean", trimmed)] {
            group.bench_function(BenchmarkId::new(name, applications), |bench| {
                bench.iter(|| table.ranking(&rule));
            });
        }
    }
}

/// Every pair listed, hundredths from 0 to 1; some experts are sought after; 8 % conflicts.
fn assignment(applications: u64, experts: u64, each: u32, max_load: u32) -> AssignmentProblem {
    let mut dice = Dice(2);
    let (mut affinities, mut conflicts) = (Vec::new(), Vec::new());
    for a in 0..applications {
        for e in 0..experts {
            let (application, expert) = (format!("a{a}"), format!("e{e}"));
            if dice.below(100) < 8 {
                conflicts.push(Pair {
                    application,
                    expert,
                });
            } else {
                let value = dice.below(80) + (e % 5) * dice.below(6);
                let affinity = Exact::ratio(value.into(), 100).unwrap();
                affinities.push(Affinity {
                    application,
                    expert,
                    affinity,
                });
            }
        }
    }
    AssignmentProblem {
        applications: (0..applications).map(|a| format!("a{a}")).collect(),
        experts: (0..experts).map(|e| format!("e{e}")).collect(),
        affinities,
        conflicts,
        per_application: each,
        max_load,
        ..AssignmentProblem::default()
    }
}

fn assignments(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("assignment");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    for (applications, experts, load) in [(100, 20, 28), (1_000, 50, 110), (5_000, 500, 55)] {
        let problem = assignment(applications, experts, 5, load);
        let name = format!("total {applications} x {experts} x 5");
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let best = assign(&problem).unwrap();
                assert_eq!(best.objective, best.bound);
            });
        });
    }
    let mut problem = assignment(118, 177, 3, 4);
    problem.fairness = Fairness::WorstFirst;
    group.bench_function("worst first 118 x 177 x 3", |bench| {
        bench.iter(|| {
            let best = assign(&problem).unwrap();
            assert_eq!(best.objective, best.bound);
            assert_eq!(Some(best.minimum_application_affinity), best.minimum_bound);
        });
    });
}

/// How hard bids make it to find the best set.
#[derive(Clone, Copy, Debug)]
enum Bidding {
    /// Scores and amounts have nothing to do with each other; amounts in hundreds of yuan.
    Plain,
    /// The same with amounts to the fen.
    ToTheFen,
    /// Whoever asks for more has the higher score, by the same rate.
    Correlated,
    /// All have the same score.
    EqualScores,
    /// There are four amounts only.
    EqualAmounts,
}

/// Bids of 8 domains, three per two organisations.
fn bids(count: u64, bidding: Bidding) -> Vec<Bid> {
    let mut dice = Dice(3);
    let bid = |index: u64| {
        let organisation = format!("o{}", dice.below(count * 2 / 3));
        let domain = format!("d{}", dice.below(8));
        let score = 5_000 + dice.below(4_800);
        let hundreds = 300 + dice.below(2_700);
        let (score, fen) = match bidding {
            Bidding::Plain => (score, hundreds * 10_000),
            Bidding::ToTheFen => (score, hundreds * 10_000 + dice.below(10_000)),
            Bidding::Correlated => (6_000 + hundreds, hundreds * 10_000),
            Bidding::EqualScores => (8_000, hundreds * 10_000),
            Bidding::EqualAmounts => (score, (1 + hundreds % 4) * 5_000_000),
        };
        Bid {
            application: format!("a{index}"),
            organisation,
            domain,
            street: None,
            score: Exact::ratio(score.into(), 100).unwrap(),
            requested_fen: i64::try_from(fen).unwrap(),
            recommended_fen: None,
        }
    };
    (0..count).map(bid).collect()
}

/// A fifth of what is asked for; one award per organisation; of each domain at least one, at most a
/// sixteenth of all bids (or, if counts bind, a fiftieth) and a quarter of the money.
fn rules(bids: &[Bid], counts_bind: bool, mode: SelectionMode) -> SelectionRules {
    let count = bids.len();
    let budget = bids.iter().map(|bid| bid.requested_fen).sum::<i64>() / 5;
    let part = if counts_bind { 50 } else { 16 };
    SelectionRules {
        mode,
        max_per_organisation: Some(1),
        every_domain: DomainLimits {
            min: (200 <= count).then_some(1),
            max: Some(u32::try_from(count / part + 1).unwrap()),
            min_amount: None,
            max_amount: Yuan::from_fen(budget / 4),
        },
        pass_line: Some(Exact::from_integer(60)),
        ..SelectionRules::with_budget(Yuan::from_fen(budget).unwrap())
    }
}

/// A fifth of what is asked for; one award per organisation; so many domains may have no more than 60 to
/// 90 % of an eighth of the money.
fn money_binds(bids: &[Bid], capped: i64) -> SelectionRules {
    let budget = bids.iter().map(|bid| bid.requested_fen).sum::<i64>() / 5;
    let domain = |number: i64| {
        let limits = DomainLimits {
            max_amount: Yuan::from_fen(budget / 8 * (6 + number % 4) / 10),
            ..DomainLimits::default()
        };
        (format!("d{number}"), limits)
    };
    SelectionRules {
        mode: SelectionMode::Optimal,
        max_per_organisation: Some(1),
        domain: (0..capped).map(domain).collect(),
        ..SelectionRules::with_budget(Yuan::from_fen(budget).unwrap())
    }
}

fn selections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("selection");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    let mut measure = |name: &str, bids: &[Bid], rules: &SelectionRules| {
        group.bench_function(BenchmarkId::new(name, bids.len()), |bench| {
            bench.iter(|| {
                let selection = allocate(rules, bids).unwrap();
                let certificate = selection.certificate.as_ref();
                assert!(certificate.is_none_or(|proof| proof.gap == Exact::ZERO));
                assert_eq!(certificate.is_some(), rules.mode == SelectionMode::Optimal);
            });
        });
    };
    for count in [20, 200, 2_000] {
        let bids = bids(count, Bidding::Plain);
        for mode in [SelectionMode::RankOrder, SelectionMode::Optimal] {
            measure(&format!("{mode:?}"), &bids, &rules(&bids, false, mode));
        }
    }
    for bidding in [
        Bidding::ToTheFen,
        Bidding::Correlated,
        Bidding::EqualScores,
        Bidding::EqualAmounts,
    ] {
        let bids = bids(2_000, bidding);
        let rules = rules(&bids, false, SelectionMode::Optimal);
        measure(&format!("Optimal, {bidding:?}"), &bids, &rules);
    }
    let plain = bids(2_000, Bidding::Plain);
    let binding = rules(&plain, true, SelectionMode::Optimal);
    measure("Optimal, counts bind", &plain, &binding);
    for bidding in [Bidding::Plain, Bidding::ToTheFen] {
        let bids = bids(2_000, bidding);
        for capped in [2, 5, 8] {
            let name = format!("Optimal, {bidding:?}, money of {capped} domains binds");
            measure(&name, &bids, &money_binds(&bids, capped));
        }
    }
}

criterion_group!(benches, scores, assignments, selections);
criterion_main!(benches);
