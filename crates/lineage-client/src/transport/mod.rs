//! Ways out: one event at a time, in order.

mod auth;
mod composite;
mod console;
mod file;
mod http;
mod kafka;

use crate::client::Message;
use headwater_env::Env;
use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Values of `transport.type`.
const KINDS: [&str; 6] = ["http", "kafka", "file", "console", "composite", "noop"];

/// How deep composite transports nest.
const NESTING_MAX: usize = 4;

/// Takes events somewhere. Blocks; called by the worker only.
pub trait Transport: Send {
    /// Hands an event over. It counts as taken when this returns `Ok`.
    ///
    /// # Errors
    /// [`Failure`], which says whether trying again may help.
    fn send(&mut self, message: &Message, timeout: Duration) -> Result<(), Failure>;
}

/// Why an event was not taken. Holds no header, key or user of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether the same event may be taken later.
    pub retryable: bool,
    /// What happened.
    pub message: String,
}

impl Failure {
    /// It may work later.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { retryable: true, message: message.into() }
    }

    /// This event will never be taken.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { retryable: false, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The transport that a configuration describes.
///
/// # Errors
/// When its type is unknown, or an option is missing or wrong.
pub(crate) fn build(config: &Value, env: &Env) -> Result<Box<dyn Transport>> {
    nested(config, env, 0)
}

fn nested(config: &Value, env: &Env, depth: usize) -> Result<Box<dyn Transport>> {
    let kind = text(config, "type").unwrap_or_default();
    match kind.as_str() {
        "http" => Ok(Box::new(http::Http::new(config, env)?)),
        "kafka" => Ok(Box::new(kafka::Kafka::new(config)?)),
        "file" => Ok(Box::new(file::File::new(config)?)),
        "console" => Ok(Box::new(console::Console)),
        "noop" => Ok(Box::new(Noop)),
        "composite" if depth < NESTING_MAX => Ok(Box::new(composite::Composite::new(config, env, depth)?)),
        "composite" => Err(bad("transport.type", &format!("composites nested at most {NESTING_MAX} deep"))),
        other => {
            let hint = nearest(other, KINDS).map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            let known = KINDS.join(", ");
            Err(bad("transport.type", &format!("one of {known}, not '{other}'{hint}")))
        }
    }
}

/// Drops everything.
struct Noop;

impl Transport for Noop {
    fn send(&mut self, _message: &Message, _timeout: Duration) -> Result<(), Failure> {
        Ok(())
    }
}

/// A scalar option as text.
fn text(config: &Value, name: &str) -> Option<String> {
    scalar(config.get(name)?)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn required(config: &Value, name: &str) -> Result<String> {
    text(config, name)
        .filter(|value| !value.trim().is_empty())
        .ok_or_else(|| bad(&format!("transport.{name}"), "a value: it is missing"))
}

/// A map of text, nested keys joined by dots.
fn flat(value: Option<&Value>) -> Vec<(String, String)> {
    fn walk(prefix: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&path, member, pairs);
                }
            }
            other => pairs.extend(scalar(other).map(|text| (prefix.to_owned(), text))),
        }
    }
    let mut pairs = vec![];
    value.iter().for_each(|value| walk("", value, &mut pairs));
    pairs
}

/// The error of an option.
fn bad(option: &str, expected: &str) -> Error {
    Error::user("bad-lineage-config", format!("the lineage option 'openlineage.{option}' must be {expected}"))
}
