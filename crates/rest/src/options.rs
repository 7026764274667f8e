//! How to serve, from Flink's keys and a few of our own.

use crate::auth::Tokens;
use headwater_tls::{Part, Reloading};
use headwater_types::config::{Configuration, Key, parse_duration, parse_memory_bytes};
use headwater_types::{Error, Result};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

const ADDRESS: Key = Key { name: "rest.address", default: "" };
const BIND_ADDRESS: Key = Key { name: "rest.bind-address", default: "" };
const PORT: Key = Key { name: "rest.port", default: "8081" };
const BIND_PORT: Key = Key { name: "rest.bind-port", default: "" };
const METRICS_PORT: Key = Key { name: "metrics.reporter.prom.port", default: "" };
const CONTENT_LENGTH: Key = Key { name: "rest.server.max-content-length", default: "104857600" };
const SUBMIT: Key = Key { name: "web.submit.enable", default: "false" };
const RATE: Key = Key { name: "headwater.rest.requests-per-second", default: "500" };
const REQUEST_TIMEOUT: Key = Key { name: "headwater.rest.request-timeout", default: "60 s" };
/// Names of the keys of tokens; with `-file` behind them they name a file with the token.
const TOKENS: [&str; 3] = [
    "headwater.rest.authentication.view-token",
    "headwater.rest.authentication.operate-token",
    "headwater.rest.authentication.token",
];

/// No request needs more, but those that bring a job.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Calls that are answered at once.
const CALL_THREADS: usize = 8;
/// Ports of a range that are tried.
const PORTS_MAX: usize = 1024;
/// Longest token.
const TOKEN_BYTES_MAX: u64 = 4096;

/// How to serve.
#[derive(Clone)]
pub struct Options {
    /// Where to listen, for whoever binds the socket.
    pub bind: SocketAddr,
    /// Ports to try besides, in this order.
    pub ports: Vec<u16>,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Largest body of requests that need [`Role::Admin`](crate::Role::Admin): those that bring a job.
    pub upload_bytes_max: usize,
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// How long a connection may take to bring a request, or do nothing.
    pub connection_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// Calls that are answered at once; more wait.
    pub call_threads: usize,
    /// Requests a second that a client may send; 0 is no limit.
    pub requests_per_second: u32,
    /// What bearers of which token may do. With none everybody may do everything.
    pub tokens: Tokens,
    /// The side of TLS that is called, with the certificates that its files hold now; without it there is no TLS.
    pub tls: Option<Arc<Reloading>>,
    /// Whether clients have to show a certificate.
    pub authenticates: bool,
    /// Whether the configuration says where to listen.
    pub is_configured: bool,
    /// Ports to try for the page of metrics; empty without one of its own.
    pub metrics_ports: Vec<u16>,
    /// Whether SQL scripts may be uploaded and run.
    pub scripts: bool,
}

