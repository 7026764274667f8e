//! Where storage is.

use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use std::path::PathBuf;

/// A parsed URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine.
    Local(PathBuf),
    /// Below a prefix of a bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix, without slashes at its ends; may be empty.
        prefix: String,
    },
    /// In this process.
    Memory(String),
}

const SCHEMES: [&str; 5] = ["file", "s3", "s3a", "s3p", "memory"];

impl Location {
    /// Parses a URI; a text without a scheme is a path.
    ///
    /// # Errors
    /// When the scheme is unknown or a part is missing.
    pub fn parse(uri: &str) -> Result<Self> {
        let Some((scheme, rest)) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
            return local(uri, uri);
        };
        match scheme.to_ascii_lowercase().as_str() {
            // Both file:/dir and file:///dir are in use.
            "file" => local(uri, rest.strip_prefix("//").unwrap_or(rest)),
            "s3" | "s3a" | "s3p" => s3(uri, rest),
            "memory" => Ok(Self::Memory(rest.trim_start_matches('/').trim_end_matches('/').to_owned())),
            other => Err(unknown_scheme(uri, other)),
        }
    }
}

/// One letter is a drive, not a scheme.
fn is_scheme(text: &str) -> bool {
    text.len() > 1 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn local(uri: &str, path: &str) -> Result<Location> {
    if path.trim().is_empty() {
        return Err(Error::user("bad-storage-uri", format!("'{uri}' names no directory")));
    }
    Ok(Location::Local(PathBuf::from(path)))
}

fn s3(uri: &str, rest: &str) -> Result<Location> {
    let rest = rest.trim_start_matches('/');
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(Error::user("bad-storage-uri", format!("'{uri}' names no bucket: expected s3://bucket/prefix")));
    }
    Ok(Location::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
}

fn unknown_scheme(uri: &str, scheme: &str) -> Error {
    let hint = nearest(scheme, SCHEMES).map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
    let message = format!("'{uri}': there is no storage '{scheme}': expected a path, file:// or s3://{hint}");
    Error::user("bad-storage-uri", message)
}

/// A URI below another one.
pub fn join(uri: &str, path: &str) -> String {
    format!("{}/{}", uri.trim_end_matches('/'), path.trim_start_matches('/'))
}

/// The URI above another one, and the last segment; `None` at the top.
pub fn parent(uri: &str) -> Option<(&str, &str)> {
    let (above, last) = uri.trim_end_matches('/').rsplit_once('/')?;
    let top = above.is_empty() || above.ends_with('/') || above.ends_with(':');
    (!top).then_some((above, last)).or_else(|| above.is_empty().then_some(("/", last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_understood() {
        let s3 = |bucket: &str, prefix: &str| Location::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        for (uri, location) in [
            ("/tmp/x", Location::Local("/tmp/x".into())),
            ("relative/x", Location::Local("relative/x".into())),
            ("file:///tmp/x", Location::Local("/tmp/x".into())),
            ("file:/tmp/x", Location::Local("/tmp/x".into())),
            ("s3://b/p/q/", s3("b", "p/q")),
            ("s3a://b", s3("b", "")),
            ("memory://j", Location::Memory("j".to_owned())),
        ] {
            assert_eq!(Location::parse(uri).unwrap(), location, "{uri}");
        }
    }

    #[test]
    fn others_are_refused() {
        for (uri, message) in [
            ("s4://b", "did you mean 's3'?"),
            ("s3://", "names no bucket"),
            ("file://", "names no directory"),
            ("", "names no directory"),
        ] {
            let error = Location::parse(uri).unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }

    #[test]
    fn parents_end_at_the_top() {
        assert_eq!(parent("/a/b/"), Some(("/a", "b")));
        assert_eq!(parent("/a"), Some(("/", "a")));
        assert_eq!(parent("s3://b/p"), Some(("s3://b", "p")));
        assert_eq!(parent("s3://b"), None);
        assert_eq!(parent("a"), None);
        assert_eq!(join("/a/", "/b"), "/a/b");
    }
}
