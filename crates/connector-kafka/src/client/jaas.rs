//! `sasl.jaas.config`: who logs in, as Kafka's Java client writes it.
//!
//! ```text
//! <login module class> required username="alice" password="..";
//! ```

use headwater_types::{Error, Result};

/// User and password of a login.
#[derive(PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

const NAME: &str = "properties.sasl.jaas.config";

/// Reads the entry of a PLAIN or SCRAM login module. The text is never part of an error: it holds a password.
pub(super) fn parse(text: &str) -> Result<Login> {
    let tokens = tokens(text)?;
    let module = tokens.first().map(String::as_str).unwrap_or_default();
    let class = module.rsplit('.').next().unwrap_or_default();
    if !matches!(class, "PlainLoginModule" | "ScramLoginModule") {
        return Err(Error::unsupported(format!(
            "the login module '{class}' of '{NAME}' is not supported: use PlainLoginModule or ScramLoginModule, or TLS with \
             a client certificate ('properties.ssl.keystore.*')"
        )));
    }
    let value = |name: &str| {
        let found = tokens.iter().find_map(|token| token.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_string).ok_or_else(|| bad(&format!("it has no '{name}'")))
    };
    Ok(Login { user: value("username")?, password: value("password")? })
}

fn bad(what: &str) -> Error {
    let form = "<login module> required username=\"..\" password=\"..\";";
    Error::user("bad-option-value", format!("the option '{NAME}' cannot be read: {what}; expected {form}"))
}

/// The words up to the semicolon; quotes hold blanks together and are left out.
fn tokens(text: &str) -> Result<Vec<String>> {
    let mut tokens = vec![];
    let mut word = String::new();
    let mut characters = text.chars();
    let mut quote: Option<char> = None;
    loop {
        match (characters.next(), quote) {
            (None, Some(_)) => return Err(bad("a quote is not closed")),
            (None, None) => return Err(bad("it does not end with a semicolon")),
            (Some('\\'), Some(_)) => word.extend(characters.next()),
            (Some(c), Some(open)) if c == open => quote = None,
            (Some(c), Some(_)) => word.push(c),
            (Some(c @ ('"' | '\'')), None) => quote = Some(c),
            (Some(c), None) if c == ';' || c.is_whitespace() => {
                if !word.is_empty() {
                    tokens.push(std::mem::take(&mut word));
                }
                if c == ';' {
                    return Ok(tokens);
                }
            }
            (Some(c), None) => word.push(c),
        }
    }
}
