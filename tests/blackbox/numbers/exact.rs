//! `score --scale 12`, digit for digit against integer arithmetic in the test.

use std::fmt::Write as _;

use super::score;

/// `above / below`, neither negative, to twelve decimals, half up.
fn twelve_decimals(above: u128, below: u128) -> String {
    let units = (2 * above * 10_u128.pow(12) + below) / (2 * below);
    format!(
        "{}.{:012}",
        units / 10_u128.pow(12),
        units % 10_u128.pow(12)
    )
}

/// Numbers that follow from one another: the same every time.
fn next(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn every_method_carries_twelve_correct_digits() {
    let mut seed = 7;
    let mut rows = String::from("expert,application,score\n");
    // Sevenths and thousandths together: the common unit is 1/7000 of a point.
    let scores: Vec<Vec<u64>> = (3..40)
        .map(|count| (0..count).map(|_| next(&mut seed) % 700_000).collect())
        .collect();
    for (application, own) in scores.iter().enumerate() {
        for (expert, units) in own.iter().enumerate() {
            let score = if units % 7 == 0 {
                format!("{}.{:03}", units / 7_000, units / 7 % 1_000)
            } else {
                format!("{units}/7000")
            };
            writeln!(rows, "e{expert},a{application},{score}").unwrap();
        }
    }
    for method in ["mean", "trimmed_mean", "median"] {
        let (code, out, err) = score(method, &rows, &["--scale", "12"]);
        assert_eq!(code, 0, "{err}");
        let mut lines: Vec<(usize, &str)> = Vec::new();
        for line in out.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            lines.push((fields[1][1..].parse().unwrap(), fields[2]));
        }
        assert_eq!(lines.len(), scores.len());
        for (application, printed) in lines {
            let mut own = scores[application].clone();
            own.sort_unstable();
            let kept = match method {
                "trimmed_mean" if 5 <= own.len() => &own[1..own.len() - 1],
                "median" => &own[(own.len() - 1) / 2..=own.len() / 2],
                _ => &own[..],
            };
            let sum: u64 = kept.iter().sum();
            let expected = twelve_decimals(sum.into(), 7_000 * kept.len() as u128);
            assert_eq!(printed, expected, "{method} of a{application}");
        }
    }
}
