//! JSON values.

use super::number::push_canonical;
use std::borrow::Cow;

/// A JSON value that borrows from the text it was parsed from where it can.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Boolean(bool),
    /// The number as it was written.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    /// Members in the order of the text, without duplicate names.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Whether the value is neither an array nor an object.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The member of this name of an object.
    pub(super) fn member(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Appends the value as JSON text, with sorted keys.
    pub(super) fn push(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => push_canonical(out, number),
            Self::String(text) => push_quoted(out, text),
            Self::Array(elements) => push_array(out, elements),
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                push_list(out, ['{', '}'], sorted, |out, (key, value)| {
                    push_quoted(out, key);
                    out.push(':');
                    value.push(out);
                });
            }
        }
    }

    /// The value as JSON text.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        self.push(&mut out);
        out
    }

    /// The value as SQL text: strings without quotes.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::String(text) => text.clone().into_owned(),
            other => other.to_json(),
        }
    }
}

/// Appends an array.
fn push_array(out: &mut String, elements: &[Json<'_>]) {
    push_list(out, ['[', ']'], elements, |out, element| element.push(out));
}

/// Appends items between brackets, separated by commas.
pub(super) fn push_list<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut push: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(close);
}

/// Appends a JSON string literal.
pub fn push_quoted(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[clean..at]);
        clean = at + 1;
        out.push('\\');
        match byte {
            b'"' | b'\\' => out.push(char::from(byte)),
            0x08 => out.push('b'),
            0x0C => out.push('f'),
            b'\n' => out.push('n'),
            b'\r' => out.push('r'),
            b'\t' => out.push('t'),
            _ => {
                out.push_str("u00");
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out.push_str(&text[clean..]);
    out.push('"');
}
