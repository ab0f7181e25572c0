//! Amounts of money: whole fen, never a float.

use std::borrow::Cow;
use std::fmt;

use fundcycle_scoring::{Exact, Rounding};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Fen in a yuan.
const FEN_PER_YUAN: u64 = 100;

/// An amount of Chinese yuan (CNY) in fen, 1/100 yuan; a negative amount is a refund or a deficit.
///
/// It is written as an integer of fen. Arithmetic is checked: `None` means that the result does not fit 64 bits.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing: 0 fen.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen`.
    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// The amount in fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum, unless it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it does not fit. It may be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount taken `times` times, unless it does not fit.
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        self.0.checked_mul(times).map(Self)
    }

    /// The sum of many amounts (zero of none), unless a partial sum does not fit.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// Reads yuan: an optional minus sign, digits, and optionally a point with one or two decimals (`28500.50`).
    ///
    /// Nothing else is guessed at: no thousands separator, no plus sign, no currency sign.
    pub fn from_yuan_text(text: &str) -> Result<Self, MoneyError> {
        let not_an_amount = || MoneyError::NotAnAmount { text: text.into() };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        for part in [whole, decimals] {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(not_an_amount());
            }
        }
        if decimals.len() > 2 {
            return Err(MoneyError::TooPrecise { text: text.into() });
        }
        // Read the fen with their sign at once, so that the smallest amount can be read back too.
        let sign = if negative { "-" } else { "" };
        format!("{sign}{whole}{decimals:0<2}")
            .parse()
            .map(Self)
            .map_err(|_| MoneyError::TooLarge { text: text.into() })
    }

    /// The amount in yuan with two decimals, as [`Money::from_yuan_text`] reads it.
    pub fn to_yuan_text(self) -> String {
        let sign = if self.is_negative() { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", fen / FEN_PER_YUAN, fen % FEN_PER_YUAN)
    }

    /// Divides an award into tranches by `shares`, each between zero and one.
    ///
    /// Every tranche is floored to the fen, and what is left over goes to the last tranche that has a share,
    /// so that the tranches add up to the award exactly (`domain.md` §6). The shares must add up to one.
    pub fn split(self, shares: &[Exact]) -> Result<Vec<Self>, SplitError> {
        if self.is_negative() {
            return Err(SplitError::NegativeAmount { amount: self });
        }
        if let Some(index) = shares
            .iter()
            .position(|share| share.is_negative() || *share > Exact::ONE)
        {
            return Err(SplitError::NotAShare { index });
        }
        let sum: Exact = shares.iter().sum();
        if sum != Exact::ONE {
            return Err(SplitError::NotAWhole { sum });
        }
        let last_with_a_share = shares.iter().rposition(|share| !share.is_zero());
        let mut left = self.0;
        let mut tranches = Vec::with_capacity(shares.len());
        for share in shares {
            let tranche = &Exact::from_integer(self.0) * share;
            // A part of an amount that fits, fits too.
            let fen = tranche.rounded(0, Rounding::Down).to_i64().unwrap_or(0);
            left -= fen;
            tranches.push(Self(fen));
        }
        if let Some(last) = last_with_a_share.and_then(|index| tranches.get_mut(index)) {
            last.0 += left;
        }
        Ok(tranches)
    }
}

impl fmt::Display for Money {
    /// Yuan with two decimals.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.to_yuan_text())
    }
}

/// Why a text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The text is not a plain decimal number.
    #[error(
        "{text:?} is not an amount: write yuan as digits with at most two decimals, for example 28500.50"
    )]
    NotAnAmount {
        /// What was written.
        text: String,
    },
    /// The text names less than a fen.
    #[error("{text} yuan has parts of a fen: write at most two decimals")]
    TooPrecise {
        /// What was written.
        text: String,
    },
    /// The text names less than nothing where that makes no sense.
    #[error("{text} yuan is negative: write an amount of 0 or more")]
    Negative {
        /// What was written.
        text: String,
    },
    /// The amount does not fit.
    #[error("{text} yuan is too large: the limit is 92233720368547758.07 yuan")]
    TooLarge {
        /// What was written.
        text: String,
    },
}

/// Why an amount cannot be divided into tranches.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SplitError {
    /// An award is never negative.
    #[error("cannot divide {amount} yuan into tranches: the amount is negative")]
    NegativeAmount {
        /// The amount to divide.
        amount: Money,
    },
    /// A share is not between zero and one.
    #[error("share {} is not a fraction between 0 and 1", index + 1)]
    NotAShare {
        /// Which share, from 0.
        index: usize,
    },
    /// The shares do not make a whole; no share at all adds up to 0.
    #[error("the shares add up to {sum}: they must add up to 1")]
    NotAWhole {
        /// What they add up to.
        sum: Exact,
    },
}

/// An amount as people write it in a policy: yuan.
///
/// Read from a text (`"450000.00"`, `"450000"`) or a whole number of yuan (`450000`), written as a text with two
/// decimals. A rule never needs a negative amount, and none is read. A number with a point is refused, because it would already have passed through binary floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Yuan(pub Money);

impl Yuan {
    /// The amount.
    pub const fn money(self) -> Money {
        self.0
    }
}

impl From<Yuan> for Money {
    fn from(yuan: Yuan) -> Self {
        yuan.0
    }
}

impl From<Money> for Yuan {
    fn from(money: Money) -> Self {
        Self(money)
    }
}

impl fmt::Display for Yuan {
    /// Yuan with two decimals.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Serialize for Yuan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YuanVisitor)
    }
}

struct YuanVisitor;

impl Visitor<'_> for YuanVisitor {
    type Value = Yuan;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an amount in yuan, as a text like \"450000.00\" or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Yuan, E> {
        match Money::from_yuan_text(text) {
            Ok(amount) if amount.is_negative() => Err(MoneyError::Negative { text: text.into() }),
            read => read.map(Yuan),
        }
        .map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, yuan: i64) -> Result<Yuan, E> {
        self.visit_str(&yuan.to_string())
    }

    fn visit_u64<E: de::Error>(self, yuan: u64) -> Result<Yuan, E> {
        self.visit_str(&yuan.to_string())
    }

    fn visit_f64<E: de::Error>(self, yuan: f64) -> Result<Yuan, E> {
        Err(E::custom(format_args!(
            "an amount with decimals must be quoted so that it stays exact: write \"{yuan:.2}\" instead of {yuan}"
        )))
    }
}

impl JsonSchema for Yuan {
    fn schema_name() -> Cow<'static, str> {
        "Yuan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount in yuan: a text with at most two decimals, or a whole number.",
            "anyOf": [
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,2})?$" },
                { "type": "integer", "minimum": 0 }
            ],
            "examples": ["450000.00", 450_000]
        })
    }
}
