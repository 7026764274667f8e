//! JSON paths: `[lax | strict] $.member[0]…`, strict by default.
//!
//! Steps: `.name`, `['name']`, `['a','b']`, `[0]`, `[-1]`, `[0,2]`, `[1:3]`, `.*`, `[*]`, and `..` before any
//! of them; filters `[?(…)]` keep the elements of an array that meet a condition. A path with a wildcard, a
//! filter, a slice, several indices or `..` is indefinite: it answers an array of all matches. Functions
//! (`.length()`) are not supported: such a path is an error, as a malformed one is.
//!
//! In strict mode a definite path that leads nowhere is an error, in lax mode it is empty. Lax mode does not
//! unwrap arrays.

use super::filter::{Filter, FilterParser};
use super::value::Json;
use std::borrow::Cow;
use std::fmt;

/// What happens when a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    Lax,
    Strict,
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    pub(super) mode: Mode,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Members(Vec<String>),
    Wildcard,
    Indices(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    /// The value itself and everything below it.
    Descendants,
    /// The elements of an array, or the object itself, that meet a condition.
    Filter(Filter),
}

impl Step {
    fn is_definite(&self) -> bool {
        match self {
            Self::Members(_) => true,
            Self::Indices(indices) => indices.len() == 1,
            Self::Wildcard | Self::Slice(..) | Self::Descendants | Self::Filter(_) => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members(names) => write!(f, "['{}']", names.join("','")),
            Self::Wildcard => f.write_str("[*]"),
            Self::Indices(indices) => {
                let indices: Vec<_> = indices.iter().map(i64::to_string).collect();
                write!(f, "[{}]", indices.join(","))
            }
            Self::Slice(from, to) => {
                let show = |bound: &Option<i64>| bound.map(|b| b.to_string()).unwrap_or_default();
                write!(f, "[{}:{}]", show(from), show(to))
            }
            Self::Descendants => f.write_str(".."),
            Self::Filter(_) => f.write_str("[?]"),
        }
    }
}

impl Path {
    /// Parses a path with its mode.
    pub(super) fn parse(spec: &str) -> Result<Self, String> {
        let (mode, text) = split_mode(spec);
        let steps =
            Steps { text, at: 0 }.parse().ok_or_else(|| format!("Illegal or unsupported JSON path: '{spec}'"))?;
        Ok(Self { mode, steps })
    }

    /// A lax path from a value, given without its root.
    pub(super) fn relative(steps: &str) -> Option<Self> {
        let steps = if steps.is_empty() { Vec::new() } else { Steps { text: steps, at: 0 }.steps()? };
        Some(Self { mode: Mode::Lax, steps })
    }

    /// The value the path leads to. `Ok(None)` is the empty result of lax mode.
    pub(super) fn select<'j, 'a>(&self, root: &'j Json<'a>) -> Result<Option<Cow<'j, Json<'a>>>, String> {
        if self.steps.iter().all(Step::is_definite) {
            return match (self.follow(root), self.mode) {
                (Ok(found), _) => Ok(Some(found)),
                (Err(_), Mode::Lax) => Ok(None),
                (Err(error), Mode::Strict) => Err(error),
            };
        }
        let mut found = vec![Cow::Borrowed(root)];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| step.matches(value)).collect();
        }
        Ok(Some(Cow::Owned(Json::Array(found.into_iter().map(Cow::into_owned).collect()))))
    }

    /// Follows a definite path.
    fn follow<'j, 'a>(&self, root: &'j Json<'a>) -> Result<Cow<'j, Json<'a>>, String> {
        let mut value = Cow::Borrowed(root);
        for (done, step) in self.steps.iter().enumerate() {
            let kind = value_kind(&value);
            let suits = matches!((step, kind), (Step::Members(_), "object") | (Step::Indices(_), "array"));
            if !suits {
                return Err(match step {
                    Step::Members(_) => {
                        let shown = self.shown(done);
                        format!("Expected to find an object with property {step} in path {shown} but found '{kind}'.")
                    }
                    _ => format!("Filter: {step} can only be applied to arrays. Current context is: {kind}"),
                });
            }
            value = step.matches(value).into_iter().next().ok_or_else(|| match done + 1 == self.steps.len() {
                true => format!("No results for path: {}", self.shown(done + 1)),
                false => format!("Missing property in path {}", self.shown(done + 1)),
            })?;
        }
        Ok(value)
    }

    /// The first steps of the path.
    fn shown(&self, steps: usize) -> String {
        self.steps[..steps].iter().fold("$".to_owned(), |shown, step| shown + &step.to_string())
    }
}

/// Splits `lax` or `strict` from a path.
fn split_mode(spec: &str) -> (Mode, &str) {
    let trimmed = spec.trim_start();
    for (word, mode) in [("strict", Mode::Strict), ("lax", Mode::Lax)] {
        if let Some((head, rest)) = trimmed.split_at_checked(word.len())
            && head.eq_ignore_ascii_case(word)
            && rest.starts_with(|c: char| c.is_ascii_whitespace())
        {
            return (mode, rest.trim_start());
        }
    }
    (Mode::Strict, spec)
}

