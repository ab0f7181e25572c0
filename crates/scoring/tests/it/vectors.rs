//! Every line of `vectors/scores.json` that is about scores.

use fundcycle_scoring::{
    AggregateNote, Aggregation, Exact, Grade, Method, Rounding, SheetScore, aggregate, combine,
    grade,
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/scores.json")).unwrap()
}

fn exact(value: &Value) -> Exact {
    serde_json::from_value(value.clone()).unwrap()
}

fn number(case: &Value, name: &str) -> Option<u32> {
    case.get(name)
        .map(|value| u32::try_from(value.as_u64().unwrap()).unwrap())
}

#[test]
fn every_aggregate_of_the_vectors_is_exact_and_rounds_as_printed() {
    let vectors = vectors();
    let cases = vectors["aggregate"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let rule = Aggregation {
            method: serde_json::from_value(case["method"].clone()).unwrap(),
            drop_high: number(case, "drop_high").unwrap_or(0),
            drop_low: number(case, "drop_low").unwrap_or(0),
            min_remaining: number(case, "min_remaining").unwrap_or(3),
            ..Aggregation::default()
        };
        assert_eq!(rule.faults(), []);
        let sheets: Vec<SheetScore> = case["scores"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, score)| !score.is_null())
            .map(|(index, score)| SheetScore {
                expert: index.to_string(),
                group: None,
                total: exact(score),
            })
            .collect();
        let result = aggregate(&rule, &sheets);
        assert_eq!(
            result.exact,
            (!case["exact"].is_null()).then(|| exact(&case["exact"])),
            "{case}"
        );
        let printed = result.exact.map(|score| score.fixed(2, Rounding::HalfUp));
        assert_eq!(printed.as_deref(), case["rounded"].as_str(), "{case}");
        assert_eq!(
            result.rounded,
            case["rounded"].as_str().map(|text| text.parse().unwrap()),
            "{case}"
        );
        if case["scores"].as_array().unwrap().is_empty() {
            assert_eq!(result.note, Some(AggregateNote::NoSheet));
        }
        if number(case, "min_remaining").is_some() {
            assert_eq!(
                result.note,
                Some(AggregateNote::NothingDropped {
                    sheets: 4,
                    drop: 2,
                    min_remaining: 3
                })
            );
            assert_eq!(result.dropped, Vec::<String>::new());
        } else if rule.method == Method::TrimmedMean {
            assert_eq!(result.dropped.len(), 2);
            assert_eq!(result.used.len(), 3);
        }
    }
}

#[test]
fn rounds_combine_without_being_rounded_first() {
    for case in vectors()["combine"].as_array().unwrap() {
        let parts: Vec<(Exact, Exact)> = case["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| (exact(&part[0]), exact(&part[1])))
            .collect();
        let printed = combine(&parts).fixed(2, Rounding::HalfUp);
        assert_eq!(Some(printed.as_str()), case["rounded"].as_str(), "{case}");
    }
}

#[test]
fn a_band_includes_its_lower_bound() {
    let vectors = vectors();
    let table = &vectors["grade_bands"][0];
    let bands: Vec<Grade> = table["bands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|band| Grade {
            name: band[0].as_str().unwrap().to_owned(),
            from: exact(&band[1]),
        })
        .collect();
    for case in table["cases"].as_array().unwrap() {
        assert_eq!(grade(&bands, &exact(&case[0])), case[1].as_str(), "{case}");
    }
    let printed = exact(&Value::from("59.995")).rounded(2, Rounding::HalfUp);
    assert_eq!(grade(&bands, &printed), Some("fair"));
}
