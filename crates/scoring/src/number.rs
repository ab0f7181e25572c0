//! [`Exact`]: a rational number, so that no score or weight is ever a binary approximation.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul, Neg, Sub};
use std::str::FromStr;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Pow, Signed as _, ToPrimitive as _};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest text that [`Exact::from_str`] reads. Longer numbers are nobody's score.
const MAX_TEXT: usize = 1_000;

/// An exact rational number in lowest terms.
///
/// Reads `"88"`, `"0.4"` and `"263/3"`; writes an integer or a terminating decimal as such and
/// everything else as a fraction, so that writing and reading give the same number. As JSON or TOML
/// it is written as a string; a plain number is read by its shortest decimal text, so that `0.4`
/// means four tenths and not the nearest binary fraction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Exact(Repr);

/// Always `Small` where both parts fit, so that equal numbers have equal representations.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// Lowest terms, the second part positive.
    Small(i64, i64),
    Big(Box<BigRational>),
}

/// How a number is shortened to a number of decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; exactly half goes away from zero (四舍五入). The default (`domain.md` §5.2).
    #[default]
    HalfUp,
    /// To the nearest; exactly half goes to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
}

/// A text that is not a number, or a division by zero.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is no integer, decimal or fraction.
    #[error("`{0}` is not a number: write it like 88, 0.4 or 263/3")]
    NotANumber(String),
    /// The text has a zero below the line, or a divisor is zero.
    #[error("`{0}` divides by zero")]
    DivisionByZero(String),
    /// The text has more characters than any score needs.
    #[error("a number of {0} characters is too long: at most {MAX_TEXT}")]
    TooLong(usize),
}

impl Exact {
    /// Zero.
    pub const ZERO: Self = Self(Repr::Small(0, 1));
    /// One.
    pub const ONE: Self = Self(Repr::Small(1, 1));

    /// A whole number.
    #[must_use]
    pub const fn from_integer(value: i64) -> Self {
        Self(Repr::Small(value, 1))
    }

    /// `numerator / denominator`; `None` if the denominator is zero.
    #[must_use]
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Self> {
        (denominator != 0).then(|| Self::reduced(numerator, denominator))
    }

    /// The denominator must not be zero.
    fn reduced(numerator: i128, denominator: i128) -> Self {
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let whole = i128::try_from(divisor).unwrap_or(1);
        let sign = denominator.signum();
        let parts = (numerator / whole)
            .checked_mul(sign)
            .zip((denominator / whole).checked_mul(sign));
        if let Some((above, below)) = parts
            && let (Ok(above), Ok(below)) = (i64::try_from(above), i64::try_from(below))
        {
            return Self(Repr::Small(above, below));
        }
        Self::from_big(BigRational::new(numerator.into(), denominator.into()))
    }

    fn from_big(value: BigRational) -> Self {
        match (value.numer().to_i64(), value.denom().to_i64()) {
            (Some(above), Some(below)) => Self(Repr::Small(above, below)),
            _ => Self(Repr::Big(Box::new(value))),
        }
    }