fn value_kind(value: &Json<'_>) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Boolean(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

type Found<'j, 'a> = Vec<Cow<'j, Json<'a>>>;

impl Step {
    /// The values one step away.
    fn matches<'j, 'a>(&self, value: Cow<'j, Json<'a>>) -> Found<'j, 'a> {
        match value {
            Cow::Borrowed(value) => self.matches_in(value),
            Cow::Owned(value) => self.matches_in(&value).into_iter().map(|v| Cow::Owned(v.into_owned())).collect(),
        }
    }

    fn matches_in<'j, 'a>(&self, value: &'j Json<'a>) -> Found<'j, 'a> {
        match (self, value) {
            (Self::Members(names), Json::Object(_)) if names.len() == 1 => {
                value.member(&names[0]).map(Cow::Borrowed).into_iter().collect()
            }
            (Self::Members(names), Json::Object(members)) => {
                let wanted = members.iter().filter(|(name, _)| names.iter().any(|n| n == name));
                vec![Cow::Owned(Json::Object(wanted.cloned().collect()))]
            }
            (Self::Wildcard, Json::Object(members)) => members.iter().map(|(_, v)| Cow::Borrowed(v)).collect(),
            (Self::Wildcard, Json::Array(elements)) => elements.iter().map(Cow::Borrowed).collect(),
            (Self::Indices(indices), Json::Array(elements)) => {
                let elements = indices.iter().filter_map(|index| elements.get(position(*index, elements.len())?));
                elements.map(Cow::Borrowed).collect()
            }
            (Self::Slice(from, to), Json::Array(elements)) => {
                let bound = |bound: &Option<i64>, open: usize| {
                    bound.map_or(open, |b| position(b, elements.len()).unwrap_or(0).min(elements.len()))
                };
                let (from, to) = (bound(from, 0), bound(to, elements.len()));
                elements.get(from..to).unwrap_or_default().iter().map(Cow::Borrowed).collect()
            }
            (Self::Descendants, _) => descendants(value),
            (Self::Filter(filter), Json::Array(elements)) => {
                elements.iter().filter(|element| filter.accepts(element)).map(Cow::Borrowed).collect()
            }
            (Self::Filter(filter), Json::Object(_)) if filter.accepts(value) => vec![Cow::Borrowed(value)],
            _ => Vec::new(),
        }
    }
}

/// Index from the start; negative ones count from the end. `None` before the start.
fn position(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(length as i64)? } else { index };
    usize::try_from(index).ok()
}

/// A value and everything below it, in the order of the text.
fn descendants<'j, 'a>(value: &'j Json<'a>) -> Found<'j, 'a> {
    let (mut found, mut open) = (Vec::new(), vec![value]);
    while let Some(value) = open.pop() {
        found.push(Cow::Borrowed(value));
        match value {
            Json::Array(elements) => open.extend(elements.iter().rev()),
            Json::Object(members) => open.extend(members.iter().rev().map(|(_, v)| v)),
            _ => {}
        }
    }
    found
}

/// The parser of steps.
pub(super) struct Steps<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Steps<'t> {
    fn parse(mut self) -> Option<Vec<Step>> {
        self.text = self.text.trim();
        // A path without `$` starts with a member of the root.
        if self.accept("$") {
            if self.rest().is_empty() {
                return Some(Vec::new());
            }
        } else if !self.rest().starts_with('[') {
            return Some([self.name()?].into_iter().chain(self.steps()?).collect());
        }
        self.steps()
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn steps(&mut self) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        while !self.rest().is_empty() {
            if self.accept("..") {
                steps.push(Step::Descendants);
            } else if !self.accept(".") && !self.rest().starts_with('[') {
                return None;
            }
            steps.push(if self.accept("[") { self.bracket()? } else { self.name()? });
        }
        Some(steps)
    }

    /// `name` or `*`.
    fn name(&mut self) -> Option<Step> {
        if self.accept("*") {
            return Some(Step::Wildcard);
        }
        let name = &self.rest()[..self.rest().find(['.', '[']).unwrap_or(self.rest().len())];
        if name.is_empty() || name.contains(['(', ')', '\'', '"', ' ', '?', '@']) {
            return None;
        }
        self.at += name.len();
        Some(Step::Members(vec![name.to_owned()]))
    }

    /// What stands between brackets, behind the first one.
    fn bracket(&mut self) -> Option<Step> {
        self.skip_space();
        let step = match self.rest().chars().next()? {
            '*' => {
                self.at += 1;
                Step::Wildcard
            }
            '\'' | '"' => Step::Members(self.list(Self::quoted)?),
            '?' => {
                self.at += 1;
                Step::Filter(FilterParser::new(self).any()?)
            }
            _ => self.numbers()?,
        };
        self.skip_space();
        self.accept("]").then_some(step)
    }

    pub(super) fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn list<T>(&mut self, item: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            items.push(item(self)?);
            self.skip_space();
            if !self.accept(",") {
                return Some(items);
            }
        }
    }

    /// A quoted name; a backslash escapes the next character.
    pub(super) fn quoted(&mut self) -> Option<String> {
        let mut chars = self.rest().char_indices();
        let (_, quote) = chars.next()?;
        let mut name = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += at + c.len_utf8();
                return Some(name);
            }
            name.push(if c == '\\' { chars.next()?.1 } else { c });
        }
        None
    }

    fn numbers(&mut self) -> Option<Step> {
        let from = self.number();
        if self.accept(":") {
            return Some(Step::Slice(from, self.number()));
        }
        let mut indices = vec![from?];
        self.skip_space();
        if self.accept(",") {
            indices.extend(self.list(Self::number)?);
        }
        Some(Step::Indices(indices))
    }

    fn number(&mut self) -> Option<i64> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        let number = rest[..end].parse().ok()?;
        self.at += end;
        Some(number)
    }
}
