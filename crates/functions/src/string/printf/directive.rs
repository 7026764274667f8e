//! Format directives: `%[argument$][flags][width][.precision]conversion`.

use super::number;
use super::value::Value;

/// Width and precision beyond this are refused: they come from the user's text.
const WIDTH_MAX: usize = 1 << 20;

/// A part of a format.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// A value to be formatted.
    Directive(Directive),
}

/// Which argument a directive takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Which {
    /// The one after that of the last such directive.
    Next,
    /// `%<…`: that of the directive before.
    Same,
    /// `%n$…`, from 1.
    Number(usize),
}

/// The flags of a directive.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Flags {
    /// `-`
    pub(super) left: bool,
    /// `#`
    pub(super) alternate: bool,
    /// `+`
    pub(super) plus: bool,
    /// ` `
    pub(super) space: bool,
    /// `0`
    pub(super) zero: bool,
    /// `,`
    pub(super) group: bool,
    /// `(`
    pub(super) parentheses: bool,
}

/// A directive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Directive {
    pub(super) which: Which,
    pub(super) flags: Flags,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// In lower case.
    pub(super) conversion: char,
    pub(super) upper: bool,
}

/// The pieces of a format; `None` when it is malformed.
pub(super) fn parse(format: &str) -> Option<Vec<Piece<'_>>> {
    let (mut pieces, mut rest) = (Vec::new(), format);
    while let Some(at) = rest.find('%') {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let (directive, behind) = parse_directive(&rest[at + 1..])?;
        pieces.push(Piece::Directive(directive));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

/// A directive, behind its `%`, and what follows it.
fn parse_directive(text: &str) -> Option<(Directive, &str)> {
    let (which, text) = parse_which(text);
    let (flags, text) = parse_flags(text)?;
    let (width, text) = parse_number(text);
    let (precision, text) = match text.strip_prefix('.') {
        Some(text) => {
            let (precision, text) = parse_number(text);
            (Some(precision?), text)
        }
        None => (None, text),
    };
    let conversion = text.chars().next()?;
    let upper = conversion.is_ascii_uppercase();
    let directive = Directive { which, flags, width, precision, conversion: conversion.to_ascii_lowercase(), upper };
    (directive.is_legal() && width.max(precision) <= Some(WIDTH_MAX))
        .then(|| (directive, &text[conversion.len_utf8()..]))
}

fn parse_which(text: &str) -> (Which, &str) {
    if let Some(rest) = text.strip_prefix('<') {
        return (Which::Same, rest);
    }
    if let (Some(number), rest) = parse_number(text)
        && let Some(rest) = rest.strip_prefix('$')
        && !text.starts_with('0')
    {
        return (Which::Number(number), rest);
    }
    (Which::Next, text)
}

/// A number without a sign at the start of `text`.
fn parse_number(text: &str) -> (Option<usize>, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (text[..digits].parse().ok(), &text[digits..])
}

/// Flags; a repeated one is malformed.
fn parse_flags(mut text: &str) -> Option<(Flags, &str)> {
    let mut flags = Flags::default();
    while let Some(c) = text.chars().next() {
        let flag = match c {
            '-' => &mut flags.left,
            '#' => &mut flags.alternate,
            '+' => &mut flags.plus,
            ' ' => &mut flags.space,
            '0' => &mut flags.zero,
            ',' => &mut flags.group,
            '(' => &mut flags.parentheses,
            _ => break,
        };
        if std::mem::replace(flag, true) {
            return None;
        }
        text = &text[1..];
    }
    Some((flags, text))
}

impl Directive {
    /// Whether an argument belongs to it.
    pub(super) fn takes_argument(&self) -> bool {
        !matches!(self.conversion, '%' | 'n')
    }

    fn is_legal(&self) -> bool {
        let Flags { left, plus, space, zero, .. } = self.flags;
        let consistent = !(left && zero || plus && space);
        let sides = consistent && (self.width.is_some() || !(left || zero));
        let known = match self.conversion {
            'b' | 's' | 'e' | 'g' | 'c' | 'x' => true,
            'd' | 'o' | 'f' | '%' | 'n' => !self.upper,
            _ => false,
        };
        let precise = self.precision.is_none() || matches!(self.conversion, 'b' | 's' | 'e' | 'f' | 'g');
        sides && known && precise
    }

    /// Appends the value as this directive wants it; `None` when it does not suit.
    pub(super) fn print(&self, value: &Value<'_>, out: &mut String) -> Option<()> {
        let body = match (self.conversion, value) {
            ('n', _) => "\n".to_owned(),
            ('%', _) => "%".to_owned(),
            ('b', Value::Boolean(value)) => self.cut(&value.to_string()),
            ('b', value) => self.cut(if matches!(value, Value::Null) { "false" } else { "true" }),
            ('s', value) => self.cut(&value.to_text()),
            (_, Value::Null) => "null".to_owned(),
            ('c', Value::Int(code, _)) => char::from_u32(u32::try_from(*code).ok()?)?.to_string(),
            ('d', Value::Int(value, _)) => number::decimal(*value, self),
            ('o' | 'x', Value::Int(value, bits)) => number::bits(*value, *bits, self),
            ('e' | 'f' | 'g', Value::Float(value, _)) => number::float(*value, &value_digits(value), self),
            _ => return None,
        };
        self.pad(if self.upper { body.to_uppercase() } else { body }, out);
        Some(())
    }

    /// The first characters, as many as the precision says.
    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn pad(&self, body: String, out: &mut String) {
        let missing = self.width.unwrap_or(0).saturating_sub(body.chars().count());
        let spaces = std::iter::repeat_n(' ', missing);
        if self.flags.left {
            out.push_str(&body);
            out.extend(spaces);
        } else {
            out.extend(spaces);
            out.push_str(&body);
        }
    }
}

/// The shortest digits that identify a value, in scientific notation without a sign.
fn value_digits(value: &f64) -> String {
    format!("{:e}", value.abs())
}
