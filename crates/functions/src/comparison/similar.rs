//! SIMILAR TO: LIKE's wildcards within a regular expression that must match the whole text.

use super::like::{build_pattern, escape_character};
use crate::{BuildContext, Kernel};
use headwater_types::{Error, Result};
use regex::Regex;

/// Characters that an escape makes plain.
const SPECIAL: &str = "[]()|^-+*_%?{}$\\";

/// The kernel of SIMILAR TO.
pub(super) fn build(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    build_pattern(context, |pattern, escape| {
        let regex = compile(pattern, escape)?;
        Ok(Box::new(move |text: &str| regex.is_match(text)))
    })
}

fn compile(pattern: &str, escape: Option<&str>) -> Result<Regex> {
    let source = translate(pattern, escape_character(escape)?)?;
    Regex::new(&source)
        .map_err(|error| Error::user("bad-pattern", format!("'{pattern}' is not a pattern of SIMILAR TO: {error}")))
}

/// The pattern in the notation of the `regex` crate.
fn translate(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut source = String::with_capacity(pattern.len() + 16);
    source.push_str(r"\A(?:");
    let mut in_class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            _ if Some(c) == escape => match chars.next() {
                Some(next) if SPECIAL.contains(next) => source.push_str(&regex::escape(next.encode_utf8(&mut [0; 4]))),
                Some(next) => source.push(next),
                None => return Err(Error::user("bad-escape", format!("Invalid escape sequence '{pattern}'"))),
            },
            '[' | ']' => {
                in_class = c == '[' || source.ends_with(':');
                source.push(c);
            }
            _ if in_class && names_class(&source) => source.extend(c.to_lowercase()),
            _ if in_class => source.push(c),
            '%' => source.push_str(".*"),
            '_' => source.push('.'),
            _ => source.push(c),
        }
    }
    source.push_str(r")\z");
    Ok(source)
}

/// Whether the source ends within a named class such as `[:ALPHA:]`, whose names are lower-case here.
fn names_class(source: &str) -> bool {
    source.rfind("[:").is_some_and(|start| !source[start + 2..].contains(']'))
}