impl Options {
    /// What a configuration says. By default only this host can connect.
    ///
    /// # Errors
    /// When a value is not one, naming its key, or a file cannot be read.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let length = parse_memory_bytes(config.text(CONTENT_LENGTH)).ok_or_else(|| bad(CONTENT_LENGTH, config))?;
        let upload_bytes_max = usize::try_from(length).unwrap_or(usize::MAX);
        let port = port(config)?;
        let mut others = ports(config.text(BIND_PORT)).ok_or_else(|| bad(BIND_PORT, config))?;
        let first = if others.is_empty() { port } else { others.remove(0) };
        let [view, operate, admin] = TOKENS.map(|key| token(config, key));
        let tls = headwater_tls::Options::from_config(config, Part::Rest)?;
        Ok(Self {
            bind: SocketAddr::new(address(config)?, first),
            ports: others,
            body_bytes_max: upload_bytes_max.min(BODY_BYTES_MAX),
            upload_bytes_max,
            connections_max: 256,
            connection_timeout: parse_duration(config.text(REQUEST_TIMEOUT))
                .filter(|timeout| !timeout.is_zero())
                .ok_or_else(|| bad(REQUEST_TIMEOUT, config))?,
            answer_timeout: Duration::from_secs(30),
            call_threads: CALL_THREADS,
            requests_per_second: u32::try_from(config.integer(RATE)?).map_err(|_| bad(RATE, config))?,
            tokens: Tokens { view: view?, operate: operate?, admin: admin? },
            authenticates: tls.as_ref().is_some_and(headwater_tls::Options::authenticates),
            tls: tls.map(Reloading::new).transpose()?.map(Arc::new),
            is_configured: [PORT, BIND_PORT, BIND_ADDRESS].iter().any(|key| config.get(key.name).is_some()),
            metrics_ports: ports(config.text(METRICS_PORT)).ok_or_else(|| bad(METRICS_PORT, config))?,
            scripts: config.boolean(SUBMIT)?,
        })
    }

    /// Binds the address, or the first of its ports that is free.
    ///
    /// # Errors
    /// When none is.
    pub fn listen(&self) -> Result<TcpListener> {
        let ports = std::iter::once(self.bind.port()).chain(self.ports.iter().copied());
        let mut failure = None;
        for port in ports {
            match TcpListener::bind(SocketAddr::new(self.bind.ip(), port)) {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = Some(error),
            }
        }
        let why = failure.map_or_else(String::new, |error| format!(": {error}"));
        let message = format!("cannot listen at {}{why}; name another port by 'rest.port'", self.bind);
        Err(Error::user("rest-address", message))
    }

    /// Whether somebody who can connect is still asked who they are.
    pub fn is_secured(&self) -> bool {
        self.tokens.any() || self.authenticates
    }

    /// Whether jobs may be submitted: by everybody only where everybody is on this host.
    pub fn takes_jobs(&self) -> bool {
        self.is_secured() || self.bind.ip().is_loopback()
    }
}

/// A token, or the content of the file that has it.
fn token(config: &Configuration, key: &str) -> Result<Option<String>> {
    let set = |key: &str| config.get(key).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let file = format!("{key}-file");
    let Some(path) = set(&file) else { return Ok(set(key)) };
    let unreadable = |why: String| Error::user("bad-token-file", format!("{path} (of '{file}') {why}"));
    let open = std::fs::File::open(&path).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
    let mut text = String::new();
    open.take(TOKEN_BYTES_MAX).read_to_string(&mut text).map_err(|_| unreadable("holds no text".to_owned()))?;
    match text.trim() {
        "" => Err(unreadable("is empty: expected a token".to_owned())),
        token => Ok(Some(token.to_owned())),
    }
}

/// The ports of `8081`, `8081,8083` or `8081-8090`, and of lists of these.
pub fn ports(text: &str) -> Option<Vec<u16>> {
    let mut ports = vec![];
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (from, to) = item.split_once('-').unwrap_or((item, item));
        let (from, to): (u16, u16) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        ports.extend(from..=to);
        if from > to || ports.len() > PORTS_MAX {
            return None;
        }
    }
    Some(ports)
}

fn address(config: &Configuration) -> Result<IpAddr> {
    let set = [BIND_ADDRESS, ADDRESS].into_iter().find(|key| !config.text(*key).trim().is_empty());
    let Some(key) = set else { return Ok(Ipv4Addr::LOCALHOST.into()) };
    match config.text(key).trim() {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        text => match text.parse() {
            Ok(address) => Ok(address),
            // A name that clients use says nothing about where to listen.
            Err(_) if key.name == ADDRESS.name => Ok(Ipv4Addr::LOCALHOST.into()),
            Err(_) => Err(bad(key, config)),
        },
    }
}

fn port(config: &Configuration) -> Result<u16> {
    config.text(PORT).trim().parse().map_err(|_| bad(PORT, config))
}

