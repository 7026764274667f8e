//! Decimal numbers.

/// A parsed decimal, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The unscaled value at the wanted scale, rounded half up.
    Value(i128),
    /// A number that needs more digits than the precision has: NULL in Flink.
    Overflow,
    /// Not a number.
    Malformed,
}

/// Digits and exponent of a number in scientific or plain notation.
struct Digits<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

fn split(text: &[u8]) -> Option<Digits<'_>> {
    let (negative, rest) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let exponent_at = rest.iter().position(|b| matches!(b, b'e' | b'E'));
    let (mantissa, exponent) = match exponent_at {
        Some(at) => (&rest[..at], super::number::integer(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let point = mantissa.iter().position(|b| *b == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let digits_only = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    (digits_only && !(whole.is_empty() && fraction.is_empty())).then_some(Digits {
        negative,
        whole,
        fraction,
        exponent,
    })
}

/// Parses a decimal into `DECIMAL(precision, scale)`.
pub(crate) fn parse(text: &[u8], precision: u8, scale: u8) -> Parsed {
    let Some(digits) = split(super::trim(text)) else { return Parsed::Malformed };
    // The digits that survive: everything left of the position `scale` places after the point.
    let keep = (digits.whole.len() as i64).saturating_add(digits.exponent).saturating_add(i64::from(scale));
    match accumulate(&digits, keep) {
        Some(value) if value < 10_i128.pow(u32::from(precision.min(38))) => {
            Parsed::Value(if digits.negative { -value } else { value })
        }
        _ => Parsed::Overflow,
    }
}

/// The first `keep` digits as a number, rounded half up by the digit after them; `None` above 38 digits.
fn accumulate(digits: &Digits<'_>, keep: i64) -> Option<i128> {
    let mut value = 0_i128;
    let mut all = digits.whole.iter().chain(digits.fraction).map(|b| i128::from(b - b'0'));
    let mut left = keep;
    while left > 0 {
        let Some(digit) = all.next() else { break };
        value = value.checked_mul(10)?.checked_add(digit)?;
        left -= 1;
    }
    if left > 0 && value != 0 {
        return value.checked_mul(10_i128.checked_pow(u32::try_from(left).ok()?)?);
    }
    let round_up = left == 0 && all.next().is_some_and(|d| d >= 5);
    value.checked_add(i128::from(round_up))
}
