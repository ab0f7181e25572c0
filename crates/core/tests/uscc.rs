//! Unified Social Credit Codes: published, synthetic and broken ones.
#![expect(clippy::unwrap_used, reason = "tests")]

use fundcycle_core::uscc::{Uscc, UsccFault, UsccKind, WellFormedUscc, normalise};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    alphabet: String,
    valid: Vec<String>,
    valid_after_normalising: Vec<String>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Invalid {
    code: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/uscc.json")).unwrap()
}

fn faults(code: &str) -> Vec<UsccFault> {
    Uscc::parse(code).unwrap_err().faults
}

fn message(code: &str) -> String {
    Uscc::parse(code).unwrap_err().to_string()
}

#[test]
fn every_valid_code_is_accepted_as_written() {
    for code in vectors().valid {
        assert_eq!(Uscc::parse(&code).unwrap().as_str(), code);
    }
}

#[test]
fn spaces_hyphens_case_and_width_do_not_matter() {
    for code in vectors().valid_after_normalising {
        assert_eq!(Uscc::parse(&code).unwrap().as_str(), "52320412MJDEMA0119");
    }
    assert_eq!(normalise("5232\u{3000}0412\u{2013}mj"), "52320412MJ");
}

#[test]
fn every_invalid_code_is_refused() {
    for Invalid { code } in vectors().invalid {
        assert!(Uscc::parse(&code).is_err(), "{code}");
    }
}

#[test]
fn a_wrong_check_character_is_named_with_the_expected_one() {
    assert_eq!(
        faults("52320412MJDEMA0118"),
        [UsccFault::CheckCharacter {
            found: '8',
            expected: '9'
        }]
    );
    assert_eq!(
        message("52320412MJDEMA0118"),
        "the check character at position 18 is '8' where '9' belongs: compare the whole code with the certificate"
    );
    assert_eq!(
        faults("91350203M0001QAY9B"),
        [UsccFault::CheckCharacter {
            found: 'B',
            expected: '9'
        }]
    );
}

#[test]
fn a_wrong_organisation_code_is_found_even_when_the_last_character_fits() {
    assert_eq!(
        faults("52320412MJDEMA012C"),
        [UsccFault::OrganisationCode {
            found: '2',
            expected: '1'
        }]
    );
    assert_eq!(
        message("52320412MJDEMA012C"),
        "the organisation code's check character at position 17 is '2' where '1' belongs: \
         compare positions 9 to 17 with the certificate"
    );
}

#[test]
fn both_check_characters_are_reported_at_once() {
    assert_eq!(
        faults("52320412MJDEMA0129"),
        [
            UsccFault::OrganisationCode {
                found: '2',
                expected: '1'
            },
            UsccFault::CheckCharacter {
                found: '9',
                expected: 'C'
            },
        ]
    );
}

#[test]
fn a_letter_that_looks_like_a_digit_is_suggested_and_never_changed() {
    assert_eq!(
        faults("5232O412MJDEMA0119"),
        [UsccFault::Character {
            position: 5,
            found: 'O',
            suggestion: Some('0')
        }]
    );
    assert_eq!(
        message("5232o412MJDEMA0119"),
        "'O' at position 5 does not occur in a code: did you mean '0'?"
    );
    assert_eq!(
        message("5232?412MJDEMA0119"),
        "'?' at position 5 does not occur in a code"
    );
}

#[test]
fn length_and_characters_are_reported_together() {
    assert_eq!(
        message("5232041MJDEMA0119"),
        "the code has 17 characters: it must have 18"
    );
    assert_eq!(
        message("5232I41MJDEMA0119"),
        "the code has 17 characters: it must have 18; 'I' at position 5 does not occur in a code: did you mean '1'?"
    );
    assert_eq!(faults("")[..], [UsccFault::Length { found: 0 }]);
}

#[test]
fn a_code_that_only_fails_its_check_can_be_kept_by_an_override() {
    let in_real_use = "91350203M0001QAY9B";
    let error = Uscc::parse(in_real_use).unwrap_err();
    assert!(error.may_be_overridden());
    let kept = WellFormedUscc::parse(in_real_use).unwrap();
    let stored = serde_json::to_string(&kept).unwrap();
    assert_eq!(
        serde_json::from_str::<WellFormedUscc>(&stored).unwrap(),
        kept
    );
    assert!(
        !Uscc::parse("5232O412MJDEMA0119")
            .unwrap_err()
            .may_be_overridden()
    );
}

#[test]
fn kind_and_division_are_read_from_the_code() {
    for (code, kind, division) in [
        ("51320412MJDEMA02X4", UsccKind::Association, "320412"),
        ("52320412MJDEMA0119", UsccKind::ServiceAgency, "320412"),
        ("53320400MJDEMA038H", UsccKind::Foundation, "320400"),
        ("91440101MA5CJQ4N59", UsccKind::OtherRegistrar, "440101"),
        ("123502001549897397", UsccKind::OtherRegistrar, "350200"),
    ] {
        let code = Uscc::parse(code).unwrap();
        assert_eq!((code.kind(), code.division_code()), (kind, division));
    }
    let other = WellFormedUscc::parse("59320412MJDEMA0119").unwrap();
    assert_eq!(other.kind(), UsccKind::OtherCivilAffairs);
}

#[test]
fn json_holds_the_normalised_code_and_refuses_a_wrong_one() {
    let code: Uscc = serde_json::from_str("\"52320412-mjdema-0119\"").unwrap();
    assert_eq!(
        serde_json::to_string(&code).unwrap(),
        "\"52320412MJDEMA0119\""
    );
    let error = serde_json::from_str::<Uscc>("\"52320412MJDEMA0118\"").unwrap_err();
    assert!(error.to_string().contains("'9' belongs"), "{error}");
}

#[test]
fn the_schema_admits_exactly_the_alphabet() {
    let schema = schemars::schema_for!(Uscc).to_value();
    assert_eq!(schema["type"], "string");
    let pattern = schema["pattern"].as_str().unwrap();
    assert_eq!(pattern, "^[0-9A-HJ-NP-RTUW-Y]{18}$");
    let in_pattern = |letter: char| {
        letter.is_ascii_digit()
            || ['A'..='H', 'J'..='N', 'P'..='R', 'T'..='U', 'W'..='Y']
                .iter()
                .any(|range| range.contains(&letter))
    };
    let listed: String = ('0'..='9')
        .chain('A'..='Z')
        .filter(|letter| in_pattern(*letter))
        .collect();
    assert_eq!(listed, vectors().alphabet);
}

proptest! {
    #[test]
    fn any_single_wrong_character_is_noticed(
        code in prop::sample::select(vectors().valid),
        index in 0_usize..18,
        other in prop::sample::select(vectors().alphabet.chars().collect::<Vec<_>>()),
    ) {
        let changed: String = code
            .chars()
            .enumerate()
            .map(|(place, character)| if place == index { other } else { character })
            .collect();
        prop_assert_eq!(Uscc::parse(&changed).is_ok(), changed == code);
    }

    #[test]
    fn no_text_makes_parsing_panic_and_every_refusal_says_why(text in "\\PC{0,24}") {
        if let Err(error) = Uscc::parse(&text) {
            prop_assert!(!error.faults.is_empty());
        }
    }
}
