//! Real cases with known results.

use std::collections::BTreeMap;

use fundcycle_scoring::{
    Aggregation, Bid, Calibration, CalibrationRule, DomainLimits, Exact, Method, Outcome, Rounding,
    ScoreRow, ScoreTable, SelectionMode, SelectionRules, Yuan, allocate, calibrate,
};

/// The rows of a CSV text, by column name.
pub(crate) fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(Result::unwrap)
        .collect()
}

pub(crate) fn panel() -> ScoreTable {
    let rows = rows(include_str!("../vectors/anchors/scores_panel_9x37.csv"));
    let scores: Vec<Exact> = rows
        .iter()
        .map(|row| row["score"].parse().unwrap())
        .collect();
    ScoreTable::new(rows.iter().zip(&scores).map(|(row, score)| ScoreRow {
        expert: &row["expert"],
        application: &row["application"],
        score: Some(score),
    }))
    .unwrap()
}

/// The expected column, in the order of the table.
fn expected(table: &ScoreTable, column: &str) -> Vec<f64> {
    let rows = rows(include_str!(
        "../vectors/anchors/scores_panel_9x37.expected.csv"
    ));
    let by_application: BTreeMap<&str, f64> = rows
        .iter()
        .map(|row| (row["application"].as_str(), row[column].parse().unwrap()))
        .collect();
    assert_eq!(by_application.len(), table.applications().len());
    table
        .applications()
        .iter()
        .map(|name| by_application[name.as_str()])
        .collect()
}

fn assert_close(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        assert!(
            (actual - expected).abs() < 1e-9,
            "{actual} is not {expected}"
        );
    }
}

fn aggregated(rule: &Aggregation) -> Vec<f64> {
    let mut placed = panel().ranking(rule);
    placed.sort_by_key(|row| row.application);
    placed
        .iter()
        .map(|row| row.score.unwrap().to_exact().to_f64())
        .collect()
}

fn calibrated(rule: &CalibrationRule) -> Calibration {
    calibrate(rule, &panel())
}

#[test]
fn a_panel_of_9_judges_and_37_items_aggregates_as_computed_elsewhere() {
    let rule = |method, drop| Aggregation {
        method,
        drop_high: drop,
        drop_low: drop,
        scale: 12,
        ..Aggregation::default()
    };
    let table = panel();
    assert_close(
        &aggregated(&rule(Method::Mean, 0)),
        &expected(&table, "mean"),
    );
    assert_close(
        &aggregated(&rule(Method::TrimmedMean, 1)),
        &expected(&table, "trimmed_mean"),
    );
    assert_close(
        &aggregated(&rule(Method::Median, 0)),
        &expected(&table, "median"),
    );
}

#[test]
fn a_panel_of_9_judges_and_37_items_calibrates_as_computed_elsewhere() {
    let table = panel();
    let scores = |rule| -> Vec<f64> {
        calibrated(&rule)
            .scores
            .into_iter()
            .map(Option::unwrap)
            .collect()
    };
    assert_close(
        &scores(CalibrationRule::ZScore),
        &expected(&table, "z_score"),
    );
    let additive = CalibrationRule::Additive { ridge: Exact::ZERO };
    assert_close(&scores(additive), &expected(&table, "additive"));
}

#[test]
fn calibrated_scores_stand_beside_raw_ones() {
    let table = panel();
    let fit = calibrated(&CalibrationRule::ZScore);
    let placed = fit.ranking(&table, 2, Rounding::HalfUp);
    let first = placed.iter().find(|row| row.application == 0).unwrap();
    assert_eq!(first.score.unwrap().to_string(), "7.18");
    assert_eq!(first.raw.unwrap().to_string(), "7.19");
    assert_eq!(fit.parts, vec![(0..37).collect::<Vec<usize>>()]);
}

fn bids(text: &str) -> Vec<Bid> {
    let bid = |row: BTreeMap<String, String>| Bid {
        application: row["application"].clone(),
        organisation: row["organisation"].clone(),
        domain: row["domain"].clone(),
        street: None,
        score: row["score"].parse().unwrap(),
        requested_fen: row["requested"].parse::<Yuan>().unwrap().fen(),
        recommended_fen: None,
    };
    rows(text).into_iter().map(bid).collect()
}

#[test]
fn real_selections_reach_the_proven_optima_under_each_set_of_limits() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/anchors/selection.json")).unwrap();
    for (name, text) in [
        (
            "Poland_Warszawa_2023_Ochota",
            include_str!("../vectors/anchors/selection_Poland_Warszawa_2023_Ochota.csv"),
        ),
        (
            "France_Toulouse_2019",
            include_str!("../vectors/anchors/selection_France_Toulouse_2019.csv"),
        ),
        (
            "Poland_Katowice_2023",
            include_str!("../vectors/anchors/selection_Poland_Katowice_2023.csv"),
        ),
    ] {
        let bids = bids(text);
        let case = &cases["cases"][name];
        let budget = case["budget"].as_i64().unwrap() * 100;
        let optimum = |max_share: Option<i64>, min: Option<u32>| {
            let rules = SelectionRules {
                mode: SelectionMode::Optimal,
                every_domain: DomainLimits {
                    min,
                    max_amount: max_share
                        .and_then(|percent| Yuan::from_fen(budget * percent / 100)),
                    ..DomainLimits::default()
                },
                ..SelectionRules::with_budget(Yuan::from_fen(budget).unwrap())
            };
            let selection = allocate(&rules, &bids).unwrap();
            assert!(selection.total_awarded_fen <= budget);
            let funded = selection
                .decisions
                .iter()
                .filter(|d| d.decision == Outcome::Funded);
            let total: Exact = funded
                .map(|d| {
                    &bids
                        .iter()
                        .find(|bid| bid.application == d.application)
                        .unwrap()
                        .score
                })
                .sum();
            let certificate = selection.certificate.unwrap();
            assert_eq!(certificate.objective, total);
            assert_eq!(certificate.gap, Exact::ZERO);
            total.to_i64().unwrap()
        };
        assert_eq!(
            Some(optimum(None, None)),
            case["optimum"][1].as_i64(),
            "{name}"
        );
        assert_eq!(
            Some(optimum(Some(40), None)),
            case["optimum_domain_cap_40pct"][1].as_i64(),
            "{name}"
        );
        assert_eq!(
            Some(optimum(Some(40), Some(1))),
            case["optimum_cap40_min1_per_domain"][1].as_i64(),
            "{name}"
        );
    }
}
