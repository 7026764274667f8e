//! A position in the bytes of a block, with the lexical steps of JSON.
//!
//! Reading past the end gives line feeds, which end a record anyway: no step needs a bounds check of its own.

use super::text::unescape;
use crate::scan::{string_stop, structure_stop};
use std::fmt;

/// Why a value or record could not be decoded.
///
/// Boxed, because it is rare and travels through the hot path's results.
#[derive(Debug)]
pub(super) struct Failure(Box<Problem>);

#[derive(Debug)]
struct Problem {
    at: usize,
    path: String,
    reason: String,
}

pub(super) type Step<T> = Result<T, Failure>;

impl Failure {
    #[cold]
    pub(super) fn new(at: usize, reason: impl Into<String>) -> Self {
        Self(Box::new(Problem { at, path: String::new(), reason: reason.into() }))
    }

    /// The same failure, inside the field of this name.
    #[cold]
    pub(super) fn within(mut self, field: &str) -> Self {
        let inner = std::mem::take(&mut self.0.path);
        self.0.path = if inner.is_empty() { field.to_string() } else { format!("{field}.{inner}") };
        self
    }

    /// Position of the offending byte in the block.
    pub(super) fn at(&self) -> usize {
        self.0.at
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "field '{}': ", self.0.path)?;
        }
        f.write_str(&self.0.reason)
    }
}

/// The raw extent of a string, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawString<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) escaped: bool,
    at: usize,
}

impl<'a> RawString<'a> {
    /// The text: the bytes themselves, or their unescaped form in `scratch`.
    pub(super) fn text<'s>(&self, scratch: &'s mut Vec<u8>) -> Step<&'s [u8]>
    where
        'a: 's,
    {
        if !self.escaped {
            return Ok(self.bytes);
        }
        scratch.clear();
        self.unescape_into(scratch)?;
        Ok(scratch)
    }

    /// Appends the unescaped text.
    #[cold]
    pub(super) fn unescape_into(&self, out: &mut Vec<u8>) -> Step<()> {
        unescape(self.bytes, out).map_err(|at| Failure::new(self.at + at, "invalid escape sequence in a string"))
    }
}

/// A position in a block.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// The byte here.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(b'\n')
    }

    /// The bytes from here on.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips blanks within the record.
    #[inline(always)]
    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Takes `byte` or fails, naming what was expected.
    #[inline(always)]
    pub(super) fn expect(&mut self, byte: u8, expected: &str) -> Step<()> {
        if self.peek() != byte {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// The failure of finding something else than `expected` here.
    #[cold]
    pub(super) fn unexpected(&self, expected: &str) -> Failure {
        let found = match self.peek() {
            b'\n' => "the end of the line".to_string(),
            byte if byte.is_ascii_graphic() => format!("'{}'", byte as char),
            byte => format!("byte 0x{byte:02x}"),
        };
        Failure::new(self.at, format!("expected {expected}, found {found}"))
    }

    /// Takes the literal `null` when it is here.
    #[inline(always)]
    pub(super) fn take_null(&mut self) -> bool {
        self.peek() == b'n' && self.take_literal(b"null")
    }

    fn take_literal(&mut self, literal: &[u8]) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    /// Takes a string, whose opening quote is here.
    #[inline]
    pub(super) fn string(&mut self) -> Step<RawString<'a>> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let end = string_stop(self.bytes, start);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(RawString { bytes: &self.bytes[start..end], escaped: false, at: start });
        }
        self.escaped_string(start, end)
    }

    #[cold]
    fn escaped_string(&mut self, start: usize, mut stop: usize) -> Step<RawString<'a>> {
        loop {
            match self.bytes.get(stop) {
                Some(b'"') => {
                    self.at = stop + 1;
                    return Ok(RawString { bytes: &self.bytes[start..stop], escaped: true, at: start });
                }
                Some(b'\\') if !matches!(self.bytes.get(stop + 1), None | Some(b'\n')) => {
                    stop = string_stop(self.bytes, stop + 2);
                }
                _ => {
                    self.at = stop;
                    return Err(Failure::new(start - 1, "a string is not closed before the end of the line"));
                }
            }
        }
    }

    /// Takes the text of a number or literal: everything up to the next delimiter.
    pub(super) fn bare(&mut self) -> Step<&'a [u8]> {
        let start = self.at;
        while matches!(self.peek(), b'0'..=b'9' | b'+' | b'-' | b'.' | b'a'..=b'z' | b'A'..=b'Z') {
            self.at += 1;
        }
        let text = &self.bytes[start..self.at];
        let valid = match text.first() {
            Some(b'-' | b'0'..=b'9') => is_number(text),
            Some(_) => matches!(text, b"true" | b"false" | b"null"),
            None => return Err(self.unexpected("a value")),
        };
        if valid {
            return Ok(text);
        }
        self.at = start;
        Err(Failure::new(start, format!("'{}' is not a JSON value", String::from_utf8_lossy(text))))
    }

    /// Skips a value of any kind without looking inside strings and numbers more than needed.
    #[inline]
    pub(super) fn skip_value(&mut self) -> Step<()> {
        match self.peek() {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.skip_container(),
            _ => self.bare().map(|_| ()),
        }
    }

    /// Skips an object or array by counting brackets outside strings.
    fn skip_container(&mut self) -> Step<()> {
        let mut depth = 0_u32;
        let start = self.at;
        loop {
            self.at = structure_stop(self.bytes, self.at);
            match self.peek() {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => return Err(Failure::new(start, "an object or array is not closed before the end of the line")),
            }
        }
    }
}

/// Whether the text follows JSON's grammar of numbers.
pub(super) fn is_number(text: &[u8]) -> bool {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(text.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && text[at] == b'0') {
        return false;
    }
    at += whole;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == text.len()
}
