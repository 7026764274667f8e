//! The REST port of a JobManager that does not lead: every call goes on to the one that does, as in Flink, so that
//! clients may ask any of them.
//!
//! Who calls is asked here who it is, by the same configuration; what goes on shows this process's own token or
//! certificate of the role that the call needs. Calls that cannot be handed on are answered with 503 and the reason.

use crate::cluster_client::secured;
use headwater_rest::{Answer, ApiError, Method, Options, Reply, Request, Role, Route, Server, StatusCode, Tokens};
use headwater_rest::{endpoints, serve_routes};
use headwater_tls::Part;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use reqwest::blocking::{Client, Response};
use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long the leader may take; a bit less than a call may.
const TIMEOUT: Duration = Duration::from_secs(25);
/// How long it may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Whether the certificate of the leader has to be made out for its host.
const VERIFY_HOSTNAME: Key = Key { name: "security.ssl.rest.verify-hostname", default: "false" };
/// Largest answer that is handed on: log files are the largest.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Says where the REST API of the JobManager is that leads, host and port. May block.
pub type Where = dyn Fn() -> Result<Option<String>> + Send + Sync;

/// Serves the API at a socket that is bound, by asking the leader.
///
/// # Errors
/// When no server can be started.
pub fn serve(listener: TcpListener, leader: Box<Where>, config: &Configuration, options: Options) -> Result<Server> {
    let onward = Arc::new(Onward {
        leader,
        tls: headwater_tls::Options::from_config(config, Part::Rest)?,
        verifies_hosts: config.boolean(VERIFY_HOSTNAME)?,
        tokens: options.tokens.clone(),
        client: OnceLock::new(),
    });
    let routes = endpoints().iter().flat_map(|endpoint| {
        ["", "/v1"].map(|prefix| onward.route(&endpoint.method, format!("{prefix}{}", endpoint.path), endpoint.role))
    });
    serve_routes(listener, routes.collect(), options)
}

/// The way to whoever leads.
struct Onward {
    leader: Box<Where>,
    tls: Option<headwater_tls::Options>,
    verifies_hosts: bool,
    tokens: Tokens,
    /// Made by the first call, on a thread that may block.
    client: OnceLock<Client>,
}

impl Onward {
    fn route(self: &Arc<Self>, method: &Method, path: String, role: Role) -> Route {
        let (onward, method, template) = (self.clone(), method.clone(), path.clone());
        let ask = {
            let method = method.clone();
            move |request: Request| onward.ask(&method, &template, role, request)
        };
        Route { method, path, role, handler: Arc::new(ask) }
    }

    fn ask(&self, method: &Method, template: &str, role: Role, request: Request) -> Reply {
        let leader = (self.leader)().map_err(|error| unavailable(format!("Who leads is not known: {error}")))?;
        let nobody =
            || unavailable("No JobManager leads at the moment: an election is going on, try again.".to_owned());
        let leader = leader.ok_or_else(nobody)?;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{leader}{}", filled(template, &request));
        let mut onward = self.client()?.request(method.clone(), &url).query(&request.query);
        if let Some(token) = token(&self.tokens, role) {
            onward = onward.bearer_auth(token);
        }
        if !request.content_type.is_empty() {
            onward = onward.header(reqwest::header::CONTENT_TYPE, &request.content_type);
        }
        let answered = onward.body(request.body.to_vec()).send().map_err(|error| {
            let cause = innermost(&error);
            unavailable(format!(
                "This JobManager does not lead, and the one that does cannot be asked at {url}: {cause}"
            ))
        })?;
        handed_on(answered)
    }

    fn client(&self) -> std::result::Result<&Client, ApiError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.new_client().map_err(|error| unavailable(error.message().to_owned()))?;
        Ok(self.client.get_or_init(|| client))
    }

    fn new_client(&self) -> Result<Client> {
        // Where the leader is says the lease, and no proxy of the environment is to come between.
        let builder = Client::builder().timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT).no_proxy();
        let builder = secured(builder, self.tls.as_ref())?.redirect(reqwest::redirect::Policy::none());
        // As in Flink a host is only looked at where that is asked for; where everybody's authorities are trusted, always.
        let has_own_trust = self.tls.as_ref().is_some_and(|tls| matches!(tls.trusted_pem(), Ok(Some(_))));
        let client = match has_own_trust && !self.verifies_hosts {
            true => builder.danger_accept_invalid_hostnames(true).build(),
            false => builder.build(),
        };
        client.map_err(|error| Error::internal("no HTTP client could be made").with_source(error))
    }
}

fn unavailable(message: String) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

/// The path with what its placeholders stand for, encoded.
fn filled(template: &str, request: &Request) -> String {
    let segment = |segment: &str| match segment.strip_prefix(':').and_then(|name| request.path.get(name)) {
        Some(value) => encoded(value),
        None => segment.to_owned(),
    };
    template.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A segment of a path: everything that might mean something there is written as bytes.
fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    value.bytes().map(byte).collect()
}

/// The token of the least role that may do this.
fn token(tokens: &Tokens, role: Role) -> Option<&str> {
    let [view, operate, admin] = [&tokens.view, &tokens.operate, &tokens.admin];
    let enough: &[&Option<String>] = match role {
        Role::View => &[view, operate, admin],
        Role::Operate => &[operate, admin],
        Role::Admin => &[admin],
    };
    enough.iter().find_map(|token| token.as_deref())
}

fn handed_on(answered: Response) -> Reply {
    let status = StatusCode::from_u16(answered.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let content_type = answered.headers().get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/json").to_owned();
    let mut body = vec![];
    let read = answered.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut body);
    match read {
        Ok(_) if body.len() as u64 <= ANSWER_BYTES_MAX => Answer::forwarded(status, content_type, body),
        Ok(_) => Err(unavailable(format!(
            "The answer has more than {ANSWER_BYTES_MAX} bytes: ask the JobManager that leads for it."
        ))),
        Err(error) => Err(unavailable(format!("The JobManager that leads did not answer to the end: {error}"))),
    }
}

/// The innermost cause says what happened; those around it repeat each other.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_stay_one_segment() {
        let path = [("jobid".to_owned(), "../a b/ü".to_owned())].into_iter().collect();
        let request = Request { path, query: vec![], content_type: String::new(), body: Default::default() };
        assert_eq!(filled("/v1/jobs/:jobid/plan", &request), "/v1/jobs/%2E%2E%2Fa%20b%2F%C3%BC/plan");
    }

    #[test]
    fn the_least_token_that_suffices_is_shown() {
        let text = |text: &str| Some(text.to_owned());
        let tokens = Tokens { view: None, operate: text("o"), admin: text("a") };
        let shown = [Role::View, Role::Operate, Role::Admin].map(|role| token(&tokens, role));
        assert_eq!(shown, [Some("o"), Some("o"), Some("a")]);
        assert_eq!(token(&Tokens::default(), Role::View), None);
    }
}