    fn as_big(&self) -> Cow<'_, BigRational> {
        match &self.0 {
            Repr::Small(above, below) => Cow::Owned(BigRational::new_raw(
                BigInt::from(*above),
                BigInt::from(*below),
            )),
            Repr::Big(value) => Cow::Borrowed(value),
        }
    }

    /// `self / other`, or `None` if `other` is zero.
    #[must_use]
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            return Self::ratio(
                i128::from(*a) * i128::from(*d),
                i128::from(*b) * i128::from(*c),
            );
        }
        Some(Self::from_big(&*self.as_big() / &*other.as_big()))
    }

    /// Whether this is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self == &Self::ZERO
    }

    /// Whether this is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self < &Self::ZERO
    }

    /// Whether this is `step` times a whole number. No number but zero is a multiple of zero.
    #[must_use]
    pub fn is_multiple_of(&self, step: &Self) -> bool {
        match self.checked_div(step) {
            Some(quotient) => quotient.as_integer().is_some(),
            None => self.is_zero(),
        }
    }

    /// The value as an `i64`, if it is whole and fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Small(value, 1) => Some(value),
            _ => None,
        }
    }

    fn as_integer(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Small(value, 1) => Some(BigInt::from(*value)),
            Repr::Small(..) => None,
            Repr::Big(value) => value.is_integer().then(|| value.to_integer()),
        }
    }

    /// The least common multiple of `unit` and the denominator, if it fits.
    pub(crate) fn common_unit(&self, unit: i64) -> Option<i64> {
        match self.0 {
            Repr::Small(_, below) if unit % below == 0 => Some(unit),
            Repr::Small(_, below) => (unit / unit.gcd(&below)).checked_mul(below),
            Repr::Big(_) => None,
        }
    }

    /// The number times `unit`, if that is whole and fits.
    pub(crate) fn in_units_of(&self, unit: i64) -> Option<i64> {
        match self.0 {
            Repr::Small(above, below) if unit % below == 0 => above.checked_mul(unit / below),
            _ => None,
        }
    }

    /// The nearest binary floating-point number. For calibration and display only.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.as_big().to_f64().unwrap_or(f64::NAN)
    }

    /// The number with at most `scale` decimals.
    #[must_use]
    pub fn rounded(&self, scale: u8, rounding: Rounding) -> Self {
        let unit = Pow::pow(BigInt::from(10), u32::from(scale));
        Self::from_big(BigRational::new(self.in_units(scale, rounding), unit))
    }

    /// The number with exactly `scale` decimals: `86.125` at 2, half-up, is `"86.13"`.
    #[must_use]
    pub fn fixed(&self, scale: u8, rounding: Rounding) -> String {
        decimal_text(&self.in_units(scale, rounding).to_string(), scale.into())
    }

    /// The square root, to the nearest with `scale` decimals; 0 of what is below 0.
    #[must_use]
    pub fn root(&self, scale: u8) -> Self {
        if self.is_negative() {
            return Self::ZERO;
        }
        let unit: BigInt = Pow::pow(BigInt::from(10), u32::from(scale));
        let value = self.as_big();
        // Twice the root in units, rounded down, says on which side of the middle it lies.
        let square: BigInt = value.numer() * &unit * &unit * 4 / value.denom();
        let twice = square.sqrt();
        Self::from_big(BigRational::new((twice + 1) / 2, unit))
    }

    /// The number times 10^`scale`, rounded to a whole number.
    fn in_units(&self, scale: u8, rounding: Rounding) -> BigInt {
        if let Some(units) = self.small_in_units(scale, rounding) {
            return BigInt::from(units);
        }
        let unit: BigInt = Pow::pow(BigInt::from(10), u32::from(scale));
        let value = self.as_big();
        let (above, below) = (value.numer() * unit, value.denom());
        let (quotient, rest) = above.abs().div_rem(below);
        let twice: BigInt = rest * 2;
        let up = match rounding {
            Rounding::Down => false,
            Rounding::HalfUp => *below <= twice,
            Rounding::HalfEven => match twice.cmp(below) {
                Ordering::Less => false,
                Ordering::Equal => quotient.is_odd(),
                Ordering::Greater => true,
            },
        };
        let magnitude = if up { quotient + 1 } else { quotient };
        if above.is_negative() {
            -magnitude
        } else {
            magnitude
        }
    }

    /// The same in machine integers, where they are wide enough.
    fn small_in_units(&self, scale: u8, rounding: Rounding) -> Option<i128> {
        let Repr::Small(above, below) = self.0 else {
            return None;
        };
        let unit = 10_i128.checked_pow(scale.into())?;
        let above = i128::from(above).checked_mul(unit)?;
        let below = i128::from(below);
        let (quotient, rest) = (above / below, above % below);
        Some(rounding.settle(quotient, rest, below, above.signum()))
    }
}

/// Euclid's algorithm, in 64 bits as soon as both parts fit: 128-bit division is slow.
fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        if let (Ok(small_a), Ok(small_b)) = (u64::try_from(a), u64::try_from(b)) {
            return small_a.gcd(&small_b).into();
        }
        (a, b) = (b, a % b);
    }
    a
}

/// Puts the decimal point into `units`, a whole number of 10^-`scale`.
fn decimal_text(units: &str, scale: usize) -> String {
    let (sign, digits) = match units.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", units),
    };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, decimals) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{decimals}")
}

impl FromStr for Exact {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if MAX_TEXT < text.len() {
            return Err(NumberError::TooLong(text.len()));
        }
        let wrong = || NumberError::NotANumber(text.to_owned());
        match text.split_once('/') {
            Some((above, below)) => {
                let below = decimal(below).ok_or_else(wrong)?;
                let above = decimal(above).ok_or_else(wrong)?;
                above
                    .checked_div(&below)
                    .ok_or_else(|| NumberError::DivisionByZero(text.to_owned()))
            }
            None => decimal(text).ok_or_else(wrong),
        }
    }
}

