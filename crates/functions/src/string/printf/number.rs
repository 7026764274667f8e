//! Numbers in Java's formats. Rounding is half-up over the shortest digits that identify a double.

use super::directive::Directive;

/// An integer in base 10.
pub(super) fn decimal(value: i64, directive: &Directive) -> String {
    let digits = value.unsigned_abs().to_string();
    signed(value < 0, digits, directive)
}

/// An integer in base 8 or 16: negative numbers in two's complement of their width.
pub(super) fn bits(value: i64, width: u32, directive: &Directive) -> String {
    let value = value as u64 & (u64::MAX >> (64 - width));
    let (prefix, digits) = match directive.conversion {
        'o' => ("0", format!("{value:o}")),
        _ => ("0x", format!("{value:x}")),
    };
    let prefix = if directive.flags.alternate { prefix } else { "" };
    zero_filled(prefix.to_owned(), digits, "", directive)
}

/// A floating-point number; `shortest` is its magnitude as `d.ddde±x`.
pub(super) fn float(value: f64, shortest: &str, directive: &Directive) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let negative = value.is_sign_negative();
    if value.is_infinite() {
        let sign = if negative {
            "-"
        } else if directive.flags.plus {
            "+"
        } else {
            ""
        };
        return format!("{sign}Infinity");
    }
    let precision = directive.precision.unwrap_or(6);
    let magnitude = Digits::parse(shortest);
    let text = match directive.conversion {
        'f' => magnitude.fixed(precision),
        'e' => magnitude.scientific(precision),
        _ => magnitude.general(precision.max(1)),
    };
    signed(negative, text, directive)
}

/// Sign, grouping and zeros around the digits.
fn signed(negative: bool, digits: String, directive: &Directive) -> String {
    let digits = if directive.flags.group { grouped(&digits) } else { digits };
    let (prefix, suffix) = match negative {
        true if directive.flags.parentheses => ("(", ")"),
        true => ("-", ""),
        false if directive.flags.plus => ("+", ""),
        false if directive.flags.space => (" ", ""),
        false => ("", ""),
    };
    zero_filled(prefix.to_owned(), digits, suffix, directive)
}

fn zero_filled(prefix: String, digits: String, suffix: &str, directive: &Directive) -> String {
    let used = prefix.len() + digits.len() + suffix.len();
    let zeros = if directive.flags.zero { directive.width.unwrap_or(0).saturating_sub(used) } else { 0 };
    format!("{prefix}{}{digits}{suffix}", "0".repeat(zeros))
}

/// Commas between groups of three digits before the point.
fn grouped(digits: &str) -> String {
    let whole = digits.find(['.', 'e']).unwrap_or(digits.len());
    let mut out = String::with_capacity(digits.len() + whole / 3);
    for (i, c) in digits[..whole].chars().enumerate() {
        if i > 0 && (whole - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(&digits[whole..]);
    out
}

/// A magnitude: `0.d₀d₁d₂… × 10^point`.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// Reads `d.ddde±x`.
    fn parse(shortest: &str) -> Self {
        let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
        let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
        Self { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }
    }

    fn is_zero(&self) -> bool {
        self.digits.iter().all(|d| *d == 0)
    }

    /// The first `count` digits, rounded half-up; may carry into a new first digit.
    fn rounded(&self, count: i32) -> Self {
        let Ok(count) = usize::try_from(count) else { return Self { digits: vec![0], point: self.point } };
        let mut digits: Vec<u8> = self.digits.iter().copied().chain(std::iter::repeat(0)).take(count).collect();
        let mut carry = self.digits.get(count).is_some_and(|d| *d >= 5);
        for digit in digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == 9;
            *digit = if carry { 0 } else { *digit + 1 };
        }
        if carry {
            digits.insert(0, 1);
        }
        Self { digits, point: self.point + i32::from(carry) }
    }

    /// `ddd.ddd` with `precision` digits behind the point.
    fn fixed(&self, precision: usize) -> String {
        let rounded = self.rounded(self.point.saturating_add(precision as i32));
        let digit = |place: i32| {
            let index = usize::try_from(rounded.point - 1 - place).ok();
            char::from(b'0' + index.and_then(|i| rounded.digits.get(i)).copied().unwrap_or(0))
        };
        let mut out: String = (0..rounded.point.max(1)).rev().map(digit).collect();
        if precision > 0 {
            out.push('.');
            out.extend((1..=precision as i32).map(|place| digit(-place)));
        }
        out
    }

    /// `d.ddde±xx`.
    fn scientific(&self, precision: usize) -> String {
        let rounded = self.rounded(precision as i32 + 1);
        let exponent = if self.is_zero() { 0 } else { rounded.point - 1 };
        let mut digits = rounded.digits.iter().map(|d| char::from(b'0' + d));
        let mut out: String = digits.by_ref().take(1).collect();
        if precision > 0 {
            out.push('.');
            out.extend(digits.take(precision));
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("e{sign}{:02}", exponent.abs()));
        out
    }

    /// [`Self::fixed`] for 10⁻⁴ up to 10^precision, [`Self::scientific`] otherwise.
    fn general(&self, precision: usize) -> String {
        let magnitude = self.rounded(precision as i32).point;
        if self.is_zero() {
            return self.fixed(precision - 1);
        }
        if (-3..=precision as i32).contains(&magnitude) {
            self.fixed(usize::try_from(precision as i32 - magnitude).unwrap_or(0))
        } else {
            self.scientific(precision - 1)
        }
    }
}
