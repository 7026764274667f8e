//! LIKE: `%` stands for any text, `_` for one character.

use crate::kernel::{boolean1, kernel};
use crate::{BuildContext, Kernel, Operand};
use arrow::array::{ArrayRef, BooleanBuilder, StringArray};
use headwater_plan::Value;
use headwater_types::{Error, Result};
use memchr::memmem::Finder;

/// An element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Char(char),
    One,
    Many,
}

/// A compiled pattern. The frequent simple forms are string searches.
pub(super) enum Pattern {
    Equals(String),
    Starts(String),
    Ends(String),
    Contains(Box<Finder<'static>>),
    General(Vec<Element>),
}

impl Pattern {
    /// Compiles a pattern. After `escape`, which must be one character, `%`, `_` and itself are plain.
    pub(super) fn compile(pattern: &str, escape: Option<&str>) -> Result<Self> {
        Ok(Self::simplest(elements(pattern, escape_character(escape)?)?))
    }

    fn simplest(elements: Vec<Element>) -> Self {
        let plain = |part: &[Element]| -> Option<String> {
            part.iter().map(|e| if let Element::Char(c) = e { Some(*c) } else { None }).collect()
        };
        let simple = match elements.as_slice() {
            [Element::Many, inner @ .., Element::Many] => {
                plain(inner).map(|plain| Self::Contains(Box::new(Finder::new(&plain).into_owned())))
            }
            [Element::Many, rest @ ..] => plain(rest).map(Self::Ends),
            [rest @ .., Element::Many] => plain(rest).map(Self::Starts),
            all => plain(all).map(Self::Equals),
        };
        simple.unwrap_or(Self::General(elements))
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Equals(plain) => text == plain,
            Self::Starts(plain) => text.starts_with(plain.as_str()),
            Self::Ends(plain) => text.ends_with(plain.as_str()),
            Self::Contains(finder) => finder.find(text.as_bytes()).is_some(),
            Self::General(elements) => matches(elements, text),
        }
    }
}

/// The escape character; none without an ESCAPE clause.
pub(super) fn escape_character(escape: Option<&str>) -> Result<Option<char>> {
    let Some(escape) = escape else { return Ok(None) };
    let mut chars = escape.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(Some(c)),
        _ => Err(Error::user("bad-escape", format!("Invalid escape character '{escape}'"))),
    }
}

fn elements(pattern: &str, escape: Option<char>) -> Result<Vec<Element>> {
    let mut elements = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars().enumerate();
    while let Some((position, c)) = chars.next() {
        elements.push(match c {
            _ if Some(c) == escape => match chars.next() {
                Some((_, next)) if next == '%' || next == '_' || Some(next) == escape => Element::Char(next),
                _ => {
                    let message = format!("Invalid escape sequence '{pattern}', {position}");
                    return Err(Error::user("bad-escape", message));
                }
            },
            '%' if elements.last() == Some(&Element::Many) => continue,
            '%' => Element::Many,
            '_' => Element::One,
            _ => Element::Char(c),
        });
    }
    Ok(elements)
}

/// Matches by going back to the last `%` only: at most quadratic.
fn matches(elements: &[Element], text: &str) -> bool {
    let (mut at, mut rest) = (0, text.chars());
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = rest.clone();
        let advanced = match elements.get(at) {
            Some(Element::Many) => {
                retry = Some((at, rest.clone()));
                at += 1;
                continue;
            }
            Some(Element::One) => ahead.next().is_some(),
            Some(Element::Char(c)) => ahead.next() == Some(*c),
            None if rest.as_str().is_empty() => return true,
            None => false,
        };
        if advanced {
            at += 1;
            rest = ahead;
            continue;
        }
        // The last `%` takes one character more.
        let Some((many, mut from)) = retry.take() else { return false };
        if from.next().is_none() {
            return false;
        }
        at = many + 1;
        rest = from.clone();
        retry = Some((many, from));
    }
}

/// The kernel of LIKE.
pub(super) fn build(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    build_pattern(context, |pattern, escape| {
        let pattern = Pattern::compile(pattern, escape)?;
        Ok(Box::new(move |text: &str| pattern.matches(text)))
    })
}

/// A compiled predicate on text.
pub(super) type Predicate = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// A kernel of `text, pattern [, escape]`: the pattern is compiled once when it is a literal, else once per
/// run of equal patterns.
pub(super) fn build_pattern(
    context: &BuildContext<'_>,
    compile: fn(&str, Option<&str>) -> Result<Predicate>,
) -> Result<Box<dyn Kernel>> {
    let literal = |index: usize| matches!(context.literal(index), Some(Value::String(_)));
    let escaped = context.arg_types.len() == 3;
    if literal(1) && (!escaped || literal(2)) {
        let pattern = context.text(1).unwrap_or_default();
        let matches = compile(pattern, context.text(2))?;
        return kernel(move |args, rows| boolean1::<StringArray>(args, rows, &matches));
    }
    kernel(move |args, rows| by_row(args, rows, compile))
}

fn by_row(args: &[Operand], rows: usize, compile: fn(&str, Option<&str>) -> Result<Predicate>) -> Result<ArrayRef> {
    let columns = (0..args.len()).map(|i| crate::kernel::Column::<StringArray>::of(args, i));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let mut last: Option<((&str, Option<&str>), Predicate)> = None;
    let mut out = BooleanBuilder::with_capacity(rows);
    for row in 0..rows {
        if columns.iter().any(|column| column.is_null(row)) {
            out.append_null();
            continue;
        }
        let wanted = (columns[1].value(row), columns.get(2).map(|escape| escape.value(row)));
        let matches = match last.take() {
            Some((known, matches)) if known == wanted => matches,
            _ => compile(wanted.0, wanted.1)?,
        };
        out.append_value(matches(columns[0].value(row)));
        last = Some((wanted, matches));
    }
    Ok(std::sync::Arc::new(out.finish()))
}
