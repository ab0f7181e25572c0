//! The additive model against its definition, solved exactly on big rationals.

use std::collections::BTreeSet;

use fundcycle_scoring::{CalibrationRule, Exact, ScoreRow, ScoreTable, calibrate};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed as _, ToPrimitive as _, Zero as _};
use proptest::prelude::*;

use crate::anchors::panel;

/// Application, expert, score.
type Sheet = (usize, usize, BigRational);

fn whole(value: i64) -> BigRational {
    BigRational::from_integer(BigInt::from(value))
}

/// Solves by elimination; the system has exactly one solution.
fn solved(mut rows: Vec<Vec<BigRational>>) -> Vec<BigRational> {
    let size = rows.len();
    for column in 0..size {
        let pivot = (column..size)
            .find(|row| !rows[*row][column].is_zero())
            .unwrap();
        rows.swap(column, pivot);
        let (head, above) = (rows[column].clone(), rows[column][column].clone());
        for (index, row) in rows.iter_mut().enumerate() {
            if index != column && !row[column].is_zero() {
                let factor = &row[column] / &above;
                for (cell, own) in row.iter_mut().zip(&head) {
                    *cell -= own * &factor;
                }
            }
        }
    }
    (0..size)
        .map(|row| &rows[row][size] / &rows[row][row])
        .collect()
}

/// The experts that common applications link with `expert`.
fn linked(sheets: &[Sheet], expert: usize) -> BTreeSet<usize> {
    let mut experts = BTreeSet::from([expert]);
    loop {
        let of_experts = |sheet: &&Sheet| experts.contains(&sheet.1);
        let applications: BTreeSet<usize> = sheets
            .iter()
            .filter(of_experts)
            .map(|sheet| sheet.0)
            .collect();
        let more: BTreeSet<usize> = sheets
            .iter()
            .filter(|sheet| applications.contains(&sheet.0))
            .map(|sheet| sheet.1)
            .collect();
        if more == experts {
            return experts;
        }
        experts = more;
    }
}

/// Scores of applications and effects of experts: the residuals of every expert, less the ridge times
/// the effect, add up to 0, where each application has the mean of what is left of its scores; and the
/// effects of linked experts, weighted by their scores, add up to 0.
fn by_definition(
    sheets: &[Sheet],
    ridge: &BigRational,
) -> (Vec<Option<BigRational>>, Vec<BigRational>) {
    let applications = sheets.iter().map(|sheet| sheet.0 + 1).max().unwrap_or(0);
    let experts = sheets.iter().map(|sheet| sheet.1 + 1).max().unwrap_or(0);
    let of = |application: usize| -> Vec<&Sheet> {
        sheets
            .iter()
            .filter(|sheet| sheet.0 == application)
            .collect()
    };
    let mut rows = vec![vec![whole(0); experts + 1]; experts];
    for application in 0..applications {
        let own = of(application);
        let count = whole(i64::try_from(own.len()).unwrap().max(1));
        let mean = own.iter().map(|sheet| &sheet.2).sum::<BigRational>() / &count;
        for (_, expert, score) in &own {
            rows[*expert][*expert] += whole(1);
            rows[*expert][experts] += score - &mean;
            for (_, other, _) in &own {
                rows[*expert][*other] -= whole(1) / &count;
            }
        }
    }
    for (expert, row) in rows.iter_mut().enumerate() {
        row[expert] += ridge;
        if ridge.is_zero() && linked(sheets, expert).first() == Some(&expert) {
            // One of the equations of a part follows from the others.
            *row = vec![whole(0); experts + 1];
            for other in linked(sheets, expert) {
                let count = sheets.iter().filter(|sheet| sheet.1 == other).count();
                row[other] = whole(i64::try_from(count).unwrap());
            }
        }
    }
    let solution = solved(rows);
    // A ridge leaves a part where it draws it; levels are told with effects that weigh up.
    let centre = |expert: usize| {
        let part = linked(sheets, expert);
        let of_part = || sheets.iter().filter(|sheet| part.contains(&sheet.1));
        let sum = of_part()
            .map(|sheet| &solution[sheet.1])
            .sum::<BigRational>();
        sum / whole(i64::try_from(of_part().count()).unwrap())
    };
    let effects: Vec<BigRational> = (0..experts)
        .map(|expert| &solution[expert] - centre(expert))
        .collect();
    let score = |application: usize| {
        let own = of(application);
        let left = own.iter().map(|sheet| &sheet.2 - &effects[sheet.1]);
        (!own.is_empty())
            .then(|| left.sum::<BigRational>() / whole(i64::try_from(own.len()).unwrap()))
    };
    ((0..applications).map(score).collect(), effects)
}