fn bad(key: Key, config: &Configuration) -> Error {
    let expected = match key.name {
        name if name == PORT.name => "a port from 0 to 65535",
        name if name == BIND_PORT.name || name == METRICS_PORT.name => "ports such as 8081, 8081-8090 or 8081,9081",
        name if name == CONTENT_LENGTH.name => "a number of bytes",
        name if name == RATE.name => "a number of requests, 0 for any",
        name if name == REQUEST_TIMEOUT.name => "a duration such as 60 s",
        _ => "an IP address to listen at, such as 127.0.0.1 or 0.0.0.0",
    };
    let message = format!("'{}' is not a valid value of '{}': expected {expected}", config.text(key), key.name);
    Error::user("bad-config-value", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_can_connect_unless_told_otherwise() {
        let bind = |pairs: &[(&str, &str)]| {
            let mut config = Configuration::new();
            pairs.iter().for_each(|(key, value)| config.set(*key, *value));
            Options::from_config(&config).map(|options| options.bind.to_string()).map_err(|e| e.code())
        };
        assert_eq!(bind(&[]), Ok("127.0.0.1:8081".to_owned()));
        assert_eq!(bind(&[("rest.address", "flink.example.org"), ("rest.port", "9")]), Ok("127.0.0.1:9".to_owned()));
        assert_eq!(bind(&[("rest.bind-address", "0.0.0.0")]), Ok("0.0.0.0:8081".to_owned()));
        assert_eq!(bind(&[("rest.bind-address", "nowhere")]), Err("bad-config-value"));
        assert_eq!(bind(&[("rest.port", "70000")]), Err("bad-config-value"));
        assert_eq!(bind(&[("rest.port", "8081"), ("rest.bind-port", "9000-9002")]), Ok("127.0.0.1:9000".to_owned()));
        assert_eq!(bind(&[("rest.bind-port", "9-8")]), Err("bad-config-value"));
        assert_eq!(bind(&[("headwater.rest.requests-per-second", "-1")]), Err("bad-config-value"));
        assert_eq!(bind(&[("headwater.rest.request-timeout", "soon")]), Err("bad-config-value"));
    }

    fn options(pairs: &[(&str, &str)]) -> Options {
        let mut config = Configuration::new();
        pairs.iter().for_each(|(key, value)| config.set(*key, *value));
        Options::from_config(&config).expect("the options are valid")
    }

    #[test]
    fn ports_are_lists_and_ranges() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("8081", Some(vec![8081])),
            ("8081-8083, 9000", Some(vec![8081, 8082, 8083, 9000])),
            ("8083-8081", None),
            ("1-65535", None),
            ("a", None),
            ("1-2-3", None),
        ] {
            assert_eq!(ports(text), expected, "{text}");
        }
    }

    #[test]
    fn the_first_free_port_is_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("it is bound").port();
        let alone = options(&[("rest.bind-port", &port.to_string())]);
        assert_eq!(alone.listen().expect_err("it is taken").code(), "rest-address");
        let options = options(&[("rest.bind-port", &format!("{port},0"))]);
        assert_ne!(options.listen().expect("another").local_addr().expect("it is bound").port(), port);
    }

    #[test]
    fn jobs_are_taken_from_those_who_are_known_or_near() {
        let elsewhere = ("rest.bind-address", "0.0.0.0");
        assert!(options(&[]).takes_jobs());
        assert!(!options(&[elsewhere]).takes_jobs());
        assert!(options(&[elsewhere, ("headwater.rest.authentication.token", "t")]).takes_jobs());
    }

    #[test]
    fn tokens_come_from_files_too() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("token");
        std::fs::write(&path, "secret\n").expect("the file can be written");
        let path = path.to_str().expect("the path of a temporary directory is text");
        let options = options(&[("headwater.rest.authentication.token-file", path)]);
        assert_eq!(options.tokens.admin.as_deref(), Some("secret"));
        let mut config = Configuration::new();
        config.set("headwater.rest.authentication.view-token-file", "/nowhere/token");
        assert_eq!(Options::from_config(&config).err().map(|error| error.code()), Some("bad-token-file"));
    }
}
