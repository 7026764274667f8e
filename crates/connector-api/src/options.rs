//! Table options: declaration, validation and typed access.

use headwater_types::config::{nearest, parse_duration, parse_memory_bytes};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// An option a connector or format understands.
#[derive(Debug, Clone)]
pub struct OptionSpec {
    /// Name as written in WITH.
    pub name: &'static str,
    /// Whether a table without it is refused.
    pub required: bool,
    /// Default in text form; `None` when unset means something of its own.
    pub default: Option<&'static str>,
    /// One sentence for help and errors.
    pub description: &'static str,
}

impl OptionSpec {
    /// A required option.
    pub const fn required(name: &'static str, description: &'static str) -> Self {
        Self { name, required: true, default: None, description }
    }

    /// An optional option without a default.
    pub const fn optional(name: &'static str, description: &'static str) -> Self {
        Self { name, required: false, default: None, description }
    }

    /// An optional option with a default.
    pub const fn with_default(name: &'static str, default: &'static str, description: &'static str) -> Self {
        Self { name, required: false, default: Some(default), description }
    }
}

/// Typed access to the options of a table.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a>(pub &'a BTreeMap<String, String>);

impl<'a> Options<'a> {
    /// Checks that required options are there and unknown ones are not. `prefixes` end option families
    /// whose members are free (`fields.`); those of [watermarks](crate::watermarks) are known to all. `owner` names the connector in messages.
    pub fn validate(&self, owner: &str, all: &[OptionSpec], prefixes: &[&str]) -> Result<()> {
        // An unknown option first: it is often the missing one, misspelt.
        for name in self.0.keys() {
            let free = prefixes.iter().any(|p| name.starts_with(p));
            let known = all.iter().any(|option| option.name == name) || crate::watermarks::is_option(name);
            if name == "connector" || free || known {
                continue;
            }
            return Err(unknown_option(owner, name, all));
        }
        if let Some(missing) = all.iter().find(|o| o.required && !self.0.contains_key(o.name)) {
            let message = format!("the {owner} connector needs the option '{}': {}", missing.name, missing.description);
            return Err(Error::user("missing-option", message));
        }
        Ok(())
    }

    /// The text of an option.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str)
    }

    /// The text of an option that must be there.
    pub fn require(&self, name: &str) -> Result<&'a str> {
        self.get(name).ok_or_else(|| Error::user("missing-option", format!("the option '{name}' is missing")))
    }

    /// A boolean option.
    pub fn boolean(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(bad_option(name, other, "true or false")),
        }
    }

    /// An integer option.
    pub fn integer(&self, name: &str) -> Result<Option<i64>> {
        let parse = |text: &str| text.trim().parse().map_err(|_| bad_option(name, text, "a whole number"));
        self.get(name).map(parse).transpose()
    }

    /// A duration option.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>> {
        let parse =
            |t: &str| parse_duration(t).ok_or_else(|| bad_option(name, t, "a duration such as '10 s' or '1 min'"));
        self.get(name).map(parse).transpose()
    }

    /// A memory size option, in bytes.
    pub fn memory_bytes(&self, name: &str) -> Result<Option<u64>> {
        let parse = |t: &str| parse_memory_bytes(t).ok_or_else(|| bad_option(name, t, "a size such as '128 mb'"));
        self.get(name).map(parse).transpose()
    }

    /// An option with a closed set of values, compared without case.
    pub fn choice<T: Copy>(&self, name: &str, default: T, choices: &[(&str, T)]) -> Result<T> {
        let Some(text) = self.get(name) else { return Ok(default) };
        if let Some((_, value)) = choices.iter().find(|(n, _)| n.eq_ignore_ascii_case(text)) {
            return Ok(*value);
        }
        let names: Vec<_> = choices.iter().map(|(n, _)| *n).collect();
        Err(bad_option(name, text, &format!("one of {}", names.join(", "))))
    }
}

/// The error of an option value that cannot be used.
pub fn bad_option(name: &str, value: &str, expected: &str) -> Error {
    Error::user(
        "bad-option-value",
        format!("'{value}' is not a valid value of the option '{name}': expected {expected}"),
    )
}

fn unknown_option(owner: &str, name: &str, known: &[OptionSpec]) -> Error {
    let names: Vec<_> = known.iter().map(|o| o.name).collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("known options: {}", names.join(", ")),
    };
    Error::user("unknown-option", format!("the {owner} connector does not know the option '{name}'; {hint}"))
}
