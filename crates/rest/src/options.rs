//! How to serve, from Flink's keys and a few of our own.

use headwater_types::config::{Configuration, Key, parse_memory_bytes};
use headwater_types::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const ADDRESS: Key = Key { name: "rest.address", default: "" };
const BIND_ADDRESS: Key = Key { name: "rest.bind-address", default: "" };
const PORT: Key = Key { name: "rest.port", default: "8081" };
const CONTENT_LENGTH: Key = Key { name: "rest.server.max-content-length", default: "104857600" };
const OPERATE_TOKEN: Key = Key { name: "headwater.rest.authentication.token", default: "" };
const VIEW_TOKEN: Key = Key { name: "headwater.rest.authentication.view-token", default: "" };

/// No request of the API needs more.
const BODY_BYTES_MAX: usize = 1 << 20;

/// How to serve.
#[derive(Clone)]
pub struct Options {
    /// Where to listen, for whoever binds the socket.
    pub bind: SocketAddr,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// How long a connection may take to bring a request, or do nothing.
    pub connection_timeout: Duration,
    /// How long an answer may take.
    pub answer_timeout: Duration,
    /// Lets its bearer see and do everything. With neither token everybody may.
    pub operate_token: Option<String>,
    /// Lets its bearer see everything.
    pub view_token: Option<String>,
}

impl Options {
    /// What a configuration says. By default only this host can connect.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let length = parse_memory_bytes(config.text(CONTENT_LENGTH)).ok_or_else(|| bad(CONTENT_LENGTH, config))?;
        let token = |key: Key| Some(config.text(key).trim().to_owned()).filter(|token| !token.is_empty());
        Ok(Self {
            bind: SocketAddr::new(address(config)?, port(config)?),
            body_bytes_max: usize::try_from(length).unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX),
            connections_max: 256,
            connection_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(30),
            operate_token: token(OPERATE_TOKEN),
            view_token: token(VIEW_TOKEN),
        })
    }
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
        name if name == CONTENT_LENGTH.name => "a number of bytes",
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
    }
}
