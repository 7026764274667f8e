//! Finding the objects of a table in a bucket.
//!
//! As on disks, segments that start with `_` or `.` below the given path are hidden unless a pattern spells them out.

use super::files::key_of;
use super::listing::{Found, is_hidden};
use glob::{MatchOptions, Pattern};
use headwater_connector_api::options::bad_option;
use headwater_storage::{Bucket, Object};
use headwater_types::{Error, Result};
use std::path::{Path, PathBuf};

const MATCH: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// Objects at or below a path, or that match a pattern or stand below what matches it.
pub(super) fn list(bucket: &Bucket, path: &Path, may_be_absent: bool) -> Result<Vec<Found>> {
    let wanted = key_of(bucket, path)?;
    let wanted = wanted.trim_end_matches('/');
    let fixed = fixed_part(wanted);
    let pattern = Pattern::new(wanted).map_err(|e| bad_option("path", wanted, &format!("a path or pattern ({e})")))?;
    let is_pattern = fixed.len() < wanted.len();
    let is_wanted = |object: &Object| match is_pattern {
        true => matches(&pattern, wanted, &object.key),
        false => is_visible_below(wanted, &object.key),
    };
    let found: Vec<_> = bucket.list(fixed)?.into_iter().filter(is_wanted).collect();
    if found.is_empty() && !may_be_absent {
        let message = format!(
            "no object matches the path '{}'; 's3://{}/{fixed}' holds none that does",
            path.display(),
            bucket.name()
        );
        return Err(Error::user("path-not-found", message));
    }
    let found = found.into_iter().map(|Object { key, size, modified_ms }| Found {
        path: PathBuf::from(bucket.uri(&key)),
        size,
        modified_ms,
    });
    Ok(found.collect())
}

/// The directories in front of the first wildcard; all of a path without one.
fn fixed_part(wanted: &str) -> &str {
    match wanted.find(['*', '?', '[']) {
        Some(at) => wanted[..at].rsplit_once('/').map_or("", |(directory, _)| directory),
        None => wanted,
    }
}

fn is_visible_below(root: &str, key: &str) -> bool {
    let below = key.strip_prefix(root).unwrap_or(key);
    !key.ends_with('/') && !below.split('/').any(is_hidden)
}

/// Whether a key or a directory above it matches, and nothing on the way is hidden that the pattern does not spell out.
fn matches(pattern: &Pattern, text: &str, key: &str) -> bool {
    let depth = text.split('/').count();
    let end = key.match_indices('/').nth(depth - 1).map_or(key.len(), |(at, _)| at);
    let (front, below) = key.split_at(end);
    let mut pairs = front.split('/').zip(text.split('/'));
    pattern.matches_with(front, MATCH)
        && pairs.all(|(found, wanted)| found == wanted || !is_hidden(found))
        && is_visible_below("", below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_keys_and_directories() {
        for (text, key, expected) in [
            ("in/*.json", "in/a.json", true),
            ("in/*.json", "in/b/a.json", false),
            ("in/*", "in/b/a.json", true),
            ("in/*", "in/b/_SUCCESS", false),
            ("in/*", "in/_tmp/a.json", false),
            ("in/_*/a.json", "in/_tmp/a.json", false),
            ("_in/?.json", "_in/a.json", true),
        ] {
            assert_eq!(matches(&Pattern::new(text).unwrap(), text, key), expected, "{text} {key}");
        }
        assert_eq!(fixed_part("in/b*/c"), "in");
        assert_eq!(fixed_part("*"), "");
        assert!(is_visible_below("_in", "_in/a") && !is_visible_below("in", "in/.a") && !is_visible_below("in", "in/"));
    }
}
