//! [`Fixed`]: a number with a fixed count of decimals, as it is printed.

use std::fmt;
use std::num::NonZeroU8;
use std::ops::Sub;

use crate::number::{Exact, Rounding};

/// A published number: whole units of 10^-`scale`. Numbers of one scale compare by their units.
///
/// A ranking holds two of these per application, so the units are kept in two halves and the scale
/// is never 0 inside: that halves the space of an optional number, and the order stays the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed {
    high: i64,
    low: u64,
    /// One more than the scale.
    above_scale: NonZeroU8,
}

/// How means are printed: worked out once for all applications of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    per_point: i64,
    scale: u8,
    rounding: Rounding,
    /// 10^`scale` where it fits.
    unit: Option<i64>,
}

impl Means {
    /// Of scores in whole multiples of a `per_point`th of a point.
    pub(crate) fn new(per_point: i64, scale: u8, rounding: Rounding) -> Self {
        Self {
            per_point,
            scale,
            rounding,
            unit: 10_i64.checked_pow(scale.into()),
        }
    }

    /// The rounded mean of `count` scores that add up to `sum`; `None` of nothing.
    pub(crate) fn mean(&self, sum: i128, count: usize) -> Option<Fixed> {
        self.small(sum, count).or_else(|| {
            let below = i128::from(self.per_point) * i128::try_from(count).ok()?;
            Fixed::rounded(sum, below, self.scale, self.rounding)
        })
    }

    /// The same in 64 bits, several times faster; scores nearly always fit.
    fn small(&self, sum: i128, count: usize) -> Option<Fixed> {
        let above = i64::try_from(sum).ok()?.checked_mul(self.unit?)?;
        let below = self.per_point.checked_mul(i64::try_from(count).ok()?)?;
        if below < 1 {
            return None;
        }
        let (quotient, rest) = (above / below, above % below);
        let up = self
            .rounding
            .away_from_zero(rest.abs(), below, quotient % 2 != 0);
        // Rounding up changes a quotient by one only where there is a rest, so nothing overflows.
        let units = if up {
            quotient + above.signum()
        } else {
            quotient
        };
        Fixed::new(units.into(), self.scale)
    }
}

impl Fixed {
    /// `None` if the scale is beyond what one byte can hold.
    fn new(units: i128, scale: u8) -> Option<Self> {
        let [high, low] = [units >> 64, units & i128::from(u64::MAX)];
        Some(Self {
            high: i64::try_from(high).ok()?,
            low: u64::try_from(low).ok()?,
            above_scale: NonZeroU8::MIN.checked_add(scale)?,
        })
    }

    /// The number in units of its scale.
    pub(crate) fn units(self) -> i128 {
        i128::from(self.high) << 64 | i128::from(self.low)
    }

    fn scale(self) -> u8 {
        self.above_scale.get() - 1
    }

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
        let units = rounding.settle(
            above / denominator,
            above % denominator,
            denominator,
            above.signum(),
        );
        Self::new(units, scale)
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
        Self::new(units, scale)
    }

    /// The same number as an [`Exact`].
    #[must_use]
    pub fn to_exact(self) -> Exact {
        let unit = 10_i128.checked_pow(self.scale().into());
        unit.and_then(|unit| Exact::ratio(self.units(), unit))
            .unwrap_or_default()
    }
}

impl Rounding {
    /// The quotient of a division towards zero, put right by its rest. `below` is above 0; `sign`
    /// is that of the dividend.
    pub(crate) fn settle(self, quotient: i128, rest: i128, below: i128, sign: i128) -> i128 {
        if self.away_from_zero(rest.abs(), below, quotient % 2 != 0) {
            quotient + sign
        } else {
            quotient
        }
    }

    /// Whether a quotient towards zero with a `rest` of `below` goes one step further out.
    fn away_from_zero<T: Copy + Ord + Sub<Output = T>>(self, rest: T, below: T, odd: bool) -> bool {
        // `below - rest` instead of twice the rest: it cannot overflow.
        match self {
            Self::Down => false,
            Self::HalfUp => below - rest <= rest,
            Self::HalfEven => below - rest < rest || (below - rest == rest && odd),
        }
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, scale) = (self.units(), self.scale());
        let Some(unit) = 10_u128.checked_pow(scale.into()).filter(|_| scale != 0) else {
            return write!(out, "{units}");
        };
        let sign = if units < 0 { "-" } else { "" };
        let (whole, rest) = (units.unsigned_abs() / unit, units.unsigned_abs() % unit);
        write!(out, "{sign}{whole}.{rest:0width$}", width = scale.into())
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
