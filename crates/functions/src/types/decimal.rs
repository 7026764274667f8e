//! Precision and scale of decimal results.
//!
//! | operation | precision | scale |
//! |---|---|---|
//! | `a + b`, `a - b` | `max(p1 - s1, p2 - s2) + scale + 1` | `max(s1, s2)` |
//! | `a * b` | `p1 + p2 + 1` | `s1 + s2` |
//! | `a / b` | `p1 - s1 + s2 + scale` | `max(6, s1 + p2 + 1)` |
//! | `a % b` | `min(p1 - s1, p2 - s2) + scale` | `max(s1, s2)` |
//!
//! A precision above 38 gives up scale, but not below 6, in favour of whole digits.

use headwater_types::TypeRoot;

/// The largest precision of a decimal.
pub const PRECISION_MAX: u8 = 38;

/// The scale that is kept when a result has too many digits.
const SCALE_KEPT: i32 = 6;

/// Precision and scale of a decimal.
pub type PrecisionScale = (u8, u8);

/// Result of addition and subtraction.
pub fn plus((p1, s1): PrecisionScale, (p2, s2): PrecisionScale) -> PrecisionScale {
    let scale = s1.max(s2);
    let whole = whole_digits(p1, s1).max(whole_digits(p2, s2));
    adjust(whole + i32::from(scale) + 1, i32::from(scale))
}

/// Result of multiplication.
pub fn times((p1, s1): PrecisionScale, (p2, s2): PrecisionScale) -> PrecisionScale {
    adjust(i32::from(p1) + i32::from(p2) + 1, i32::from(s1) + i32::from(s2))
}

/// Result of division.
pub fn divide((p1, s1): PrecisionScale, (p2, s2): PrecisionScale) -> PrecisionScale {
    let scale = SCALE_KEPT.max(i32::from(s1) + i32::from(p2) + 1);
    adjust(whole_digits(p1, s1) + i32::from(s2) + scale, scale)
}

/// Result of the remainder.
pub fn modulo((p1, s1): PrecisionScale, (p2, s2): PrecisionScale) -> PrecisionScale {
    let scale = s1.max(s2);
    let whole = whole_digits(p1, s1).min(whole_digits(p2, s2));
    adjust(whole + i32::from(scale), i32::from(scale))
}

/// Result of rounding to `digits` places.
pub fn round((p, s): PrecisionScale, digits: i64) -> PrecisionScale {
    if digits >= i64::from(s) {
        (p, s)
    } else if digits < 0 {
        ((1 + p - s).min(PRECISION_MAX), 0)
    } else {
        // Rounding may carry into one more digit.
        ((1 + p - s + digits as u8).min(PRECISION_MAX), digits as u8)
    }
}

/// The decimal that holds all values of two decimals, whole digits first.
pub fn common((p1, s1): PrecisionScale, (p2, s2): PrecisionScale) -> PrecisionScale {
    let whole = (p1 - s1.min(p1)).max(p2 - s2.min(p2)).min(PRECISION_MAX);
    let scale = s1.max(s2).min(PRECISION_MAX - whole);
    (whole + scale, scale)
}

/// The root of a decimal type.
pub fn root((p, s): PrecisionScale) -> TypeRoot {
    TypeRoot::Decimal(p, s)
}

fn whole_digits(precision: u8, scale: u8) -> i32 {
    i32::from(precision) - i32::from(scale)
}

fn adjust(precision: i32, scale: i32) -> PrecisionScale {
    let max = i32::from(PRECISION_MAX);
    if precision <= max {
        return (precision.max(1) as u8, scale as u8);
    }
    let whole = precision - scale;
    (PRECISION_MAX, (max - whole).max(scale.min(SCALE_KEPT)) as u8)
}
