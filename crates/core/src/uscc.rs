//! The Unified Social Credit Code of an organisation (统一社会信用代码, GB 32100-2015; `domain.md` §3.2).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Characters in a code.
const LENGTH: usize = 18;
/// The characters of a code; the index of each is its value. I, O, S, V and Z are left out.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Weights of positions 1 to 17 in the check character: 3^i mod 31.
const WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
/// Weights of positions 9 to 16 in the organisation code's own check character (GB 11714).
const ORGANISATION_CODE_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A code as it is written in forms, made comparable: no spaces or hyphens, half-width, upper-case.
///
/// A letter that looks like a digit is kept: the error suggests the digit, a person decides.
pub fn normalise(text: &str) -> String {
    text.chars()
        .map(half_width)
        .filter(|character| !character.is_whitespace() && !is_hyphen(*character))
        .map(|character| character.to_ascii_uppercase())
        .collect()
}

/// Full-width forms of ASCII lie at a fixed distance from it.
fn half_width(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character)
        }
        _ => character,
    }
}

fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// 18 characters of the code's alphabet, normalised; the check characters may be wrong.
///
/// Codes that fail the check exist in the field, and staff may accept one with a reason: this type keeps such a code.
/// Where nobody has overridden the check, use [`Uscc`].
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9A-HJ-NP-RTUW-Y]{18}$"))]
pub struct WellFormedUscc(String);

impl WellFormedUscc {
    /// Normalises the text and tests its length and characters.
    pub fn parse(text: &str) -> Result<Self, UsccError> {
        let code = normalise(text);
        let mut faults = Vec::new();
        let found = code.chars().count();
        if found != LENGTH {
            faults.push(UsccFault::Length { found });
        }
        for (index, character) in code.chars().enumerate() {
            if value(character).is_none() {
                faults.push(UsccFault::Character {
                    position: index + 1,
                    found: character,
                    suggestion: look_alike(character),
                });
            }
        }
        UsccError::unless_empty(faults).map(|()| Self(code))
    }

    /// Tests both check characters.
    pub fn check(self) -> Result<Uscc, UsccError> {
        let mut faults = Vec::new();
        if let Some((found, expected)) = mismatch(&self.0, 17, organisation_code_check(&self.0)) {
            faults.push(UsccFault::OrganisationCode { found, expected });
        }
        if let Some((found, expected)) = mismatch(&self.0, 18, check_character(&self.0)) {
            faults.push(UsccFault::CheckCharacter { found, expected });
        }
        UsccError::unless_empty(faults).map(|()| Uscc(self))
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of organisation the registrar entered (positions 1 and 2).
    pub fn kind(&self) -> UsccKind {
        match self.0.get(..2) {
            Some("51") => UsccKind::Association,
            Some("52") => UsccKind::ServiceAgency,
            Some("53") => UsccKind::Foundation,
            Some(prefix) if prefix.starts_with('5') => UsccKind::OtherCivilAffairs,
            _ => UsccKind::OtherRegistrar,
        }
    }

    /// The division code of the registrar (positions 3 to 8; GB/T 2260 gives it six digits).
    pub fn division_code(&self) -> &str {
        self.0.get(2..8).unwrap_or_default()
    }
}

impl fmt::Display for WellFormedUscc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl TryFrom<String> for WellFormedUscc {
    type Error = UsccError;

