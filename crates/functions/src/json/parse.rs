//! The JSON parser.
//!
//! Strings without escapes and numbers are borrowed from the text. Nesting is limited. As with Jackson, what
//! follows the first value is not looked at, unless it is glued to a number or a keyword.

use super::value::Json;
use std::borrow::Cow;
use std::collections::HashSet;

/// Deepest nesting of arrays and objects, Jackson's limit.
const DEPTH_MAX: usize = 1000;

/// The error for a bracket that is never closed.
const NOT_CLOSED: &str = "unexpected end of the text, the array or object is not closed that starts";

/// The error for a member name that stands twice.
const DUPLICATE_NAME: &str = "duplicate member name";

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} at line: {line}, column: {column}")]
pub(super) struct ParseError {
    what: &'static str,
    line: usize,
    column: usize,
}

/// How to read a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strictness {
    /// Refuse content behind the value.
    pub(super) whole_text: bool,
    /// Refuse objects that have a name twice; otherwise the last value counts.
    pub(super) unique_names: bool,
}

/// Parses the value at the start of a text.
pub(super) fn parse(text: &str) -> Result<Json<'_>, ParseError> {
    parse_with(text, Strictness::default())
}

/// Parses the value at the start of a text.
pub(super) fn parse_with(text: &str, strictness: Strictness) -> Result<Json<'_>, ParseError> {
    let mut parser = Parser { text, at: 0, depth: 0, strictness };
    let value = parser.value()?;
    parser.check_end(&value)?;
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    strictness: Strictness,
}

impl<'a> Parser<'a> {
    fn error(&self, what: &'static str) -> ParseError {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        ParseError { what, line, column: before.len() - line_start + 1 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips space, and `byte` if it comes next.
    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn check_end(&mut self, value: &Json<'_>) -> Result<(), ParseError> {
        let glued = self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'+'));
        if glued && !matches!(value, Json::String(_) | Json::Array(_) | Json::Object(_)) {
            return Err(self.error("unexpected character"));
        }
        self.skip_space();
        if self.strictness.whole_text && self.peek().is_some() {
            return Err(self.error("unexpected content behind the value"));
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Json<'a>, ParseError> {
        self.skip_space();
        match self.peek().ok_or_else(|| self.error("unexpected end of the text"))? {
            b'"' => Ok(Json::String(self.string()?)),
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b't' => self.keyword("true", Json::Boolean(true)),
            b'f' => self.keyword("false", Json::Boolean(false)),
            b'n' => self.keyword("null", Json::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.error("unexpected character")),
        }
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Result<Json<'a>, ParseError>) -> Result<Json<'a>, ParseError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error("nesting of more than 1000 levels"));
        }
        let not_closed = self.error(NOT_CLOSED);
        self.depth += 1;
        self.at += 1;
        let value = parse(self);
        self.depth -= 1;
        // At the end of the text the innermost open bracket says more than the end.
        value.map_err(|error| match error.what {
            NOT_CLOSED | DUPLICATE_NAME => error,
            _ if self.peek().is_none() => not_closed,
            _ => error,
        })
    }

    fn keyword(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, ParseError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("unexpected character"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self) -> Result<Json<'a>, ParseError> {
        let mut elements = Vec::new();
        if self.accept(b']') {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.accept(b']') {
                return Ok(Json::Array(elements));
            }
            if !self.accept(b',') {
                return Err(self.error("expected ',' or ']'"));
            }
        }
    }

    fn object(&mut self) -> Result<Json<'a>, ParseError> {
        let mut members = Vec::new();
        if self.accept(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name"));
            }
            let name = self.string()?;
            if !self.accept(b':') {
                return Err(self.error("expected ':'"));
            }
            members.push((name, self.value()?));
            if self.accept(b'}') {
                return self.without_duplicates(members);
            }
            if !self.accept(b',') {
                return Err(self.error("expected ',' or '}'"));
            }
        }
    }

    fn without_duplicates(&self, mut members: Vec<(Cow<'a, str>, Json<'a>)>) -> Result<Json<'a>, ParseError> {
        let mut seen = HashSet::with_capacity(members.len());
        // From the back: the last of equal names counts.
        let keep: Vec<bool> = members.iter().rev().map(|(name, _)| seen.insert(name.clone())).collect();
        if keep.contains(&false) {
            if self.strictness.unique_names {
                return Err(self.error(DUPLICATE_NAME));
            }
            let mut keep = keep.into_iter().rev();
            members.retain(|_| keep.next().unwrap_or(true));
        }
        Ok(Json::Object(members))
    }

    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("expected a digit")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json<'a>, ParseError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.at;
        self.digits()?;
        if leading_zero && self.at > whole + 1 {
            return Err(self.error("a number must not start with 0"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    /// A string literal.
    fn string(&mut self) -> Result<Cow<'a, str>, ParseError> {
        self.at += 1;
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let end = rest.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\');
        self.at = end.map_or(self.text.len(), |end| start + end);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut unescaped = self.text[start..self.at].to_owned();
        loop {
            match self.peek() {
                None => return Err(self.error("a string is not closed")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => unescaped.push(self.escape()?),
                Some(0..0x20) => return Err(self.error("a control character must be escaped")),
                Some(_) => {
                    let c = self.text[self.at..].chars().next().unwrap_or_default();
                    self.at += c.len_utf8();
                    unescaped.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        self.at += 1;
        let c = self.peek().ok_or_else(|| self.error("a string is not closed"))?;
        self.at += 1;
        Ok(match c {
            b'"' | b'\\' | b'/' => char::from(c),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("unknown escape")),
        })
    }

    /// `\uhhhh`, or two of them for a character outside the basic plane. Lone surrogates become U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let unit = self.hexadecimal()?;
        let follows = self.text[self.at..].starts_with("\\u");
        if (0xD800..0xDC00).contains(&unit) && follows {
            let back = self.at;
            self.at += 2;
            let low = self.hexadecimal()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or('\u{FFFD}'));
            }
            self.at = back;
        }
        Ok(char::from_u32(unit).unwrap_or('\u{FFFD}'))
    }

    fn hexadecimal(&mut self) -> Result<u32, ParseError> {
        let digits = self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += 4;
        code.ok_or_else(|| self.error("expected four hexadecimal digits"))
    }
}
