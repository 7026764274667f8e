//! What the configuration says about the gateway, by Flink's keys.

use headwater_rest::ports;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const ADDRESS: Key = Key { name: "sql-gateway.endpoint.rest.address", default: "" };
const BIND_ADDRESS: Key = Key { name: "sql-gateway.endpoint.rest.bind-address", default: "" };
const PORT: Key = Key { name: "sql-gateway.endpoint.rest.port", default: "8083" };
const BIND_PORT: Key = Key { name: "sql-gateway.endpoint.rest.bind-port", default: "" };
const IDLE_TIMEOUT: Key = Key { name: "sql-gateway.session.idle-timeout", default: "10 min" };
const CHECK_INTERVAL: Key = Key { name: "sql-gateway.session.check-interval", default: "1 min" };
const SESSIONS_MAX: Key = Key { name: "sql-gateway.session.max-num", default: "1000000" };
const WORKERS_MAX: Key = Key { name: "sql-gateway.worker.threads.max", default: "500" };
const OPERATIONS_MAX: Key = Key { name: "headwater.sql-gateway.session.operations.max-num", default: "100" };

const ANONYMOUS: Key = Key { name: "headwater.sql-gateway.anonymous", default: "false" };

/// Largest body: a statement, or a script.
const BODY_BYTES_MAX: usize = 8 << 20;
/// Calls that are answered at once: some of them wait for rows.
const CALL_THREADS: usize = 32;

/// How to serve.
#[derive(Clone)]
pub struct Options {
    /// The server: where it listens, tokens, bounds of connections and bodies.
    pub server: headwater_rest::Options,
    /// Whether everybody may execute statements where not only this host can connect.
    pub anonymous: bool,
    /// A session that is not used for this long is closed; never when zero.
    pub idle_timeout: Duration,
    /// How often that is looked at; never when zero.
    pub check_interval: Duration,
    /// Sessions at once.
    pub sessions_max: usize,
    /// Sessions that execute a statement at once.
    pub workers_max: usize,
    /// Operations that a session keeps at once. The oldest that are over are forgotten for new ones.
    pub operations_max: usize,
}

impl Options {
    /// What a configuration says. By default only this host can connect.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let mut server = headwater_rest::Options::from_config(config)?;
        let key = if config.text(BIND_PORT).trim().is_empty() { PORT } else { BIND_PORT };
        let mut ports = ports(config.text(key)).unwrap_or_default();
        if ports.is_empty() {
            return Err(bad(key, config, "a port from 0 to 65535, a list or a range of some"));
        }
        server.bind = SocketAddr::new(address(config)?, ports.remove(0));
        (server.ports, server.metrics_ports) = (ports, vec![]);
        (server.body_bytes_max, server.upload_bytes_max) = (BODY_BYTES_MAX, BODY_BYTES_MAX);
        server.call_threads = CALL_THREADS;
        Ok(Self {
            server,
            anonymous: config.boolean(ANONYMOUS)?,
            idle_timeout: config.duration(IDLE_TIMEOUT)?,
            check_interval: config.duration(CHECK_INTERVAL)?,
            sessions_max: positive(config, SESSIONS_MAX)?,
            workers_max: positive(config, WORKERS_MAX)?,
            operations_max: positive(config, OPERATIONS_MAX)?,
        })
    }
}

impl Options {
    /// Whether what the gateway would do is safe.
    ///
    /// # Errors
    /// When everybody could execute statements who reaches it from another host, unless that is meant.
    pub fn check(&self) -> Result<()> {
        if self.anonymous || self.server.takes_jobs() {
            return Ok(());
        }
        let message = format!(
            "anybody who reaches {} could execute statements and read files: set \
             'headwater.rest.authentication.token', listen at 127.0.0.1, or set '{}' if that is meant",
            self.server.bind.ip(),
            ANONYMOUS.name
        );
        Err(Error::user("sql-gateway-open", message))
    }
}

fn positive(config: &Configuration, key: Key) -> Result<usize> {
    let value = config.integer(key)?;
    let positive = usize::try_from(value).ok().filter(|value| *value > 0);
    positive.ok_or_else(|| bad(key, config, "a positive number"))
}

fn address(config: &Configuration) -> Result<IpAddr> {
    let set = [BIND_ADDRESS, ADDRESS].into_iter().find(|key| !config.text(*key).trim().is_empty());
    let Some(key) = set else { return Ok(Ipv4Addr::LOCALHOST.into()) };
    match (config.text(key).trim(), key.name) {
        ("localhost", _) => Ok(Ipv4Addr::LOCALHOST.into()),
        (text, name) => match text.parse() {
            Ok(address) => Ok(address),
            // A name that clients use says nothing about where to listen.
            Err(_) if name == ADDRESS.name => Ok(Ipv4Addr::LOCALHOST.into()),
            Err(_) => Err(bad(key, config, "an IP address to listen at, such as 127.0.0.1 or 0.0.0.0")),
        },
    }
}

fn bad(key: Key, config: &Configuration, expected: &str) -> Error {
    let message = format!("'{}' is not a valid value of '{}': expected {expected}", config.text(key), key.name);
    Error::user("bad-config-value", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_of(pairs: &[(&str, &str)]) -> Configuration {
        let mut config = Configuration::new();
        pairs.iter().for_each(|(key, value)| config.set(*key, *value));
        config
    }

    #[test]
    fn a_gateway_that_others_reach_wants_a_token() {
        let open = (BIND_ADDRESS.name, "0.0.0.0");
        for (pairs, expected) in [
            (vec![], true),
            (vec![open], false),
            (vec![open, ("headwater.rest.authentication.token", "secret")], true),
            (vec![open, (ANONYMOUS.name, "true")], true),
        ] {
            let options = Options::from_config(&config_of(&pairs)).expect("the options are valid");
            assert_eq!(options.check().is_ok(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn only_this_host_can_connect_unless_told_otherwise() {
        let bind = |pairs: &[(&str, &str)]| {
            Options::from_config(&config_of(pairs)).map(|options| options.server.bind.to_string()).map_err(|e| e.code())
        };
        assert_eq!(bind(&[]), Ok("127.0.0.1:8083".to_owned()));
        assert_eq!(bind(&[(ADDRESS.name, "sql.example.org"), (PORT.name, "9")]), Ok("127.0.0.1:9".to_owned()));
        assert_eq!(bind(&[(ADDRESS.name, "10.0.0.1")]), Ok("10.0.0.1:8083".to_owned()));
        assert_eq!(bind(&[(BIND_ADDRESS.name, "0.0.0.0"), (BIND_PORT.name, "90-99")]), Ok("0.0.0.0:90".to_owned()));
        let range = Options::from_config(&config_of(&[(BIND_PORT.name, "90-92")])).expect("a range");
        assert_eq!((range.server.bind.port(), range.server.ports), (90, vec![91, 92]));
        assert_eq!(bind(&[(BIND_ADDRESS.name, "nowhere")]), Err("bad-config-value"));
        assert_eq!(bind(&[(PORT.name, "70000")]), Err("bad-config-value"));
        assert_eq!(bind(&[(SESSIONS_MAX.name, "0")]), Err("bad-config-value"));
        assert_eq!(bind(&[(IDLE_TIMEOUT.name, "soon")]), Err("bad-config-value"));
    }
}
