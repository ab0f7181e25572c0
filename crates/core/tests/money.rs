//! Amounts, tranches and capital numerals.
#![expect(clippy::unwrap_used, reason = "tests")]

use fundcycle_core::money::{Money, MoneyError, SplitError, Yuan};
use fundcycle_core::numerals::capital_numerals;
use fundcycle_scoring::Exact;
use proptest::prelude::*;
use serde::Deserialize;

fn fen(amounts: &[i64]) -> Vec<Money> {
    amounts.iter().copied().map(Money::from_fen).collect()
}

fn shares(texts: &[&str]) -> Vec<Exact> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn yuan_are_read_with_up_to_two_decimals() {
    for (text, expected) in [
        ("28500.50", 2_850_050),
        ("28500.5", 2_850_050),
        ("28500", 2_850_000),
        ("0.04", 4),
        ("-0.04", -4),
        ("-92233720368547758.08", i64::MIN),
        ("92233720368547758.07", i64::MAX),
    ] {
        assert_eq!(
            Money::from_yuan_text(text),
            Ok(Money::from_fen(expected)),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_plainly_an_amount_is_refused() {
    for text in [
        "", "-", ".", "1.", ".5", "+5", "1,000", "1e3", " 1", "--1", "1.-5", "１", "1.2.3", "¥1",
    ] {
        assert_eq!(
            Money::from_yuan_text(text),
            Err(MoneyError::NotAnAmount { text: text.into() })
        );
    }
    assert_eq!(
        Money::from_yuan_text("0.005").unwrap_err().to_string(),
        "0.005 yuan has parts of a fen: write at most two decimals"
    );
    assert_eq!(
        Money::from_yuan_text("92233720368547758.08")
            .unwrap_err()
            .to_string(),
        "92233720368547758.08 yuan is too large: the limit is 92233720368547758.07 yuan"
    );
}

#[test]
fn arithmetic_never_wraps() {
    let most = Money::from_fen(i64::MAX);
    let one = Money::from_fen(1);
    assert_eq!(most.checked_add(one), None);
    assert_eq!(Money::from_fen(i64::MIN).checked_sub(one), None);
    assert_eq!(most.checked_mul(2), None);
    assert_eq!(Money::checked_sum([most, one]), None);
    assert_eq!(
        Money::ZERO.checked_sub(one).map(Money::is_negative),
        Some(true)
    );
    assert_eq!(
        Money::checked_sum(fen(&[1, 2, 3])),
        Some(Money::from_fen(6))
    );
}

#[test]
fn tranches_are_floored_and_the_remainder_goes_last() {
    let award = Money::from_fen(2_833_333);
    assert_eq!(
        award.split(&shares(&["0.5", "0.3", "0.2"])),
        Ok(fen(&[1_416_666, 849_999, 566_668]))
    );
    assert_eq!(award.split(&shares(&["1"])), Ok(vec![award]));
}

#[test]
fn a_tranche_without_a_share_gets_nothing() {
    let award = Money::from_fen(100);
    assert_eq!(
        award.split(&shares(&["1/3", "2/3", "0"])),
        Ok(fen(&[33, 67, 0]))
    );
    assert_eq!(award.split(&shares(&["0", "1"])), Ok(fen(&[0, 100])));
}

#[test]
fn shares_that_are_not_a_whole_are_refused() {
    let award = Money::from_fen(100);
    assert_eq!(
        award
            .split(&shares(&["0.5", "0.3"]))
            .unwrap_err()
            .to_string(),
        "the shares add up to 0.8: they must add up to 1"
    );
    assert_eq!(
        award.split(&[]),
        Err(SplitError::NotAWhole { sum: Exact::ZERO })
    );
    for bad in ["-1/2", "3/2"] {
        assert_eq!(
            award.split(&shares(&["1/2", bad])),
            Err(SplitError::NotAShare { index: 1 })
        );
    }
    assert_eq!(
        Money::from_fen(-1).split(&[Exact::ONE]),
        Err(SplitError::NegativeAmount {
            amount: Money::from_fen(-1)
        })
    );
}

#[derive(Debug, PartialEq, Deserialize)]
struct Budget {
    budget: Yuan,
}

#[test]
fn a_policy_writes_yuan_as_text_or_whole_number() {
    let expected = Budget {
        budget: Yuan(Money::from_fen(45_000_000)),
    };
    for line in [
        "budget = \"450000.00\"",
        "budget = \"450000\"",
        "budget = 450000",
    ] {
        assert_eq!(toml::from_str::<Budget>(line).unwrap(), expected, "{line}");
    }
    assert_eq!(
        serde_json::from_str::<Yuan>("450000").unwrap(),
        expected.budget
    );
    assert_eq!(
        serde_json::to_string(&expected.budget).unwrap(),
        "\"450000.00\""
    );
}

#[test]
fn a_policy_may_not_write_a_float_a_negative_or_an_endless_amount() {
    let error = toml::from_str::<Budget>("budget = 450000.50").unwrap_err();
    assert!(
        error.message().contains("must be quoted") && error.message().contains("\"450000.50\""),
        "{error}"
    );
    assert!(serde_json::from_str::<Yuan>("0.1").is_err());
    assert!(serde_json::from_str::<Yuan>("18446744073709551615").is_err());
    for negative in ["-1", "\"-0.01\""] {
        let error = serde_json::from_str::<Yuan>(negative).unwrap_err();
        assert!(error.to_string().contains("is negative"), "{error}");
    }
    assert!(serde_json::from_str::<Yuan>("92233720368547759").is_err());
}

#[test]
fn money_in_json_is_a_whole_number_of_fen() {
    let amount = Money::from_fen(2_850_050);
    assert_eq!(serde_json::to_string(&amount).unwrap(), "2850050");
    assert_eq!(serde_json::from_str::<Money>("2850050").unwrap(), amount);
    assert!(serde_json::from_str::<Money>("2850050.0").is_err());
    let schema = schemars::schema_for!(Money).to_value();
    assert_eq!(schema["type"], "integer");
}

#[test]
fn amounts_are_written_in_capital_numerals() {
    for (yuan, text) in [
        ("30000", "叁万元整"),
        ("28500.50", "贰万捌仟伍佰元伍角"),
        ("10203.04", "壹万零贰佰零叁元零肆分"),
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角"),
        ("0.55", "伍角伍分"),
        ("10", "壹拾元整"),
        ("11.01", "壹拾壹元零壹分"),
        ("105", "壹佰零伍元整"),
        ("1409.50", "壹仟肆佰零玖元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("10050", "壹万零伍拾元整"),
        ("1000001", "壹佰万零壹元整"),
        ("100000000", "壹亿元整"),
        ("100005000", "壹亿零伍仟元整"),
        ("100100000", "壹亿零壹拾万元整"),
        ("150000000", "壹亿伍仟万元整"),
        ("1002003004.05", "壹拾亿零贰佰万叁仟零肆元零伍分"),
        ("1000000000000", "壹万亿元整"),
        ("-28500.50", "负贰万捌仟伍佰元伍角"),
    ] {
        assert_eq!(
            capital_numerals(Money::from_yuan_text(yuan).unwrap()),
            text,
            "{yuan}"
        );
    }
}

/// Reads capital numerals back, by their meaning and not by the rules they are written with.
fn read_capital_numerals(text: &str) -> i128 {
    let (sign, text) = match text.strip_prefix('负') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (yuan, small) = text.split_once('元').unwrap_or(("", text));
    let mut digit = 0;
    let mut fen = 0;
    for character in small.chars() {
        match character {
            '角' => fen += digit * 10,
            '分' => fen += digit,
            '整' => {}
            _ => digit = digit_of(character),
        }
    }
    sign * (read_number(yuan) * 100 + fen)
}

/// Splits at the last of the largest unit in the text: what stands before it is its multiplier.
fn read_number(text: &str) -> i128 {
    for (unit, value) in [
        ('亿', 100_000_000),
        ('万', 10_000),
        ('仟', 1_000),
        ('佰', 100),
        ('拾', 10),
    ] {
        if let Some((before, after)) = text.rsplit_once(unit) {
            return read_number(before) * value + read_number(after);
        }
    }
    text.chars()
        .fold(0, |number, character| number * 10 + digit_of(character))
}

fn digit_of(character: char) -> i128 {
    let index = "零壹贰叁肆伍陆柒捌玖"
        .chars()
        .position(|digit| digit == character);
    i128::try_from(index.unwrap()).unwrap()
}

proptest! {
    #[test]
    fn yuan_text_is_read_back_as_the_same_amount(amount in any::<i64>().prop_map(Money::from_fen)) {
        prop_assert_eq!(Money::from_yuan_text(&amount.to_yuan_text()), Ok(amount));
    }

    #[test]
    fn tranches_add_up_to_the_award_and_none_but_the_last_exceeds_its_share(
        award in 0..i64::MAX,
        weights in prop::collection::vec(1_i128..1000, 1..6),
    ) {
        let whole: i128 = weights.iter().sum();
        let shares: Vec<_> = weights.iter().map(|weight| Exact::ratio(*weight, whole).unwrap()).collect();
        let tranches = Money::from_fen(award).split(&shares).unwrap();
        prop_assert_eq!(Money::checked_sum(tranches.iter().copied()), Some(Money::from_fen(award)));
        let last = tranches.len() - 1;
        for (index, (tranche, weight)) in tranches.iter().zip(&weights).enumerate() {
            let missing = i128::from(award) * weight - i128::from(tranche.fen()) * whole;
            if index < last {
                prop_assert!((0..whole).contains(&missing));
            } else {
                prop_assert!(missing <= 0);
            }
        }
    }

    #[test]
    fn capital_numerals_are_read_back_as_the_same_amount(
        amount in prop_oneof![any::<i64>(), -100_000_000..100_000_000_i64, (0..1000_i64).prop_map(|n| n * 1_000_000)],
    ) {
        let text = capital_numerals(Money::from_fen(amount));
        prop_assert_eq!(read_capital_numerals(&text), i128::from(amount));
        prop_assert!(!text.contains("零零"));
    }
}

#[test]
fn no_two_amounts_up_to_a_thousand_yuan_share_a_text() {
    let texts: std::collections::BTreeSet<String> = (-100_000..=100_000)
        .map(|amount| capital_numerals(Money::from_fen(amount)))
        .collect();
    assert_eq!(texts.len(), 200_001);
}
