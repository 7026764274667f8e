//! Text of scalar values as Flink's encoders write it.

use super::temporal::{TimestampStandard, civil_from_days};

fn two(out: &mut Vec<u8>, value: i64) {
    out.push(b'0' + (value / 10 % 10) as u8);
    out.push(b'0' + (value % 10) as u8);
}

/// `yyyy-MM-dd` of days since the epoch.
pub fn date(out: &mut Vec<u8>, days: i64) {
    let (year, month, day) = civil_from_days(days);
    match year {
        0..=9999 => {
            two(out, year / 100);
            two(out, year % 100);
        }
        _ => out.extend_from_slice(format!("{}{:04}", if year < 0 { '-' } else { '+' }, year.abs()).as_bytes()),
    }
    out.push(b'-');
    two(out, month);
    out.push(b'-');
    two(out, day);
}

/// `HH:mm:ss` of seconds of the day.
pub fn time_of_day(out: &mut Vec<u8>, seconds: i64) {
    two(out, seconds / 3_600);
    out.push(b':');
    two(out, seconds / 60 % 60);
    out.push(b':');
    two(out, seconds % 60);
}

/// `.fff…` with at least `min_digits` and at most nine digits, without further trailing zeros.
pub fn fraction(out: &mut Vec<u8>, nanos: i64, min_digits: usize) {
    let mut digits = 9;
    let mut value = nanos;
    while digits > min_digits && value % 10 == 0 {
        value /= 10;
        digits -= 1;
    }
    if digits == 0 {
        return;
    }
    out.push(b'.');
    out.extend_from_slice(format!("{value:0digits$}").as_bytes());
}

/// A timestamp given in `units_per_second` since the epoch, with at least `min_digits` of fraction.
pub fn timestamp(
    out: &mut Vec<u8>,
    value: i64,
    units_per_second: i64,
    standard: TimestampStandard,
    min_digits: usize,
    zoned: bool,
) {
    let seconds = value.div_euclid(units_per_second);
    let nanos = value.rem_euclid(units_per_second) * (1_000_000_000 / units_per_second);
    date(out, seconds.div_euclid(86_400));
    out.push(standard.separator());
    time_of_day(out, seconds.rem_euclid(86_400));
    fraction(out, nanos, min_digits);
    if zoned {
        out.push(b'Z');
    }
}

/// A decimal of the given scale in plain notation.
pub fn decimal(out: &mut Vec<u8>, unscaled: i128, scale: i8) {
    let scale = scale.max(0) as usize;
    let digits = format!("{:0width$}", unscaled.unsigned_abs(), width = scale + 1);
    if unscaled < 0 {
        out.push(b'-');
    }
    let point = digits.len() - scale;
    out.extend_from_slice(&digits.as_bytes()[..point]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits.as_bytes()[point..]);
    }
}

/// A double as Java's `Double.toString` writes it.
pub fn double(out: &mut Vec<u8>, value: f64) {
    java_float(out, value, ryu::Buffer::new().format(value.abs()));
}

/// A float as Java's `Float.toString` writes it.
pub fn float(out: &mut Vec<u8>, value: f32) {
    java_float(out, f64::from(value), ryu::Buffer::new().format(value.abs()));
}

/// Rearranges the shortest digits of a magnitude: plain notation from 10^-3 up to 10^7, scientific beyond.
fn java_float(out: &mut Vec<u8>, value: f64, shortest: &str) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value.is_infinite() {
        return out.extend_from_slice(b"Infinity");
    }
    if value == 0.0 {
        return out.extend_from_slice(b"0.0");
    }
    let (digits, exponent) = significant(shortest);
    match exponent {
        -3..=-1 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
            out.extend_from_slice(&digits);
        }
        0..=6 => plain(out, &digits, exponent as usize + 1),
        _ => {
            plain(out, &digits, 1);
            out.extend_from_slice(format!("E{exponent}").as_bytes());
        }
    }
}

/// Digits with the point after the first `whole` of them, padded by zeros on both sides of it.
fn plain(out: &mut Vec<u8>, digits: &[u8], whole: usize) {
    let split = digits.len().min(whole);
    out.extend_from_slice(&digits[..split]);
    out.extend(std::iter::repeat_n(b'0', whole - split));
    out.push(b'.');
    out.extend_from_slice(if split < digits.len() { &digits[split..] } else { b"0" });
}

/// The significant digits of a positive number and the power of ten of the first.
fn significant(text: &str) -> (Vec<u8>, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let leading = all.iter().take_while(|d| **d == b'0').count();
    let trailing = all[leading..].iter().rev().take_while(|d| **d == b'0').count();
    (all[leading..all.len() - trailing].to_vec(), exponent + whole.len() as i32 - 1 - leading as i32)
}

/// A decimal as Java's `BigDecimal.toString` writes it: `12.50`, and `2.70E-7` for what is smaller than a millionth.
pub fn decimal_java(out: &mut Vec<u8>, value: i128, scale: i8) {
    let digits = value.unsigned_abs().to_string();
    let exponent = digits.len() as i32 - 1 - i32::from(scale);
    if scale >= 0 && exponent >= -6 {
        return decimal(out, value, scale);
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits.as_bytes()[..1]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits.as_bytes()[1..]);
    }
    out.extend_from_slice(format!("E{exponent:+}").as_bytes());
}

/// A decimal as Jackson writes Flink's: without zeros at the end, so `12.5` for 12.50 and `1E+2` for 100.
pub fn decimal_short(out: &mut Vec<u8>, mut value: i128, mut scale: i8) {
    if value == 0 {
        return out.push(b'0');
    }
    while value % 10 == 0 {
        value /= 10;
        scale -= 1;
    }
    decimal_java(out, value, scale);
}

/// `HH:mm:ss`, with a fraction when there is one, of milliseconds of the day.
pub fn time(out: &mut Vec<u8>, ms: i32) {
    time_of_day(out, i64::from(ms / 1_000));
    fraction(out, i64::from(ms % 1_000) * 1_000_000, 0);
}
