//! Filters of JSON paths: `[?(@.price < 10 && @.title)]`.
//!
//! A term is a path from the tested value (`@…`), which is true when it leads somewhere, or a comparison (`==`,
//! `!=`, `<`, `<=`, `>`, `>=`) between paths and literals. Terms combine with `!`, `&&`, `||` and parentheses.
//! Values of different kinds are not equal and have no order.

use super::path::{Path, Steps};
use super::value::Json;
use std::cmp::Ordering;

/// Deepest nesting of parentheses and negations.
const DEPTH_MAX: usize = 32;

/// A condition on a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Path),
    Compare(Term, Operator, Term),
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    Path(Path),
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Operators by symbol, the longer ones first.
const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// A value to compare.
#[derive(Debug, Clone, PartialEq)]
enum Comparable {
    Missing,
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    /// An array or object, as JSON text.
    Composite(String),
}

impl Filter {
    /// Whether a value meets the condition.
    pub(super) fn accepts(&self, value: &Json<'_>) -> bool {
        match self {
            Self::Any(filters) => filters.iter().any(|filter| filter.accepts(value)),
            Self::All(filters) => filters.iter().all(|filter| filter.accepts(value)),
            Self::Not(filter) => !filter.accepts(value),
            Self::Exists(path) => matches!(path.select(value), Ok(Some(_))),
            Self::Compare(left, operator, right) => operator.holds(&left.of(value), &right.of(value)),
        }
    }
}

impl Term {
    fn of(&self, value: &Json<'_>) -> Comparable {
        match self {
            Self::Path(path) => match path.select(value) {
                Ok(Some(found)) => comparable(&found),
                _ => Comparable::Missing,
            },
            Self::Null => Comparable::Null,
            Self::Boolean(value) => Comparable::Boolean(*value),
            Self::Number(number) => Comparable::Number(*number),
            Self::Text(text) => Comparable::Text(text.clone()),
        }
    }
}

fn comparable(value: &Json<'_>) -> Comparable {
    match value {
        Json::Null => Comparable::Null,
        Json::Boolean(value) => Comparable::Boolean(*value),
        Json::Number(number) => number.parse().map_or(Comparable::Missing, Comparable::Number),
        Json::String(text) => Comparable::Text(text.clone().into_owned()),
        Json::Array(_) | Json::Object(_) => Comparable::Composite(value.to_json()),
    }
}

impl Operator {
    fn holds(self, left: &Comparable, right: &Comparable) -> bool {
        let equal = left == right && *left != Comparable::Missing;
        let order = match (left, right) {
            (Comparable::Number(left), Comparable::Number(right)) => left.partial_cmp(right),
            (Comparable::Text(left), Comparable::Text(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// The parser of filters; it shares its place in the text with the parser of the path around it.
pub(super) struct FilterParser<'s, 't> {
    input: &'s mut Steps<'t>,
    depth: usize,
}

impl<'s, 't> FilterParser<'s, 't> {
    pub(super) fn new(input: &'s mut Steps<'t>) -> Self {
        Self { input, depth: 0 }
    }

    /// `condition || condition …`
    pub(super) fn any(&mut self) -> Option<Filter> {
        let mut filters = vec![self.all()?];
        while self.symbol("||") {
            filters.push(self.all()?);
        }
        Some(Filter::Any(filters))
    }

    fn all(&mut self) -> Option<Filter> {
        let mut filters = vec![self.condition()?];
        while self.symbol("&&") {
            filters.push(self.condition()?);
        }
        Some(Filter::All(filters))
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.input.skip_space();
        self.input.accept(symbol)
    }

    fn condition(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let condition = if self.symbol("!") {
            Filter::Not(Box::new(self.condition()?))
        } else if self.symbol("(") {
            let inner = self.any()?;
            self.symbol(")").then_some(inner)?
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Some(condition)
    }

    fn comparison(&mut self) -> Option<Filter> {
        let left = self.term()?;
        match OPERATORS.into_iter().find(|(symbol, _)| self.symbol(symbol)) {
            Some((_, operator)) => Some(Filter::Compare(left, operator, self.term()?)),
            None => match left {
                Term::Path(path) => Some(Filter::Exists(path)),
                _ => None,
            },
        }
    }

    fn term(&mut self) -> Option<Term> {
        self.input.skip_space();
        let rest = self.input.rest();
        if rest.starts_with('@') {
            let path = &rest[..path_length(rest)];
            self.input.accept(path);
            return Path::relative(&path[1..]).map(Term::Path);
        }
        if rest.starts_with(['\'', '"']) {
            return self.input.quoted().map(Term::Text);
        }
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len())];
        self.input.accept(word);
        match word {
            "null" => Some(Term::Null),
            "true" => Some(Term::Boolean(true)),
            "false" => Some(Term::Boolean(false)),
            _ => word.parse().ok().filter(|number: &f64| number.is_finite()).map(Term::Number),
        }
    }
}

/// Length of the path at the start of a text: up to a space, an operator or a parenthesis outside of brackets.
fn path_length(text: &str) -> usize {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return at,
            (None, ']') => depth -= 1,
            (None, ' ' | '=' | '!' | '<' | '>' | '&' | '|' | '(' | ')') if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}
