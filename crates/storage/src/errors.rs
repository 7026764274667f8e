//! Failures of storage, as messages that say what to do.

use headwater_types::{Error, ErrorKind};
use std::io;
use std::path::Path;

/// A failure of a local file. `done` is what could not be done: `written`, `read`.
pub(crate) fn local(done: &str, path: &Path, error: io::Error) -> Error {
    let path = path.display();
    let (kind, code, why) = match error.kind() {
        io::ErrorKind::StorageFull => (ErrorKind::User, "storage-full", "the disk is full: free some space"),
        io::ErrorKind::QuotaExceeded => (ErrorKind::User, "storage-full", "the quota is used up"),
        io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::User, "storage-read-only", "the file system is read-only: name another directory")
        }
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::User, "storage-refused", "access is refused: check owner and permissions of the directory")
        }
        io::ErrorKind::NotADirectory => {
            (ErrorKind::User, "storage-refused", "a part of its path is a file, not a directory")
        }
        _ => (ErrorKind::Retryable, "storage-failed", "the file system reports an error"),
    };
    Error::new(kind, code, format!("'{path}' cannot be {done}: {why}")).with_source(error)
}

/// A failure of an object store. `done` as above; `name` is the object's URI, `store` what the store is called.
pub(crate) fn remote(done: &str, name: &str, store: &Store<'_>, error: object_store::Error) -> Error {
    let text = chain_of(&error);
    let (kind, code, why) = classify(&error, &text, store);
    // The store's own words help, unless they quote a request with a secret in it.
    let words = store.redact(&text);
    Error::new(kind, code, format!("'{name}' cannot be {done}: {why} ({words})"))
}

fn classify(error: &object_store::Error, text: &str, store: &Store<'_>) -> (ErrorKind, &'static str, String) {
    use object_store::Error as E;
    let bucket = store.bucket;
    if text.contains("NoSuchBucket") {
        let why = format!("the bucket '{bucket}' does not exist: create it or correct the URI");
        return (ErrorKind::User, "bucket-missing", why);
    }
    let refused = matches!(error, E::PermissionDenied { .. } | E::Unauthenticated { .. });
    if refused || REFUSALS.iter().any(|code| text.contains(code)) {
        let why = format!(
            "access to the bucket '{bucket}' is refused: check 's3.access-key', 's3.secret-key' and the bucket's policy"
        );
        return (ErrorKind::User, "storage-refused", why);
    }
    if text.contains("QuotaExceeded") || text.contains("XMinioStorageFull") || text.contains("InsufficientStorage") {
        return (ErrorKind::User, "storage-full", "the store is full".to_owned());
    }
    let why = format!("the store at {} does not answer as it should; it was tried several times", store.endpoint);
    (ErrorKind::Retryable, "storage-failed", why)
}

const REFUSALS: [&str; 4] = ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403 Forbidden"];

/// What messages may say about a store, and what they must not.
pub(crate) struct Store<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) endpoint: &'a str,
    pub(crate) secrets: &'a [String],
}

impl Store<'_> {
    fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "***");
        }
        const WORDS_MAX: usize = 400;
        if let Some((end, _)) = text.char_indices().nth(WORDS_MAX) {
            text.truncate(end);
            text.push_str("..");
        }
        text.replace('\n', " ")
    }
}

/// An error with its causes.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let next = source.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store<'a>(secrets: &'a [String]) -> Store<'a> {
        Store { bucket: "b", endpoint: "http://s3", secrets }
    }

    fn generic(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn failures_say_what_to_do() {
        for (text, code) in [
            ("<Code>NoSuchBucket</Code>", "bucket-missing"),
            ("<Code>SignatureDoesNotMatch</Code>", "storage-refused"),
            ("<Code>XMinioStorageFull</Code>", "storage-full"),
            ("connection refused", "storage-failed"),
        ] {
            assert_eq!(remote("written", "s3://b/x", &store(&[]), generic(text)).code(), code);
        }
    }

    #[test]
    fn secrets_do_not_leak() {
        let secrets = ["hush".to_owned(), "AKIA1".to_owned()];
        let error = remote("read", "s3://b/x", &store(&secrets), generic("signed by AKIA1 with hush"));
        assert!(!error.message().contains("hush") && !error.message().contains("AKIA1"), "{error}");
    }
}
