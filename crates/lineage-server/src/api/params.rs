//! Query parameters: declared beside their endpoint, checked strictly, told together when several are wrong.

use super::error::{ApiError, Problem};
use crate::event::micros;
use crate::read::list::PageOf;
use serde_json::Value;
use uuid::Uuid;

/// A type of parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number from the first to the second.
    Int(i64, i64),
    /// Any number of whole numbers.
    Ints,
    /// A UUID.
    Uuid,
    /// Any number of UUIDs.
    Uuids,
    /// A text.
    Text,
    /// Any number of texts.
    Texts,
    /// A text of at least three characters.
    Search,
    /// An ISO 8601 time.
    Time,
    /// `true` or `false`.
    Bool,
    /// One of some words.
    Enum(&'static [&'static str]),
    /// Any number of some words.
    Enums(&'static [&'static str]),
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What stands for it when it is not.
    pub default: Option<&'static str>,
}

/// An optional parameter.
pub const fn optional(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: false, default: None }
}

/// A parameter that must be there.
pub const fn required(name: &'static str, kind: Kind) -> Param {
    Param { name, kind, required: true, default: None }
}

/// A parameter with a default.
pub const fn default(name: &'static str, kind: Kind, value: &'static str) -> Param {
    Param { name, kind, required: false, default: Some(value) }
}

/// `page`.
pub const PAGE: Param = default("page", Kind::Int(1, 1 << 40), "1");
/// `page_size`.
pub const PAGE_SIZE: Param = default("page_size", Kind::Int(1, PAGE_SIZE_MAX), "20");
/// `since`, where it may be left out.
pub const SINCE: Param = optional("since", Kind::Time);
/// `until`.
pub const UNTIL: Param = optional("until", Kind::Time);

/// Most items of a page.
const PAGE_SIZE_MAX: i64 = 50;

/// The checked parameters of a request.
#[derive(Debug)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// With every parameter that is unknown, missing or wrong.
    pub fn read(specs: &[Param], query: Option<&str>) -> Result<Self, ApiError> {
        let (mut found, mut problems) = (vec![], vec![]);
        for (name, value) in pairs(query.unwrap_or_default()) {
            match specs.iter().find(|spec| spec.name == name) {
                None => {
                    let message = "Extra inputs are not permitted";
                    problems.push(Problem::query(&name, "extra_forbidden", message, value));
                }
                Some(spec) => match check(spec.kind, &value) {
                    Ok(()) => found.push((spec.name, value)),
                    Err((code, message)) => problems.push(Problem::query(&name, code, message, value)),
                },
            }
        }
        for spec in specs {
            if found.iter().any(|(name, _)| *name == spec.name) {
                continue;
            }
            if let Some(value) = spec.default {
                found.push((spec.name, value.to_owned()));
            } else if spec.required && !problems.iter().any(|p| p.location[1] == spec.name) {
                problems.push(Problem::query(spec.name, "missing", "Field required", Value::Null));
            }
        }
        if problems.is_empty() { Ok(Self(found)) } else { Err(ApiError::invalid(problems)) }
    }

    /// A text; of a repeated parameter the last one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// All texts of a repeated parameter.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.clone()).collect()
    }

    /// A number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// All numbers of a repeated parameter.
    pub fn ints(&self, name: &str) -> Vec<i64> {
        self.texts(name).iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The page that is asked for: [`PAGE`] and [`PAGE_SIZE`], which have defaults.
    pub fn page(&self) -> PageOf {
        PageOf { number: self.int("page").unwrap_or(1), size: self.int("page_size").unwrap_or(PAGE_SIZE_MAX) }
    }

    /// A UUID, in its usual spelling.
    pub fn uuid(&self, name: &str) -> Option<String> {
        Some(Uuid::parse_str(self.text(name)?).ok()?.to_string())
    }

    /// All UUIDs of a repeated parameter.
    pub fn uuids(&self, name: &str) -> Vec<String> {
        self.texts(name).iter().filter_map(|text| Uuid::parse_str(text).ok()).map(|id| id.to_string()).collect()
    }

    /// A time, in microseconds since the epoch.
    pub fn time(&self, name: &str) -> Option<i64> {
        micros(self.text(name)?)
    }

    /// Whether it is there and true.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| truth(text) == Some(true))
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "t" | "y" => Some(true),
        "false" | "0" | "no" | "off" | "f" | "n" => Some(false),
        _ => None,
    }
}

fn check(kind: Kind, value: &str) -> Result<(), (&'static str, String)> {
    let int = || {
        value.parse::<i64>().map_err(|_| {
            ("int_parsing", "Input should be a valid integer, unable to parse string as an integer".to_owned())
        })
    };
    match kind {
        Kind::Int(low, high) => match int()? {
            n if n < low => Err(("greater_than_equal", format!("Input should be greater than or equal to {low}"))),
            n if n > high => Err(("less_than_equal", format!("Input should be less than or equal to {high}"))),
            _ => Ok(()),
        },
        Kind::Ints => int().map(|_| ()),
        Kind::Uuid | Kind::Uuids => Uuid::parse_str(value)
            .map(|_| ())
            .map_err(|e| ("uuid_parsing", format!("Input should be a valid UUID, {e}"))),
        Kind::Text | Kind::Texts => Ok(()),
        Kind::Search if value.chars().count() < 3 => {
            Err(("string_too_short", "String should have at least 3 characters".into()))
        }
        Kind::Search => Ok(()),
        Kind::Time if micros(value).is_none() => {
            Err(("datetime_parsing", "Input should be a valid datetime, such as 2026-01-31T10:00:00Z".into()))
        }
        Kind::Time => Ok(()),
        Kind::Bool if truth(value).is_none() => {
            Err(("bool_parsing", "Input should be a valid boolean, unable to interpret input".into()))
        }
        Kind::Bool => Ok(()),
        Kind::Enum(words) | Kind::Enums(words) if !words.contains(&value) => {
            let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            Err(("enum", format!("Input should be {}", words.join(", "))))
        }
        Kind::Enum(_) | Kind::Enums(_) => Ok(()),
    }
}

/// The pairs of a query or a form, decoded.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let hex = |byte: u8| char::from(byte).to_digit(16);
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push((high * 16 + low) as u8);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    crate::event::clean(&String::from_utf8_lossy(&bytes))
}
