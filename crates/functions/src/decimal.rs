//! Decimal values: unscaled 128-bit integers of at most 38 digits, rounded half up.

use arrow::datatypes::i256;

/// Powers of ten that fit 128 bits: `POWERS[n]` is 10^n.
pub const POWERS: [i128; 39] = {
    let mut powers = [1i128; 39];
    let mut n = 1;
    while n < 39 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// Whether a value has at most `precision` digits.
#[inline]
pub fn fits(unscaled: i128, precision: u8) -> bool {
    unscaled.unsigned_abs() < POWERS[usize::from(precision)].unsigned_abs()
}

/// `value / divisor`, rounded half away from zero; the divisor is not zero.
#[inline]
pub fn divide_half_up(value: i128, divisor: i128) -> i128 {
    let quotient = value.wrapping_div(divisor);
    let rest = value.wrapping_rem(divisor).unsigned_abs();
    if rest >= divisor.unsigned_abs() - rest {
        quotient + if (value < 0) == (divisor < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

/// The value with another scale; `None` when it then has more than 38 digits.
#[inline]
pub fn rescale(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    match to.checked_sub(from) {
        Some(up) => unscaled.checked_mul(POWERS[usize::from(up)]),
        None => Some(divide_half_up(unscaled, POWERS[usize::from(from - to)])),
    }
}

/// The value as DECIMAL(precision, scale); `None` when it does not fit.
#[inline]
pub fn convert(unscaled: i128, from: u8, (precision, scale): (u8, u8)) -> Option<i128> {
    rescale(unscaled, from, scale).filter(|v| fits(*v, precision))
}

/// `value / divisor` of wide integers, rounded half away from zero; `None` when it does not fit 128 bits.
pub fn wide_divide_half_up(value: i256, divisor: i256) -> Option<i128> {
    let quotient = value.checked_div(divisor)?;
    let rest = value.wrapping_rem(divisor).wrapping_abs();
    let up = rest >= divisor.wrapping_abs().wrapping_sub(rest);
    let quotient = quotient.to_i128()?;
    match (up, (value < i256::ZERO) == (divisor < i256::ZERO)) {
        (true, true) => quotient.checked_add(1),
        (true, false) => quotient.checked_sub(1),
        _ => Some(quotient),
    }
}

/// 10^n as a wide integer; n is at most 76.
pub fn wide_power(n: u32) -> i256 {
    let low = n.min(38);
    i256::from_i128(POWERS[low as usize]).wrapping_mul(i256::from_i128(POWERS[(n - low).min(38) as usize]))
}

/// The nearest double.
pub fn to_double(unscaled: i128, scale: u8) -> f64 {
    const EXACT: i128 = 1 << 53;
    if unscaled.abs() < EXACT && scale <= 22 {
        return unscaled as f64 / 10f64.powi(i32::from(scale));
    }
    // Beyond the exact range a division would round twice.
    let mut text = String::new();
    crate::text::push_decimal(&mut text, unscaled, scale);
    text.parse().expect("a decimal's text is a number")
}

/// What becomes of digits that are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// They round the last kept digit, half away from zero.
    HalfUp,
    /// They are cut off.
    Down,
}

impl Rounding {
    /// `value / divisor` as a whole number.
    pub fn divide(self, value: i128, divisor: i128) -> i128 {
        match self {
            Self::HalfUp => divide_half_up(value, divisor),
            Self::Down => value / divisor,
        }
    }
}

/// Text that is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

/// Reads a number in plain or scientific notation as DECIMAL(precision, scale), rounding half up;
/// `Ok(None)` when it does not fit.
pub fn parse(text: &str, (precision, scale): (u8, u8)) -> Result<Option<i128>, NotANumber> {
    Ok(parse_at(text, scale.into(), Rounding::HalfUp)?.filter(|v| fits(*v, precision)))
}

/// Reads a number as a multiple of 10^-scale; a negative scale rounds to tens, hundreds, ….
/// `Ok(None)` when it does not fit 128 bits.
pub fn parse_at(text: &str, scale: i64, rounding: Rounding) -> Result<Option<i128>, NotANumber> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], unsigned[at + 1..].parse::<i64>().map_err(|_| NotANumber)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|d| d.is_ascii_digit()) {
        return Err(NotANumber);
    }
    let kept = (whole.len() as i64).saturating_add(exponent).saturating_add(scale);
    let value = digits_rounded(digits(), kept, rounding);
    Ok(value.map(|v| if negative { -v } else { v }))
}

/// The number formed by the first `kept` digits (zeros beyond the last).
fn digits_rounded(digits: impl Iterator<Item = u8>, kept: i64, rounding: Rounding) -> Option<i128> {
    let mut value: i128 = 0;
    let mut position = 0;
    for digit in digits {
        let digit = i128::from(digit - b'0');
        if position == kept {
            return value.checked_add(i128::from(digit >= 5 && rounding == Rounding::HalfUp));
        }
        if position > kept {
            return Some(0);
        }
        value = value.checked_mul(10)?.checked_add(digit)?;
        position += 1;
    }
    match (value, usize::try_from(kept - position)) {
        (0, _) | (_, Err(_)) => Some(value),
        (_, Ok(zeros)) => value.checked_mul(*POWERS.get(zeros)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_rounded_half_up_to_the_scale() {
        let cases = [
            ("123.456", (10, 2), Ok(Some(12346))),
            ("-0.005", (3, 2), Ok(Some(-1))),
            ("0.004", (3, 2), Ok(Some(0))),
            ("1e3", (10, 2), Ok(Some(100_000))),
            ("1.5E-1", (10, 2), Ok(Some(15))),
            ("1e-100", (10, 2), Ok(Some(0))),
            ("0e99", (10, 2), Ok(Some(0))),
            ("1e99", (38, 0), Ok(None)),
            ("1000", (3, 0), Ok(None)),
            (".5", (3, 1), Ok(Some(5))),
            ("5.", (3, 1), Ok(Some(50))),
            ("", (3, 1), Err(NotANumber)),
            (".", (3, 1), Err(NotANumber)),
            ("1x", (3, 1), Err(NotANumber)),
            ("+7", (3, 0), Ok(Some(7))),
            ("99999999999999999999999999999999999999", (38, 0), Ok(Some(POWERS[38] - 1))),
        ];
        for (text, ty, expected) in cases {
            assert_eq!(parse(text, ty), expected, "{text}");
        }
    }

    #[test]
    fn rounding_is_away_from_zero_at_the_half() {
        for (value, divisor, expected) in [(5, 10, 1), (-5, 10, -1), (4, 10, 0), (15, -10, -2), (-14, -10, 1)] {
            assert_eq!(divide_half_up(value, divisor), expected, "{value}/{divisor}");
            let wide = wide_divide_half_up(i256::from_i128(value), i256::from_i128(divisor));
            assert_eq!(wide, Some(expected), "wide {value}/{divisor}");
        }
    }

    #[test]
    fn doubles_are_the_nearest() {
        assert_eq!(to_double(12345, 2), 123.45);
        assert_eq!(to_double(POWERS[37], 10), 1e27);
    }
}
