//! [`Yuan`]: an amount of money in a rules file.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::number::{Exact, Rounding};

/// An amount that people write in yuan with at most two decimals, kept in fen. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Yuan(i64);

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YuanError {
    /// Not a number, negative, finer than a fen, or too large to keep.
    #[error(
        "`{0}` is not an amount: write yuan with at most two decimals, such as 30000 or 28500.50"
    )]
    NotAnAmount(String),
}

impl Yuan {
    /// `fen` hundredths of a yuan; `None` if negative.
    #[must_use]
    pub fn from_fen(fen: i64) -> Option<Self> {
        (0 <= fen).then_some(Self(fen))
    }

    /// The amount in fen.
    #[must_use]
    pub const fn fen(self) -> i64 {
        self.0
    }

    fn from_exact(yuan: &Exact) -> Option<Self> {
        Self::from_fen((yuan * &Exact::from_integer(100)).to_i64()?)
    }
}

impl FromStr for Yuan {
    type Err = YuanError;

    fn from_str(text: &str) -> Result<Self, YuanError> {
        // `5/2` is a number but nobody's way to write money.
        let number = (!text.contains('/'))
            .then(|| text.parse::<Exact>().ok())
            .flatten();
        number
            .and_then(|yuan| Self::from_exact(&yuan))
            .ok_or_else(|| YuanError::NotAnAmount(text.to_owned()))
    }
}

impl fmt::Display for Yuan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yuan = Exact::ratio(self.0.into(), 100).unwrap_or_default();
        out.write_str(&yuan.fixed(2, Rounding::Down))
    }
}

impl Serialize for Yuan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let yuan = Exact::deserialize(deserializer)?;
        Self::from_exact(&yuan)
            .ok_or_else(|| D::Error::custom(YuanError::NotAnAmount(yuan.to_string())))
    }
}

impl JsonSchema for Yuan {
    fn schema_name() -> Cow<'static, str> {
        "Yuan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "pattern": r"^[0-9]+(\.[0-9]{1,2})?$",
            "description": "An amount in yuan with at most two decimals.",
            "examples": ["30000", "28500.50"],
        })
    }
}