/// Twelve correct digits of numbers up to a thousand, and of small ones as many decimals.
fn assert_twelve_digits(actual: f64, exact: &BigRational) {
    let off = (BigRational::from_float(actual).unwrap() - exact).abs();
    let largest = exact.abs().max(whole(1));
    let share = (off / largest).to_f64().unwrap();
    assert!(share < 5e-13, "{actual} is off by {share} of {exact}");
}

fn assert_exact(sheets: &[Sheet], ridge: (i64, i64)) {
    let (rule, table) = (
        CalibrationRule::Additive {
            ridge: Exact::ratio(ridge.0.into(), ridge.1.into()).unwrap(),
        },
        table(sheets),
    );
    let fit = calibrate(&rule, &table);
    let ridge = BigRational::new(ridge.0.into(), ridge.1.into());
    let (scores, effects) = by_definition(sheets, &ridge);
    assert_eq!(fit.scores.len(), scores.len());
    for (actual, exact) in fit.scores.iter().zip(&scores) {
        assert_twelve_digits(actual.unwrap(), exact.as_ref().unwrap());
    }
    for (actual, exact) in fit.experts.iter().zip(&effects) {
        assert_twelve_digits(actual.leniency, exact);
    }
}

fn table(sheets: &[Sheet]) -> ScoreTable {
    let rows: Vec<(String, String, Exact)> = sheets
        .iter()
        .map(|(application, expert, score)| {
            let score: Exact = score.to_string().parse().unwrap();
            (application.to_string(), expert.to_string(), score)
        })
        .collect();
    ScoreTable::new(rows.iter().map(|(application, expert, score)| ScoreRow {
        expert,
        application,
        score: Some(score),
    }))
    .unwrap()
}

#[test]
fn the_panel_of_9_and_37_has_twelve_correct_digits() {
    let text = include_str!("../vectors/anchors/scores_panel_9x37.csv");
    let rows = crate::anchors::rows(text);
    let (table, mut sheets) = (panel(), Vec::new());
    for row in &rows {
        let place =
            |names: &[String], name: &str| names.iter().position(|other| other == name).unwrap();
        let score: BigRational = {
            let exact: Exact = row["score"].parse().unwrap();
            let hundredths = (&exact * &Exact::from_integer(100)).to_i64().unwrap();
            BigRational::new(hundredths.into(), 100.into())
        };
        sheets.push((
            place(table.applications(), &row["application"]),
            place(table.experts(), &row["expert"]),
            score,
        ));
    }
    assert_exact(&sheets, (0, 1));
    assert_exact(&sheets, (5, 2));
}

/// Sheets in which every application and every expert occurs, numbered as first seen.
fn some_sheets() -> impl Strategy<Value = Vec<Sheet>> {
    let cell = prop::option::weighted(0.5, 0..100_000_i64);
    let rows = prop::collection::vec(prop::collection::vec(cell, 5), 1..8);
    rows.prop_filter_map("no sheets", |rows| {
        let (mut applications, mut experts, mut sheets) = (Vec::new(), Vec::new(), Vec::new());
        for (application, row) in rows.iter().enumerate() {
            for (expert, score) in row.iter().enumerate() {
                let Some(score) = score else { continue };
                let place = |list: &mut Vec<usize>, name| {
                    list.iter()
                        .position(|other| *other == name)
                        .unwrap_or_else(|| {
                            list.push(name);
                            list.len() - 1
                        })
                };
                let at = (
                    place(&mut applications, application),
                    place(&mut experts, expert),
                );
                sheets.push((at.0, at.1, BigRational::new((*score).into(), 1_000.into())));
            }
        }
        (!sheets.is_empty()).then_some(sheets)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn additive_effects_are_least_squares_to_twelve_digits(sheets in some_sheets(), ridge in 0..3_i64) {
        assert_exact(&sheets, (ridge, 2));
    }
}
