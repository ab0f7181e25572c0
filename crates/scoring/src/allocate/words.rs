//! What a trace line says, in both languages.

use super::Bid;
use crate::number::Exact;
use crate::yuan::Yuan;

/// A part of a trace line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) en: String,
    pub(super) zh: String,
}

impl Words {
    pub(super) fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            zh: zh.into(),
        }
    }

    /// The parts one after the other.
    pub(super) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let (en, zh): (Vec<String>, Vec<String>) =
            parts.into_iter().map(|part| (part.en, part.zh)).unzip();
        Self::new(en.join("; "), zh.join(";"))
    }

    /// The same, said of the application in this place.
    pub(super) fn of_place(self, place: u32) -> Self {
        Self::new(
            format!("rank {place}: {}", self.en),
            format!("第 {place} 名:{}", self.zh),
        )
    }
}

/// Why a bid below the pass line is not funded, and what would have helped.
pub(super) fn below(line: &Exact, bid: &Bid) -> (Words, Words) {
    let (score, short) = (&bid.score, line - &bid.score);
    (
        Words::new(
            format!("{score} is below the pass line {line}"),
            format!("得分 {score} 低于及格线 {line}"),
        ),
        Words::new(
            format!("{short} more points to reach the pass line"),
            format!("再高 {short} 分达到及格线"),
        ),
    )
}

/// So much more budget would have helped.
pub(super) fn more_budget(yuan: Yuan) -> Words {
    Words::new(
        format!("{yuan} more yuan of budget"),
        format!("预算再增加 {yuan} 元"),
    )
}
