//! Integers and floating-point numbers.

/// Counts the decimal digits at the start of eight bytes and returns them with their value.
///
/// The bytes are handled as one word: a digit is a byte whose distance from `'0'` is below ten, and eight digits
/// are summed pairwise by three multiplications.
#[inline]
pub(crate) fn leading_digits(eight: [u8; 8]) -> (usize, u64) {
    let word = u64::from_le_bytes(eight) ^ 0x3030_3030_3030_3030;
    let not_digit = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
    let digits = (not_digit.trailing_zeros() / 8) as usize;
    if digits == 0 {
        return (0, 0);
    }
    let aligned = word << (64 - 8 * digits);
    let pairs = aligned.wrapping_mul(10).wrapping_add(aligned >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (digits, low.wrapping_add(high) >> 32)
}

/// Powers of ten by exponent.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The unsigned number at `from`: the position after its digits and its value; `None` without a digit or above
/// 19 digits.
#[inline]
pub(crate) fn unsigned_at(bytes: &[u8], from: usize) -> Option<(usize, u64)> {
    let mut at = from;
    let mut value = 0_u64;
    while let Some(eight) = bytes.get(at..at + 8) {
        let (digits, part) = leading_digits(eight.try_into().ok()?);
        value = value.checked_mul(POWERS[digits])?.checked_add(part)?;
        at += digits;
        if digits < 8 {
            return (at > from).then_some((at, value));
        }
    }
    while let Some(digit) = bytes.get(at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        at += 1;
    }
    (at > from).then_some((at, value))
}

/// The value of a magnitude with its sign.
#[inline]
pub(crate) fn signed(negative: bool, magnitude: u64) -> Option<i64> {
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// A whole integer, with an optional sign and surrounding white space.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let text = super::trim(text);
    let (negative, digits) = match text.first()? {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let (end, magnitude) = unsigned_at(text, digits)?;
    if end != text.len() {
        return None;
    }
    signed(negative, magnitude)
}

/// A floating-point number in Java's notation: `NaN` and `Infinity` by these names only.
pub(crate) fn double(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(super::trim(text)).ok()?;
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned.as_bytes().first()? {
        b'0'..=b'9' | b'.' => text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok(),
        _ if unsigned == "NaN" => Some(f64::NAN),
        _ if unsigned == "Infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ => None,
    }
}

/// A 32-bit floating-point number in Java's notation, rounded once.
pub(crate) fn float(text: &[u8]) -> Option<f32> {
    let trimmed = std::str::from_utf8(super::trim(text)).ok()?;
    match trimmed.parse::<f32>() {
        Ok(value) if value.is_finite() => Some(value),
        _ => double(text).map(|v| v as f32),
    }
}

/// A boolean as Java reads it: anything but `true` is false.
pub(crate) fn boolean(text: &[u8]) -> bool {
    super::trim(text).eq_ignore_ascii_case(b"true")
}
