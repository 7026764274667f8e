//! Who may do what: bearer tokens, compared in constant time, and no commands from foreign web pages.
//!
//! A role may do what those before it may. Without tokens everybody who can connect may do everything; with mutual TLS
//! that is everybody with a certificate of a trusted authority.

use crate::Options;
use crate::answer::ApiError;
use axum::http::{HeaderMap, StatusCode, header};

/// What an endpoint needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To look.
    View,
    /// To change jobs that run: end them, rescale them, take savepoints of them.
    Operate,
    /// To run new jobs, remove savepoints, end the cluster.
    Admin,
}

impl Role {
    const ALL: [Self; 3] = [Self::View, Self::Operate, Self::Admin];

    /// Its name in the configuration and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

/// The token of every role that has one.
#[derive(Clone, Default)]
pub struct Tokens {
    /// Lets its bearer do what [`Role::View`] may.
    pub view: Option<String>,
    /// Lets its bearer do what [`Role::Operate`] may.
    pub operate: Option<String>,
    /// Lets its bearer do everything.
    pub admin: Option<String>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = Role::ALL.iter().filter(|role| self.of(**role).is_some());
        f.debug_set().entries(set).finish()
    }
}

impl Tokens {
    /// Whether there is one at all.
    pub fn any(&self) -> bool {
        Role::ALL.iter().any(|role| self.of(*role).is_some())
    }

    fn of(&self, role: Role) -> Option<&str> {
        match role {
            Role::View => self.view.as_deref(),
            Role::Operate => self.operate.as_deref(),
            Role::Admin => self.admin.as_deref(),
        }
    }

    /// The role that a token gives. All are compared in any case, so that the time tells nothing.
    fn role(&self, token: &str) -> Option<Role> {
        let is = |role: &Role| self.of(*role).is_some_and(|known| same(known.as_bytes(), token.as_bytes()));
        let given: Vec<Role> = Role::ALL.into_iter().filter(|role| is(role)).collect();
        given.into_iter().max()
    }
}

/// Refuses a request whose token does not give the role.
pub(crate) fn check(options: &Options, headers: &HeaderMap, needed: Role) -> Result<(), ApiError> {
    if needed > Role::View {
        refuse_foreign_pages(headers)?;
    }
    if !options.tokens.any() {
        return Ok(());
    }
    let Some(token) = bearer(headers) else {
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "Expected the header 'Authorization: Bearer <token>'."));
    };
    match options.tokens.role(token) {
        None => Err(ApiError::new(StatusCode::UNAUTHORIZED, "The token is not known.")),
        Some(role) if role >= needed => Ok(()),
        Some(role) => {
            let message = format!("This needs the role {}; the token gives {}.", needed.name(), role.name());
            Err(ApiError::new(StatusCode::FORBIDDEN, message))
        }
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

    #[test]
    fn a_token_gives_the_highest_role_it_is_set_for_and_is_never_shown() {
        let text = |text: &str| Some(text.to_owned());
        let tokens = Tokens { view: text("weak"), operate: text("both"), admin: text("both") };
        assert_eq!(tokens.role("weak"), Some(Role::View));
        assert_eq!(tokens.role("both"), Some(Role::Admin));
        assert_eq!((tokens.role(""), tokens.role("weakk")), (None, None));
        assert_eq!(format!("{tokens:?}"), "{View, Operate, Admin}");
        assert!(!Tokens::default().any());
    }
}
