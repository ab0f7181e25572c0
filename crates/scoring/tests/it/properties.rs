//! What holds for scores of any table: the exact value, the same for every order of the rows.

use std::collections::BTreeMap;

use fundcycle_scoring::{
    Aggregation, CalibrationRule, Exact, Method, Placed, Rounding, ScoreRow, ScoreTable,
    SheetScore, aggregate, calibrate,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;

/// The thousandths that each expert (column) gives each application (row), if any.
type Sheets = Vec<Vec<Option<i64>>>;

/// Expert, application, thousandths.
type Row = (usize, usize, Option<i64>);

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    }
}

/// Few distinct values, so that there are ties, or many.
fn some_score() -> impl Strategy<Value = i64> {
    prop_oneof![(0..4_i64).prop_map(|tens| tens * 10_000), 0..120_000_i64]
}

fn some_sheets() -> impl Strategy<Value = Sheets> {
    (1..7_usize, 1..9_usize).prop_flat_map(|(experts, applications)| {
        let sheet = prop::option::weighted(0.7, some_score());
        prop::collection::vec(prop::collection::vec(sheet, experts), applications)
    })
}

fn rows_of(sheets: &Sheets) -> Vec<Row> {
    let rows = sheets.iter().enumerate();
    rows.flat_map(|(application, own)| {
        let own = own.iter().enumerate();
        own.map(move |(expert, score)| (expert, application, *score))
    })
    .collect()
}

fn points(thousandths: i64) -> Exact {
    Exact::ratio(thousandths.into(), 1_000).unwrap()
}

fn table(rows: &[Row]) -> ScoreTable {
    let rows: Vec<(String, String, Option<Exact>)> = rows
        .iter()
        .map(|(expert, application, score)| {
            let names = (format!("e{expert}"), format!("a{application}"));
            (names.0, names.1, score.map(points))
        })
        .collect();
    ScoreTable::new(rows.iter().map(|(expert, application, score)| ScoreRow {
        expert,
        application,
        score: score.as_ref(),
    }))
    .unwrap()
}

fn some_rule() -> impl Strategy<Value = Aggregation> {
    let method = prop::sample::select(vec![Method::Mean, Method::Median, Method::TrimmedMean]);
    let rounding = prop::sample::select(vec![Rounding::HalfUp, Rounding::HalfEven, Rounding::Down]);
    let drop = (0..3_u32, 0..3_u32, 1..4_u32);
    (method, drop, 1..4_u32, rounding, 0..=12_u8).prop_map(
        |(method, (high, low, min_remaining), quorum, rounding, scale)| Aggregation {
            method,
            drop_high: high,
            drop_low: low,
            min_remaining,
            quorum,
            rounding,
            scale,
            ..Aggregation::default()
        },
    )
}