    fn try_from(text: String) -> Result<Self, UsccError> {
        Self::parse(&text)
    }
}

impl From<WellFormedUscc> for String {
    fn from(code: WellFormedUscc) -> Self {
        code.0
    }
}

/// A valid code: well-formed, and both check characters are right.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9A-HJ-NP-RTUW-Y]{18}$"))]
pub struct Uscc(WellFormedUscc);

impl Uscc {
    /// Normalises the text and tests length, characters and check characters.
    pub fn parse(text: &str) -> Result<Self, UsccError> {
        WellFormedUscc::parse(text)?.check()
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What kind of organisation the registrar entered (positions 1 and 2).
    pub fn kind(&self) -> UsccKind {
        self.0.kind()
    }

    /// The division code of the registrar (positions 3 to 8).
    pub fn division_code(&self) -> &str {
        self.0.division_code()
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl TryFrom<String> for Uscc {
    type Error = UsccError;

    fn try_from(text: String) -> Result<Self, UsccError> {
        Self::parse(&text)
    }
}

impl From<Uscc> for String {
    fn from(code: Uscc) -> Self {
        code.0.into()
    }
}

impl From<Uscc> for WellFormedUscc {
    fn from(code: Uscc) -> Self {
        code.0
    }
}

/// Kind of organisation by the first two positions of its code.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum UsccKind {
    /// 51: social association (社会团体).
    Association,
    /// 52: private non-enterprise unit, or social service agency (民办非企业单位, 社会服务机构).
    ServiceAgency,
    /// 53: foundation (基金会).
    Foundation,
    /// 59 and the like: registered by civil affairs, another kind.
    OtherCivilAffairs,
    /// Not registered by civil affairs: companies, public institutions and others.
    OtherRegistrar,
}

/// Why a text is not a valid code: every fault found, in order of position.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct UsccError {
    /// The faults; never empty.
    pub faults: Vec<UsccFault>,
}

impl UsccError {
    fn unless_empty(faults: Vec<UsccFault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self { faults })
        }
    }

    /// Whether only check characters are wrong, which staff may override with a reason.
    pub fn may_be_overridden(&self) -> bool {
        self.faults.iter().all(|fault| {
            matches!(
                fault,
                UsccFault::CheckCharacter { .. } | UsccFault::OrganisationCode { .. }
            )
        })
    }
}

/// One fault of a code. Positions count characters of the normalised code from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UsccFault {
    /// The code does not have 18 characters.
    #[error("the code has {found} characters: it must have 18")]
    Length {
        /// Characters found after normalising.
        found: usize,
    },
    /// A character that no code contains.
    #[error(
        "{found:?} at position {position} does not occur in a code{}",
        .suggestion.map(|other| format!(": did you mean {other:?}?")).unwrap_or_default()
    )]
    Character {
        /// Where, from 1.
        position: usize,
        /// The character after normalising.
        found: char,
        /// The character of the alphabet it is easily mistaken for.
        suggestion: Option<char>,
    },
    /// The organisation code in positions 9 to 17 does not fit its own check character.
    #[error(
        "the organisation code's check character at position 17 is {found:?} where {expected:?} belongs: compare positions 9 to 17 with the certificate"
    )]
    OrganisationCode {
        /// The character at position 17.
        found: char,
        /// The character that positions 9 to 16 call for.
        expected: char,
    },
    /// The code does not fit its check character.
    #[error(
        "the check character at position 18 is {found:?} where {expected:?} belongs: compare the whole code with the certificate"
    )]
    CheckCharacter {
        /// The character at position 18.
        found: char,
        /// The character that positions 1 to 17 call for, as they are written.
        expected: char,
    },
}

/// The value of a character in GB 32100.
fn value(character: char) -> Option<u32> {
    let index = ALPHABET.find(character)?;
    u32::try_from(index).ok()
}

/// The alphabet leaves these letters out because they are mistaken for others.
fn look_alike(character: char) -> Option<char> {
    match character {
        'O' => Some('0'),
        'I' => Some('1'),
        'S' => Some('5'),
        'V' => Some('U'),
        'Z' => Some('2'),
        _ => None,
    }
}

/// The character at `position` (from 1) and the expected one, if they differ.
fn mismatch(code: &str, position: usize, expected: Option<char>) -> Option<(char, char)> {
    let found = code.chars().nth(position - 1)?;
    let expected = expected?;
    (found != expected).then_some((found, expected))
}

/// What position 18 must be for the 17 characters before it.
fn check_character(code: &str) -> Option<char> {
    let mut sum = 0;
    for (character, weight) in code.chars().zip(WEIGHTS) {
        sum += value(character)? * weight;
    }
    let index = usize::try_from((31 - sum % 31) % 31).ok()?;
    ALPHABET.chars().nth(index)
}

/// What position 17 must be for the 8 characters before it. Here letters count as in base 36.
fn organisation_code_check(code: &str) -> Option<char> {
    let mut sum = 0;
    for (character, weight) in code.chars().skip(8).zip(ORGANISATION_CODE_WEIGHTS) {
        sum += character.to_digit(36)? * weight;
    }
    match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    }
}
