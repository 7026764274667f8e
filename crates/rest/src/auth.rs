//! Who may do what: bearer tokens, compared in constant time, and no commands from foreign web pages.

use crate::Options;
use crate::answer::ApiError;
use axum::http::{HeaderMap, StatusCode, header};

/// What an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To look.
    View,
    /// To change something.
    Operate,
}

/// Refuses a request whose token does not give the role.
pub(crate) fn check(options: &Options, headers: &HeaderMap, needed: Role) -> Result<(), ApiError> {
    if needed == Role::Operate {
        refuse_foreign_pages(headers)?;
    }
    if options.operate_token.is_none() && options.view_token.is_none() {
        return Ok(());
    }
    let Some(token) = bearer(headers) else {
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "Expected the header 'Authorization: Bearer <token>'."));
    };
    let is = |known: &Option<String>| known.as_ref().is_some_and(|known| same(known.as_bytes(), token.as_bytes()));
    // Both are compared in any case, so that the time tells nothing.
    let (operates, views) = (is(&options.operate_token), is(&options.view_token));
    match needed {
        Role::View if operates || views => Ok(()),
        Role::Operate if operates => Ok(()),
        Role::Operate if views => {
            Err(ApiError::new(StatusCode::FORBIDDEN, "This token may look, but not change anything."))
        }
        _ => Err(ApiError::new(StatusCode::UNAUTHORIZED, "The token is not known.")),
    }
}

/// A page of another origin could otherwise make a browser on this host cancel jobs.
fn refuse_foreign_pages(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, at)| at == host);
    match own {
        true => Ok(()),
        false => Err(ApiError::new(StatusCode::FORBIDDEN, "Pages of other origins may not change anything.")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether two texts are the same, in time that depends on the length of the given one only.
fn same(known: &[u8], given: &[u8]) -> bool {
    let at = |index: usize| known.get(index).copied().unwrap_or_default();
    let difference = given.iter().enumerate().fold(0, |sum, (index, byte)| sum | (byte ^ at(index)));
    std::hint::black_box(difference) == 0 && known.len() == given.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_is_equality() {
        for (a, b) in [("", ""), ("a", ""), ("", "a"), ("secret", "secret"), ("secret", "secreT"), ("ab", "abc")] {
            assert_eq!(same(a.as_bytes(), b.as_bytes()), a == b, "{a} {b}");
        }
    }
}