fn big(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

fn big_mean(thousandths: &[i64]) -> Option<BigRational> {
    let sum: BigRational = thousandths.iter().map(|score| big(*score, 1_000)).sum();
    let count = i64::try_from(thousandths.len()).unwrap();
    (0 < count).then(|| sum / big(count, 1))
}

/// The score by definition, on big rationals, and how many sheets it uses.
fn by_definition(rule: &Aggregation, scores: &[i64]) -> (Option<BigRational>, usize) {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable();
    let count = sorted.len();
    if count < rule.quorum as usize {
        return (None, 0);
    }
    match rule.method {
        Method::Median => {
            let middle = big(sorted[(count - 1) / 2] + sorted[count / 2], 2_000);
            (Some(middle), count)
        }
        Method::TrimmedMean => {
            let (high, low) = (rule.drop_high as usize, rule.drop_low as usize);
            if high + low + rule.min_remaining as usize <= count {
                sorted.truncate(count - high);
                sorted.drain(..low);
            }
            (big_mean(&sorted), sorted.len())
        }
        Method::Mean | Method::WeightedMean => (big_mean(&sorted), count),
    }
}

/// A number that is not negative, rounded.
fn big_rounded(value: &BigRational, scale: u8, rounding: Rounding) -> BigRational {
    let unit = BigInt::from(10).pow(scale.into());
    let scaled = value * BigRational::from_integer(unit.clone());
    let floor = scaled.floor();
    let rest = &scaled - &floor;
    let odd = (floor.to_integer() % BigInt::from(2)) == BigInt::from(1);
    let up = match rounding {
        Rounding::Down => false,
        Rounding::HalfUp => big(1, 2) <= rest,
        Rounding::HalfEven => big(1, 2) < rest || (odd && big(1, 2) == rest),
    };
    (floor + big(up.into(), 1)) / BigRational::from_integer(unit)
}

fn same(exact: &Exact, big: &BigRational) -> bool {
    exact == &big.to_string().parse::<Exact>().unwrap()
}

/// What a ranking says of each application, without their order.
fn said(table: &ScoreTable, placed: &[Placed]) -> BTreeMap<String, Placed> {
    let name = |row: &Placed| table.applications()[row.application].clone();
    let blank = |row: &Placed| Placed {
        application: 0,
        ..*row
    };
    placed.iter().map(|row| (name(row), blank(row))).collect()
}

fn sheets_of(scores: &[i64]) -> Vec<SheetScore> {
    let sheet = |(index, score): (usize, &i64)| SheetScore {
        expert: format!("e{index}"),
        group: Some(if index % 2 == 0 { "jury" } else { "public" }.to_owned()),
        total: points(*score),
    };
    scores.iter().enumerate().map(sheet).collect()
}

fn seven_to_three() -> Aggregation {
    let weights = [("jury", 7), ("public", 3)];
    Aggregation {
        method: Method::WeightedMean,
        groups: weights
            .map(|(group, w)| (group.to_owned(), Exact::from_integer(w)))
            .into(),
        ..Aggregation::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn scores_are_what_big_rationals_say(sheets in some_sheets(), rule in some_rule()) {
        let table = table(&rows_of(&sheets));
        let placed = table.ranking(&rule);
        for row in &placed {
            let own: Vec<i64> = sheets[row.application].iter().flatten().copied().collect();
            let (known, used) = by_definition(&rule, &own);
            prop_assert_eq!((row.sheets as usize, row.used as usize), (own.len(), used));
            prop_assert_eq!(row.score.is_some(), known.is_some());
            let single = aggregate(&rule, &sheets_of(&own));
            if let (Some(score), Some(known)) = (row.score, known) {
                let rounded = big_rounded(&known, rule.scale, rule.rounding);
                prop_assert!(same(&score.to_exact(), &rounded), "{score} is not {rounded}");
                prop_assert!(same(&single.exact.unwrap(), &known));
                prop_assert!(same(&single.rounded.unwrap(), &rounded));
                let higher = placed.iter().filter(|other| row.score < other.score).count();
                prop_assert_eq!(row.rank.unwrap() as usize, higher + 1);
            } else {
                prop_assert_eq!((row.rank, single.exact), (None, None));
            }
            let raw = big_mean(&own).map(|mean| big_rounded(&mean, rule.scale, rule.rounding));
            prop_assert_eq!(row.raw.is_some(), raw.is_some());
            prop_assert!(row.raw.zip(raw).is_none_or(|(ours, raw)| same(&ours.to_exact(), &raw)));
        }
    }

    #[test]
    fn groups_weigh_exactly_seven_to_three(scores in prop::collection::vec(some_score(), 2..9)) {
        let part = |odd| scores.iter().skip(odd).step_by(2).copied().collect::<Vec<i64>>();
        let (jury, public) = (big_mean(&part(0)).unwrap(), big_mean(&part(1)).unwrap());
        let known = (jury * big(7, 1) + public * big(3, 1)) / big(10, 1);
        prop_assert!(same(&aggregate(&seven_to_three(), &sheets_of(&scores)).exact.unwrap(), &known));
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(
        (before, after) in some_sheets().prop_flat_map(|sheets| {
            let rows = rows_of(&sheets);
            (Just(rows.clone()), Just(rows).prop_shuffle())
        }),
        rule in some_rule(),
    ) {
        let (before, after) = (table(&before), table(&after));
        let (ours, theirs) = (before.ranking(&rule), after.ranking(&rule));
        prop_assert_eq!(said(&before, &ours), said(&after, &theirs));
        for rule in [CalibrationRule::ZScore, CalibrationRule::Additive { ridge: Exact::ZERO }] {
            let by_name = |table: &ScoreTable| {
                let scores = calibrate(&rule, table).scores;
                table.applications().iter().cloned().zip(scores).collect::<BTreeMap<_, _>>()
            };
            for (ours, theirs) in by_name(&before).values().zip(by_name(&after).values()) {
                prop_assert_eq!(ours.is_some(), theirs.is_some());
                prop_assert!((ours.unwrap_or(0.0) - theirs.unwrap_or(0.0)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_higher_score_never_lowers_the_aggregate(
        scores in prop::collection::vec(some_score(), 1..9), which in any::<prop::sample::Index>(),
        more in 1..50_000_i64, rule in some_rule(),
    ) {
        let mut raised = scores.clone();
        raised[which.index(scores.len())] += more;
        for rule in [rule, seven_to_three()] {
            let before = aggregate(&rule, &sheets_of(&scores));
            let after = aggregate(&rule, &sheets_of(&raised));
            prop_assert!(before.exact <= after.exact, "{before:?} {after:?}");
            prop_assert!(before.rounded <= after.rounded);
            prop_assert_eq!(before.exact.is_some(), after.exact.is_some());
        }
    }

    #[test]
    fn a_lenient_expert_changes_no_calibrated_rank(
        mut sheets in some_sheets(), which in any::<prop::sample::Index>(), more in 1..50_000_i64,
    ) {
        // Everyone scores the first application: levels of parts that nobody links compare to nothing.
        for score in &mut sheets[0] {
            score.get_or_insert(70_000);
        }
        let expert = which.index(sheets[0].len());
        let before = table(&rows_of(&sheets));
        for own in &mut sheets {
            own[expert] = own[expert].map(|score| score + more);
        }
        let after = table(&rows_of(&sheets));
        let additive = CalibrationRule::Additive { ridge: Exact::ZERO };
        for (rule, shifts) in [(CalibrationRule::ZScore, false), (additive, true)] {
            let (before, after) = (calibrate(&rule, &before), calibrate(&rule, &after));
            let pairs: Vec<(f64, f64)> =
                before.scores.iter().flatten().copied().zip(after.scores.iter().flatten().copied()).collect();
            for (a, also_a) in &pairs {
                for (b, also_b) in &pairs {
                    // Closer than this is equal: floats.
                    let order = |a: &f64, b: &f64| if (a - b).abs() < 1e-7 { None } else { a.partial_cmp(b) };
                    prop_assert_eq!(order(a, b), order(also_a, also_b), "{:?} {:?}", before, after);
                    prop_assert!(!shifts || ((also_a - a) - (also_b - b)).abs() < 1e-7, "all shift alike");
                }
            }
            if shifts {
                let lenient = after.experts[expert].leniency - before.experts[expert].leniency;
                let others = (0..after.experts.len()).filter(|other| *other != expert);
                for other in others {
                    let moved = after.experts[other].leniency - before.experts[other].leniency;
                    let apart = lenient - moved;
                    prop_assert!((apart - points(more).to_f64()).abs() < 1e-7, "{apart} {more}");
                }
            }
        }
    }
}
