//! As much of a JSON reader as the conformance files need.

use std::iter::Peekable;
use std::str::Chars;

/// A JSON value; numbers are kept as text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses one value; panics on anything that is not JSON.
    pub fn parse(text: &str) -> Json {
        value(&mut text.chars().peekable())
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn items(&self) -> &[Json] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }
}

type Input<'a> = Peekable<Chars<'a>>;

fn skip_space(input: &mut Input<'_>) {
    while input.next_if(|c| c.is_whitespace()).is_some() {}
}

fn value(input: &mut Input<'_>) -> Json {
    skip_space(input);
    match *input.peek().expect("a JSON value") {
        '{' => object(input),
        '[' => array(input),
        '"' => Json::String(string(input)),
        _ => word(input),
    }
}

fn word(input: &mut Input<'_>) -> Json {
    let mut text = String::new();
    while let Some(c) = input.next_if(|c| !",]} \n\t\r".contains(*c)) {
        text.push(c);
    }
    match text.as_str() {
        "null" => Json::Null,
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => Json::Number(text),
    }
}

fn array(input: &mut Input<'_>) -> Json {
    let mut items = Vec::new();
    input.next();
    loop {
        skip_space(input);
        match input.peek() {
            Some(']') => break,
            Some(',') => {
                input.next();
            }
            _ => items.push(value(input)),
        }
    }
    input.next();
    Json::Array(items)
}

fn object(input: &mut Input<'_>) -> Json {
    let mut members = Vec::new();
    input.next();
    loop {
        skip_space(input);
        match input.peek() {
            Some('}') => break,
            Some(',') => {
                input.next();
            }
            _ => {
                let key = string(input);
                skip_space(input);
                assert_eq!(input.next(), Some(':'));
                members.push((key, value(input)));
            }
        }
    }
    input.next();
    Json::Object(members)
}

fn string(input: &mut Input<'_>) -> String {
    assert_eq!(input.next(), Some('"'));
    let mut units = Vec::new();
    loop {
        match input.next().expect("a closing quote") {
            '"' => return String::from_utf16_lossy(&units),
            '\\' => units.push(escape(input)),
            c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
        }
    }
}

fn escape(input: &mut Input<'_>) -> u16 {
    let c = match input.next().expect("an escape") {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let digits: String = input.take(4).collect();
            return u16::from_str_radix(&digits, 16).expect("four hexadecimal digits");
        }
        c => c,
    };
    u32::from(c) as u16
}
