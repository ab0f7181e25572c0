//! [`Fixed`]: a number with a fixed count of decimals, as it is printed.

use std::fmt;

use crate::number::{Exact, Rounding};

/// A published number: whole units of 10^-`scale`. Numbers of one scale compare by their units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed {
    units: i128,
    scale: u8,
}

impl Fixed {
    /// `numerator / denominator` rounded to `scale` decimals; `None` if the denominator is not
    /// above 0 or the result does not fit.
    #[must_use]
    pub fn rounded(
        numerator: i128,
        denominator: i128,
        scale: u8,
        rounding: Rounding,
    ) -> Option<Self> {
        if denominator < 1 {
            return None;
        }
        let above = numerator.checked_mul(10_i128.checked_pow(scale.into())?)?;
        let units = match (i64::try_from(above), i64::try_from(denominator)) {
            // 64-bit division is several times faster, and scores nearly always fit.
            (Ok(above), Ok(below)) => {
                let (quotient, rest) = (above / below, above % below);
                rounding.settle(
                    quotient.into(),
                    rest.into(),
                    below.into(),
                    above.signum().into(),
                )
            }
            _ => rounding.settle(
                above / denominator,
                above % denominator,
                denominator,
                above.signum(),
            ),
        };
        Some(Self { units, scale })
    }

    /// A floating-point result of calibration at `scale` decimals; `None` if it is not finite or
    /// too large to have them.
    #[must_use]
    pub fn from_f64(value: f64, scale: u8, rounding: Rounding) -> Option<Self> {
        let shifted = value * 10_f64.powi(scale.into());
        if !shifted.is_finite() || 1e30 < shifted.abs() {
            return None;
        }
        let whole = match rounding {
            Rounding::HalfUp => shifted.round(),
            Rounding::HalfEven => shifted.round_ties_even(),
            Rounding::Down => shifted.trunc(),
        };
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e30")]
        let units = whole as i128;
        Some(Self { units, scale })
    }

    /// The same number as an [`Exact`].
    #[must_use]
    pub fn to_exact(self) -> Exact {
        let unit = 10_i128.checked_pow(self.scale.into());
        unit.and_then(|unit| Exact::ratio(self.units, unit))
            .unwrap_or_default()
    }
}

impl Rounding {
    /// The quotient of a division towards zero, put right by its rest. `below` is above 0; `sign`
    /// is that of the dividend.
    pub(crate) fn settle(self, quotient: i128, rest: i128, below: i128, sign: i128) -> i128 {
        // `below - rest` instead of twice the rest: it cannot overflow.
        let rest = rest.abs();
        let up = match self {
            Self::Down => false,
            Self::HalfUp => below - rest <= rest && rest != 0,
            Self::HalfEven => below - rest < rest || (below - rest == rest && quotient % 2 != 0),
        };
        if up { quotient + sign } else { quotient }
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(unit) = 10_u128
            .checked_pow(self.scale.into())
            .filter(|_| self.scale != 0)
        else {
            return write!(out, "{}", self.units);
        };
        let sign = if self.units < 0 { "-" } else { "" };
        let (whole, rest) = (
            self.units.unsigned_abs() / unit,
            self.units.unsigned_abs() % unit,
        );
        write!(
            out,
            "{sign}{whole}.{rest:0width$}",
            width = self.scale.into()
        )
    }
}
