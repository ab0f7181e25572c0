//! Text that people enter: compared leniently, kept exactly as it was written.

use std::ops::RangeInclusive;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// A key that is equal for names a person would call the same: full-width and half-width forms and brackets, composed
/// and decomposed letters, upper and lower case, and runs of spaces are not told apart (`domain.md` §3.1).
///
/// For comparison only: the key is never shown or stored in place of the name.
pub fn comparison_key(text: &str) -> String {
    // Upper case first, so that ß and ss, or σ and ς, come out the same; letter by letter, so that the place of a
    // letter in its word makes no difference.
    let folded: String = text
        .nfkc()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why a text is refused. Positions and lengths count characters (Unicode scalar values), positions from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing but spaces.
    #[error("the text is empty")]
    Blank,
    /// Fewer characters than required.
    #[error("the text has {found} characters: at least {at_least} are required")]
    TooShort {
        /// Characters found.
        found: usize,
        /// The smallest number allowed.
        at_least: usize,
    },
    /// More characters than allowed.
    #[error("the text has {found} characters: at most {at_most} are allowed")]
    TooLong {
        /// Characters found.
        found: usize,
        /// The largest number allowed.
        at_most: usize,
    },
    /// A control character, or a line break in a name.
    #[error("character {position} (U+{:04X}) is a control character: remove it", u32::from(*.found))]
    Control {
        /// Where, from 1.
        position: usize,
        /// The character.
        found: char,
    },
    /// A character that turns the direction of writing, so that a name can look like another.
    #[error("character {position} (U+{:04X}) changes the direction of writing: remove it", u32::from(*.found))]
    BidiControl {
        /// Where, from 1.
        position: usize,
        /// The character.
        found: char,
    },
}

/// Tests the number of characters, whatever they are.
pub fn check_length(text: &str, allowed: RangeInclusive<usize>) -> Result<(), TextError> {
    let found = text.chars().count();
    if found < *allowed.start() {
        Err(TextError::TooShort {
            found,
            at_least: *allowed.start(),
        })
    } else if found > *allowed.end() {
        Err(TextError::TooLong {
            found,
            at_most: *allowed.end(),
        })
    } else {
        Ok(())
    }
}

/// Tests a name or a title: one line of at most `at_most` characters in any script, not blank, without characters
/// that do not show. All faults are reported. Joiners (U+200C, U+200D) are part of some scripts and stay.
pub fn check_name(text: &str, at_most: usize) -> Result<(), Vec<TextError>> {
    let mut faults = Vec::new();
    if text.trim().is_empty() {
        faults.push(TextError::Blank);
    }
    faults.extend(check_length(text, 0..=at_most).err());
    for (index, found) in text.chars().enumerate() {
        let position = index + 1;
        if is_bidi_control(found) {
            faults.push(TextError::BidiControl { position, found });
        } else if found.is_control() || matches!(found, '\u{2028}' | '\u{2029}') {
            faults.push(TextError::Control { position, found });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// The characters with the Unicode property Bidi_Control.
fn is_bidi_control(character: char) -> bool {
    matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_same(left: &str, right: &str) {
        assert_eq!(comparison_key(left), comparison_key(right));
    }

    #[test]
    fn names_that_differ_in_form_only_have_one_key() {
        assert_same("武进区爱心（社区）服务中心", "武进区爱心(社区)服务中心");
        assert_same("ＡＢＣ　基金会", "abc 基金会");
        assert_same("  Caf\u{e9}   Nord ", "CAFE\u{301} nord");
        assert_same("Straße", "STRASSE");
        assert_same("ΟΔΟΣ", "οδος");
    }

    #[test]
    fn names_that_differ_in_a_letter_have_different_keys() {
        for (left, right) in [
            ("爱心社", "爱心会"),
            ("e", "é"),
            ("第一社区", "第二社区"),
            ("社区1", "社区2"),
        ] {
            assert_ne!(comparison_key(left), comparison_key(right));
        }
    }

    #[test]
    fn names_in_any_script_are_accepted() {
        for name in [
            "常州市武进区社会组织服务中心",
            "阿布都热依木·买买提",
            "كۆڭۈللۈك خىزمەت",
            "བོད་ཡིག",
            "می\u{200C}خواهم",
            "👩\u{200D}🦽 社",
            "𠮷野",
        ] {
            assert_eq!(check_name(name, 30), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_with_hidden_characters_is_refused_with_every_place() {
        assert_eq!(
            check_name("爱\u{202E}心\n社\u{0}", 3),
            Err(vec![
                TextError::TooLong {
                    found: 6,
                    at_most: 3
                },
                TextError::BidiControl {
                    position: 2,
                    found: '\u{202E}'
                },
                TextError::Control {
                    position: 4,
                    found: '\n'
                },
                TextError::Control {
                    position: 6,
                    found: '\0'
                },
            ])
        );
        assert_eq!(check_name(" \u{3000}", 9), Err(vec![TextError::Blank]));
        assert_eq!(
            TextError::BidiControl {
                position: 2,
                found: '\u{202E}'
            }
            .to_string(),
            "character 2 (U+202E) changes the direction of writing: remove it"
        );
    }

    #[test]
    fn length_counts_characters_and_not_bytes() {
        assert_eq!(check_length("公益𠮷", 3..=3), Ok(()));
        assert_eq!(
            check_length("公益", 3..=9),
            Err(TextError::TooShort {
                found: 2,
                at_least: 3
            })
        );
    }

    proptest! {
        #[test]
        fn spacing_at_the_ends_and_case_never_change_a_key(name in "[a-zA-Zà-ž一-鿿 ]{0,20}") {
            let spaced = format!("\u{3000} {} ", name.to_uppercase());
            prop_assert_eq!(comparison_key(&spaced), comparison_key(&name));
        }

        #[test]
        fn a_key_is_its_own_key(name in "\\PC{0,20}") {
            let key = comparison_key(&name);
            prop_assert_eq!(comparison_key(&key), key.clone());
        }
    }
}
