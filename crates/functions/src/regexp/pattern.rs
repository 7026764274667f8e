//! Compiled patterns and their cache.

use super::java::{PatternError, translate};
use crate::BuildContext;
use headwater_types::{Error, Result};
use regex::CaptureLocations;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A compiled pattern.
#[derive(Debug)]
enum Pattern {
    /// Linear time.
    Linear(regex::Regex),
    /// With backtracking, for look-around and back-references.
    Backtracking(fancy_regex::Regex),
}

/// A pattern or the reason why there is none, shared by kernels and their batches.
type Compiled = Arc<Result<Pattern, PatternError>>;

fn compile(pattern: &str) -> Compiled {
    let compile = || {
        let translated = translate(pattern)?;
        if translated.backtracks {
            let regex = fancy_regex::Regex::new(&translated.pattern).map_err(|_| PatternError::Invalid)?;
            return Ok(Pattern::Backtracking(regex));
        }
        Ok(Pattern::Linear(regex::Regex::new(&translated.pattern).map_err(|e| linear_error(&e))?))
    };
    Arc::new(compile())
}

fn linear_error(error: &regex::Error) -> PatternError {
    match error {
        regex::Error::CompiledTooBig(_) => PatternError::Unsupported("so large a repetition".into()),
        _ => PatternError::Invalid,
    }
}

/// The patterns of one kernel: the literal one, or the last one seen.
pub(crate) struct PatternCache {
    fixed: Option<Compiled>,
    last: Mutex<Option<(String, Compiled)>>,
}

impl PatternCache {
    /// The cache for the pattern at argument `index`.
    pub(crate) fn of(ctx: &BuildContext<'_>, index: usize) -> Self {
        Self { fixed: ctx.text(index).map(compile), last: Mutex::new(None) }
    }

    /// The cache that holds one pattern for good.
    pub(crate) fn fixed(pattern: &str) -> Self {
        Self { fixed: Some(compile(pattern)), last: Mutex::new(None) }
    }

    /// A matcher for the rows of one batch.
    pub(crate) fn matcher(&self) -> Matcher<'_> {
        let last = match &self.fixed {
            Some(_) => None,
            None => self.last.lock().unwrap_or_else(PoisonError::into_inner).take(),
        };
        let (text, current) = match last {
            Some((text, compiled)) => (text, Some(compiled)),
            None => (String::new(), self.fixed.clone()),
        };
        Matcher { cache: self, text, current, slots: None }
    }
}

/// Matches texts against one pattern at a time. Give it a pattern with [`Matcher::select`] first.
pub(crate) struct Matcher<'a> {
    cache: &'a PatternCache,
    text: String,
    current: Option<Compiled>,
    /// Room for the groups of the current pattern.
    slots: Option<CaptureLocations>,
}

impl Matcher<'_> {
    /// Makes `pattern` the current one. Answers false when it is not a valid pattern.
    #[inline]
    pub(crate) fn select(&mut self, pattern: &str) -> Result<bool> {
        if self.cache.fixed.is_none() && (self.current.is_none() || self.text != pattern) {
            self.current = Some(compile(pattern));
            self.text = pattern.to_owned();
            self.slots = None;
        }
        match self.current.as_deref() {
            Some(Ok(_)) => Ok(true),
            Some(Err(PatternError::Invalid)) | None => Ok(false),
            Some(Err(error)) => Err(Error::user("bad-pattern", format!("{error}: {pattern}"))),
        }
    }

    fn pattern(&self) -> Option<&Pattern> {
        self.current.as_deref().and_then(|compiled| compiled.as_ref().ok())
    }

    /// Number of groups, without the whole match.
    pub(crate) fn group_count(&self) -> usize {
        match self.pattern() {
            Some(Pattern::Linear(regex)) => regex.captures_len() - 1,
            Some(Pattern::Backtracking(regex)) => regex.captures_len() - 1,
            None => 0,
        }
    }

    /// Whether the pattern is found anywhere in `text`.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool> {
        match self.pattern() {
            Some(Pattern::Linear(regex)) => Ok(regex.is_match(text)),
            Some(Pattern::Backtracking(regex)) => regex.is_match(text).map_err(|e| backtracking_error(&e)),
            None => Ok(false),
        }
    }

    /// The first match that starts at byte `at` or later.
    pub(crate) fn find(&self, text: &str, at: usize) -> Result<Option<Range<usize>>> {
        match self.pattern() {
            Some(Pattern::Linear(regex)) => Ok(regex.find_at(text, at).map(|m| m.range())),
            Some(Pattern::Backtracking(regex)) => {
                let found = regex.find_from_pos(text, at).map_err(|e| backtracking_error(&e))?;
                Ok(found.map(|m| m.range()))
            }
            None => Ok(None),
        }
    }

    /// The first match from byte `at`, and the part of it that `group` matched, if it took part.
    pub(crate) fn find_group(&mut self, text: &str, at: usize, group: usize) -> Result<Option<GroupMatch>> {
        let Self { current, slots, .. } = self;
        match current.as_deref() {
            Some(Ok(Pattern::Linear(regex))) => {
                let slots = slots.get_or_insert_with(|| regex.capture_locations());
                let found = regex.captures_read_at(slots, text, at);
                Ok(found.map(|whole| GroupMatch {
                    whole: whole.range(),
                    group: slots.get(group).map(|(start, end)| start..end),
                }))
            }
            Some(Ok(Pattern::Backtracking(regex))) => {
                let captures = regex.captures_from_pos(text, at).map_err(|e| backtracking_error(&e))?;
                Ok(captures.and_then(|captures| {
                    let whole = captures.get(0)?.range();
                    Some(GroupMatch { whole, group: captures.get(group).map(|m| m.range()) })
                }))
            }
            _ => Ok(None),
        }
    }

    /// Splits like Java: no empty parts at the end, and none at the start from an empty match there.
    pub(crate) fn split<'t>(&self, text: &'t str) -> Result<Vec<&'t str>> {
        let (mut parts, mut end, mut at) = (Vec::new(), 0, Some(0));
        while let Some(from) = at {
            let Some(found) = self.find(text, from)? else { break };
            if found.end > 0 {
                parts.push(&text[end..found.start]);
                end = found.end;
            }
            at = next_start(text, &found);
        }
        parts.push(&text[end..]);
        let kept = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        parts.truncate(if end == 0 { 1 } else { kept });
        Ok(parts)
    }
}

impl Drop for Matcher<'_> {
    /// Leaves the last pattern for the next batch.
    fn drop(&mut self) {
        if self.cache.fixed.is_some() {
            return;
        }
        if let Some(compiled) = self.current.take() {
            let last = (std::mem::take(&mut self.text), compiled);
            *self.cache.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        }
    }
}

/// A match and one of its groups.
#[derive(Debug, PartialEq)]
pub(crate) struct GroupMatch {
    /// The whole match.
    pub(crate) whole: Range<usize>,
    /// What the group matched; `None` when it took no part in the match.
    pub(crate) group: Option<Range<usize>>,
}

/// Where Java looks for the match after `found`: at its end, or a character later when it is empty, so that an
/// empty match directly behind a non-empty one counts. `None` at the end of the text.
pub(crate) fn next_start(text: &str, found: &Range<usize>) -> Option<usize> {
    if found.is_empty() { text[found.end..].chars().next().map(|c| found.end + c.len_utf8()) } else { Some(found.end) }
}

fn backtracking_error(error: &fancy_regex::Error) -> Error {
    Error::user("pattern-too-slow", format!("a regular expression with look-around or back-references failed: {error}"))
}
