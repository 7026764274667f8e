//! Uniform resource locators: `URL_ENCODE`, `URL_DECODE`, `PARSE_URL`.

use crate::kernel::{Column, TextBuilder, kernel, text_bytes, texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, StringArray};
use headwater_types::{LogicalType, Result};

#[cfg(test)]
mod tests;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[URL_ENCODE, URL_DECODE, PARSE_URL];

/// `URL_ENCODE(string)`: the form encoding of HTML, in UTF-8.
pub const URL_ENCODE: Function = Function::new(
    "URL_ENCODE",
    "URL_ENCODE(<CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(1..=1)?, LogicalType::string().root),
    |_| kernel(url_encode),
);

/// `URL_DECODE(string)`: NULL when an escape is malformed.
pub const URL_DECODE: Function = Function::new(
    "URL_DECODE",
    "URL_DECODE(<CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(1..=1)?, LogicalType::string().root),
    |_| kernel(url_decode),
);

/// `PARSE_URL(url, part[, key])`: a part of a URL; the key selects a parameter of the QUERY part. Parts: HOST,
/// PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO. NULL for absent parts and malformed URLs.
pub const PARSE_URL: Function = Function::new(
    "PARSE_URL",
    "PARSE_URL(url <CHARACTER_STRING>, partToExtract <CHARACTER_STRING>[, key <CHARACTER_STRING>])",
    |call| call.returns_nullable(call.all_strings(2..=3)?, LogicalType::string().root),
    |_| kernel(parse_url),
);

fn url_encode(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    texts(rows, text_bytes(text.array()).len() * 2, |row, out| {
        text.get(row)?.bytes().for_each(|byte| encode_byte(byte, out));
        Some(())
    })
}

fn encode_byte(byte: u8, out: &mut TextBuilder) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
        b' ' => out.push('+'),
        _ => {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

fn url_decode(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    let mut decoded = Vec::new();
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        decoded.clear();
        decode(text.get(row)?.as_bytes(), &mut decoded)?;
        out.push_str(&String::from_utf8_lossy(&decoded));
        Some(())
    })
}

fn decode(mut bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let (digits, rest) = bytes.split_at_checked(2)?;
                let digit = |index: usize| char::from(digits[index]).to_digit(16);
                out.push((digit(0)? * 16 + digit(1)?) as u8);
                bytes = rest;
            }
            byte => out.push(*byte),
        }
    }
    Some(())
}

fn parse_url(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (url, part) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let key = if args.len() > 2 { Some(Column::<StringArray>::of(args, 2)?) } else { None };
    texts(rows, text_bytes(url.array()).len() / 2, |row, out| {
        let url = Url::parse(url.get(row)?)?;
        let part = part.get(row)?;
        let found = match key {
            None => url.part(part)?,
            Some(key) if part == "QUERY" => parameter(url.query?, key.get(row)?)?,
            Some(_) => return None,
        };
        out.push_str(found);
        Some(())
    })
}

/// The value of the first parameter `key` of a query.
fn parameter<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// A URL taken apart as Java's `java.net.URL` does.
#[derive(Default)]
struct Url<'a> {
    protocol: &'a str,
    authority: Option<&'a str>,
    user_info: Option<&'a str>,
    host: &'a str,
    path: &'a str,
    /// Path and query.
    file: &'a str,
    query: Option<&'a str>,
    reference: Option<&'a str>,
}

/// The protocols Java has handlers for; other URLs are malformed.
const PROTOCOLS: [&str; 6] = ["http", "https", "ftp", "file", "mailto", "jar"];

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c <= ' ');
        let (protocol, rest) = text.split_once(':')?;
        if !PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(protocol)) {
            return None;
        }
        let (rest, reference) = split_first(rest, '#');
        let mut url = Self { protocol, reference, ..Self::default() };
        let file = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, file) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                url.set_authority(authority)?;
                file
            }
            None => rest,
        };
        let (path, query) = split_first(file, '?');
        Some(Self { path, file, query, ..url })
    }

    fn set_authority(&mut self, authority: &'a str) -> Option<()> {
        self.authority = Some(authority);
        let host = match authority.rsplit_once('@') {
            Some((user_info, host)) => {
                self.user_info = Some(user_info);
                host
            }
            None => authority,
        };
        let port_at = if host.starts_with('[') { host.find("]:").map(|at| at + 1) } else { host.find(':') };
        self.host = &host[..port_at.unwrap_or(host.len())];
        match port_at.map(|at| &host[at + 1..]) {
            None | Some("") => Some(()),
            Some(port) => port.parse::<u32>().ok().map(|_| ()),
        }
    }

    fn part(&self, name: &str) -> Option<&'a str> {
        match name {
            "HOST" => Some(self.host),
            "PATH" => Some(self.path),
            "QUERY" => self.query,
            "REF" => self.reference,
            "PROTOCOL" => Some(self.protocol),
            "FILE" => Some(self.file),
            "AUTHORITY" => self.authority,
            "USERINFO" => self.user_info,
            _ => None,
        }
    }
}

/// What stands before the first `separator`, and what stands behind it if there is one.
fn split_first(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}
