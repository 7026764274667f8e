//! The first file of a `multipart/form-data` body, as clients upload one: RFC 7578 as far as one file needs it.
//!
//! The body is in memory and bounded already; nothing here copies it, recurses, or looks at a byte twice but to find
//! the boundary.

use crate::answer::ApiError;

/// Longest boundary, as RFC 2046 says.
const BOUNDARY_BYTES_MAX: usize = 70;
/// Longest headers of a part.
const HEADERS_BYTES_MAX: usize = 8 << 10;

/// An uploaded file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File<'a> {
    /// Its name, as the client says it.
    pub(crate) name: String,
    /// Its content.
    pub(crate) content: &'a [u8],
}

/// The first file of a body.
///
/// # Errors
/// When the body is no such form, is cut short, or has no file.
pub(crate) fn file<'a>(content_type: &str, body: &'a [u8]) -> Result<File<'a>, ApiError> {
    let boundary = boundary(content_type).ok_or_else(|| bad("expected a body of the type multipart/form-data"))?;
    let delimiter = format!("--{boundary}");
    let mut rest = after(body, delimiter.as_bytes()).ok_or_else(|| bad("the body does not hold its boundary"))?;
    loop {
        rest = match rest {
            [b'-', b'-', ..] => return Err(bad("the form holds no file")),
            [b'\r', b'\n', rest @ ..] => rest,
            _ => return Err(bad("the body is cut short")),
        };
        let end = find(&rest[..rest.len().min(HEADERS_BYTES_MAX)], b"\r\n\r\n");
        let end = end.ok_or_else(|| bad("the headers of a part are cut short, or too long"))?;
        let (headers, content) = (&rest[..end], &rest[end + 4..]);
        let until = format!("\r\n{delimiter}");
        let length = find(content, until.as_bytes()).ok_or_else(|| bad("the body is cut short"))?;
        if let Some(name) = file_name(headers) {
            return Ok(File { name, content: &content[..length] });
        }
        rest = &content[length + until.len()..];
    }
}

fn bad(what: &str) -> ApiError {
    ApiError::bad_request(format!("The upload cannot be read: {what}."))
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()).then_some(boundary)
}

/// `name=value` or `name="value"` of a list separated by semicolons.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
    found.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

fn file_name(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
    let (_, disposition) = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    parameter(disposition.split_once(';')?.1, "filename")
}

fn after<'a>(bytes: &'a [u8], of: &[u8]) -> Option<&'a [u8]> {
    find(bytes, of).map(|at| &bytes[at + of.len()..])
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x-1\"";

    #[test]
    fn the_first_file_is_found_behind_other_fields() {
        let body = b"preamble\r\n--x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x-1\r\n\
            content-disposition: form-data; name=\"jarfile\"; filename=\"job.sql\"\r\nContent-Type: text/plain\r\n\r\n\
            SELECT '--x';\r\n\r\n--x-1--\r\n";
        let file = file(TYPE, body).expect("a file");
        assert_eq!((file.name.as_str(), file.content), ("job.sql", &b"SELECT '--x';\r\n"[..]));
    }

    #[test]
    fn every_prefix_of_a_form_is_refused() {
        let body = b"--x-1\r\nContent-Disposition: form-data; filename=\"f\"\r\n\r\nabc\r\n--x-1--";
        let whole = body.len() - "--".len();
        for length in 0..whole {
            assert!(file(TYPE, &body[..length]).is_err(), "{length}");
        }
        assert_eq!(file(TYPE, body).expect("a file").content, b"abc");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        for kind in ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", &long] {
            assert!(file(kind, b"--a\r\n\r\n\r\n--a--").is_err(), "{kind}");
        }
        let no_file = b"--x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x-1--";
        assert!(file(TYPE, no_file).is_err());
    }
}