/// Reads `-12.50`: an optional sign, digits, optionally a point and digits.
fn decimal(text: &str) -> Option<Exact> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, decimals) = match unsigned.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return None,
        None => (unsigned, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let magnitude = if whole.len() + decimals.len() <= 18 {
        let digits = |part: &str| {
            part.bytes()
                .fold(0_i64, |sum, b| sum * 10 + i64::from(b - b'0'))
        };
        let unit = 10_i64.pow(u32::try_from(decimals.len()).ok()?);
        Exact::reduced(
            i128::from(digits(whole) * unit + digits(decimals)),
            unit.into(),
        )
    } else {
        let above: BigInt = format!("{whole}{decimals}").parse().ok()?;
        let below: BigInt = Pow::pow(BigInt::from(10), decimals.len());
        Exact::from_big(BigRational::new(above, below))
    };
    Some(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.as_big();
        let mut rest = value.denom().clone();
        let mut count = |prime: u32| {
            let prime = BigInt::from(prime);
            let mut times = 0_usize;
            while rest.is_multiple_of(&prime) {
                rest /= &prime;
                times += 1;
            }
            times
        };
        let scale = count(2).max(count(5));
        if rest.is_one() {
            let unit: BigInt = Pow::pow(BigInt::from(10), scale);
            let units = (value.numer() * unit / value.denom()).to_string();
            out.write_str(&decimal_text(&units, scale))
        } else {
            write!(out, "{}/{}", value.numer(), value.denom())
        }
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Default for Exact {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<i64> for Exact {
    fn from(value: i64) -> Self {
        Self::from_integer(value)
    }
}

impl From<u32> for Exact {
    fn from(value: u32) -> Self {
        Self::from_integer(value.into())
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Small(a, b), Repr::Small(c, d)) => {
                (i128::from(*a) * i128::from(*d)).cmp(&(i128::from(*c) * i128::from(*b)))
            }
            _ => self.as_big().cmp(&other.as_big()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Add<&Exact> for &Exact {
    type Output = Exact;

    fn add(self, other: &Exact) -> Exact {
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            let (a, b, c, d) = (
                i128::from(*a),
                i128::from(*b),
                i128::from(*c),
                i128::from(*d),
            );
            // Each product is below 2^126, so the sum fits.
            return Exact::reduced(a * d + c * b, b * d);
        }
        Exact::from_big(&*self.as_big() + &*other.as_big())
    }
}

impl Mul<&Exact> for &Exact {
    type Output = Exact;

    fn mul(self, other: &Exact) -> Exact {
        if let (Repr::Small(a, b), Repr::Small(c, d)) = (&self.0, &other.0) {
            return Exact::reduced(
                i128::from(*a) * i128::from(*c),
                i128::from(*b) * i128::from(*d),
            );
        }
        Exact::from_big(&*self.as_big() * &*other.as_big())
    }
}

impl Neg for &Exact {
    type Output = Exact;

    fn neg(self) -> Exact {
        match &self.0 {
            Repr::Small(above, below) => Exact::reduced(-i128::from(*above), (*below).into()),
            Repr::Big(value) => Exact::from_big(-&**value),
        }
    }
}

impl Neg for Exact {
    type Output = Self;

    fn neg(self) -> Self {
        -&self
    }
}

impl Sub<&Exact> for &Exact {
    type Output = Exact;

    fn sub(self, other: &Exact) -> Exact {
        self + &-other
    }
}

impl Add for Exact {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        &self + &other
    }
}

impl Sub for Exact {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        &self - &other
    }
}

impl Mul for Exact {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        &self * &other
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, number| sum + number)
    }
}

impl<'a> Sum<&'a Exact> for Exact {
    fn sum<I: Iterator<Item = &'a Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, number| &sum + number)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Exact;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number such as 88, 0.4 or \"263/3\"")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Exact, E> {
        Ok(Exact::from_integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Exact, E> {
        Ok(Exact::reduced(value.into(), 1))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Exact, E> {
        // `{}` prints the shortest decimal that reads back as this float, never with an exponent.
        format!("{value}").parse().map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Exact, E> {
        value.parse().map_err(E::custom)
    }
}

impl JsonSchema for Exact {
    fn schema_name() -> Cow<'static, str> {
        "Exact".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "pattern": r"^[+-]?[0-9]+(\.[0-9]+)?(/[+-]?[0-9]+(\.[0-9]+)?)?$",
            "description": "An exact number: an integer, a decimal or a fraction such as 263/3, as text; a JSON number is taken by its decimal text.",
            "examples": ["88", "0.4", "263/3"],
        })
    }
}
