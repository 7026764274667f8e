//! `properties.*`: the names of Kafka's Java client as those of librdkafka.
//!
//! Most names are the same. This table holds the others: renamed ones, those that need a value of another form,
//! those without meaning here, and those whose wish has another way. Names of librdkafka itself are passed on.

use super::jaas;
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_types::{Error, Result};
use rdkafka::config::ClientConfig;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time that calls may take which wait for a broker, as Java's `default.api.timeout.ms`.
const API_TIMEOUT: Duration = Duration::from_secs(30);

/// Same meaning, other name.
const RENAMED: &[(&str, &str)] = &[
    ("client.id.prefix", "client.id"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("max.request.size", "message.max.bytes"),
    ("ssl.truststore.location", "ssl.ca.location"),
    ("ssl.truststore.certificates", "ssl.ca.pem"),
    ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    ("ssl.keystore.key", "ssl.key.pem"),
];

/// Accepted without effect, since the client or Headwater sees to it.
const IGNORED: &[&str] = &[
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "commit.offsets.on.checkpoint",
    "default.api.timeout.ms",
    "enable.auto.commit",
    "exclude.internal.topics",
    "flink.disable-metrics",
    "internal.leave.group.on.close",
    "max.block.ms",
    "max.poll.records",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "partition.assignment.strategy",
    "partition.discovery.interval.ms",
    "register.consumer.metrics",
    "register.producer.metrics",
    "ssl.keystore.type",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Refused, with what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("interceptor.classes", "Java classes cannot be loaded; leave it out"),
    ("key.deserializer", "the option 'key.format' says how keys are read"),
    ("key.serializer", "the option 'key.format' says how keys are written"),
    ("metric.reporters", "Java classes cannot be loaded; metrics are those of the job"),
    ("partitioner.class", "use the option 'sink.partitioner'"),
    ("sasl.client.callback.handler.class", "Java classes cannot be loaded; use 'properties.sasl.jaas.config'"),
    ("sasl.login.callback.handler.class", "Java classes cannot be loaded; use 'properties.sasl.jaas.config'"),
    ("sasl.login.class", "Java classes cannot be loaded; use 'properties.sasl.jaas.config'"),
    ("sasl.oauthbearer.token.endpoint.url", "use SASL PLAIN or SCRAM, or TLS with a client certificate"),
    ("security.providers", "Java classes cannot be loaded; leave it out"),
    ("ssl.enabled.protocols", "leave it out: TLS 1.2 or newer is negotiated"),
    ("ssl.engine.factory.class", "Java classes cannot be loaded; use the 'properties.ssl.*' files"),
    ("ssl.protocol", "leave it out: TLS 1.2 or newer is negotiated"),
    ("transactional.id", "use the option 'sink.transactional-id-prefix'"),
    ("value.deserializer", "the option 'value.format' says how values are read"),
    ("value.serializer", "the option 'value.format' says how values are written"),
];

/// What a source does about an offset that the log does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetReset {
    /// Fails: records were lost.
    None,
    /// Goes on with the first record there is.
    Earliest,
    /// Goes on with records to come.
    Latest,
}

/// The properties of a table.
#[derive(Debug, Clone)]
pub(crate) struct Properties {
    given: BTreeMap<String, String>,
    native: ClientConfig,
    /// Brokers as given.
    pub(crate) bootstrap: String,
    /// Limit of calls that wait for a broker.
    pub(crate) timeout: Duration,
}

impl Properties {
    /// Reads and checks the `properties.*` of a table.
    pub(crate) fn new(options: Options<'_>) -> Result<Self> {
        let stripped =
            options.0.iter().filter_map(|(name, v)| Some((name.strip_prefix("properties.")?.to_string(), v)));
        let given: BTreeMap<String, String> = stripped.map(|(name, value)| (name, value.trim().to_string())).collect();
        let mut native = ClientConfig::new();
        for (name, value) in &given {
            translate(name, value, &given, &mut native)?;
        }
        let timeout = match given.get("default.api.timeout.ms") {
            Some(text) => Duration::from_millis(milliseconds("default.api.timeout.ms", text)?),
            None => API_TIMEOUT,
        };
        let bootstrap = options.require("properties.bootstrap.servers")?.to_string();
        let this = Self { given, native, bootstrap, timeout };
        this.offset_reset()?;
        this.commits_offsets()?;
        // Values are checked when the native configuration is made.
        this.native
            .create_native_config()
            .map_err(|e| super::explain("the options 'properties.*'", &e, &<_>::default()))?;
        Ok(this)
    }

    /// A property as given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// The consumer group, when one is given.
    pub(crate) fn group(&self) -> Option<&str> {
        self.get("group.id")
    }

    /// `auto.offset.reset`.
    pub(crate) fn offset_reset(&self) -> Result<OffsetReset> {
        match self.get("auto.offset.reset") {
            None | Some("none") => Ok(OffsetReset::None),
            Some("earliest" | "smallest") => Ok(OffsetReset::Earliest),
            Some("latest" | "largest") => Ok(OffsetReset::Latest),
            Some(other) => Err(bad_option("properties.auto.offset.reset", other, "none, earliest or latest")),
        }
    }

    /// Whether positions are committed to the consumer group, where there is one.
    pub(crate) fn commits_offsets(&self) -> Result<bool> {
        match self.get("commit.offsets.on.checkpoint") {
            None | Some("true") => Ok(self.group().is_some()),
            Some("false") => Ok(false),
            Some(other) => Err(bad_option("properties.commit.offsets.on.checkpoint", other, "true or false")),
        }
    }

    /// The client's configuration, without what belongs to producers or consumers only.
    pub(crate) fn native(&self) -> ClientConfig {
        self.native.clone()
    }

    /// The properties of a member of another group, which sees only offsets that no transaction can take back.
    pub(crate) fn of_group(&self, group: &str) -> Self {
        let mut other = self.clone();
        other.native.set("group.id", group).set("isolation.level", "read_committed");
        other
    }

    /// Sets what is not given.
    pub(crate) fn native_with(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = self.native();
        for (name, value) in defaults {
            if config.get(name).is_none() {
                config.set(*name, *value);
            }
        }
        config
    }
}

fn milliseconds(name: &str, text: &str) -> Result<u64> {
    let parsed = text.parse().ok().filter(|ms| *ms > 0);
    parsed.ok_or_else(|| bad_option(&format!("properties.{name}"), text, "a number of milliseconds"))
}

fn translate(name: &str, value: &str, given: &BTreeMap<String, String>, out: &mut ClientConfig) -> Result<()> {
    if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        let message = format!("the option 'properties.{name}' is not supported: {instead}");
        return Err(Error::user("unknown-option", message));
    }
    check_stores(name, value, given)?;
    match name {
        _ if IGNORED.contains(&name) => {}
        "sasl.mechanism" | "sasl.mechanisms" => {
            check_mechanism(name, value)?;
            out.set(name, value);
        }
        "sasl.jaas.config" => {
            let login = jaas::parse(value)?;
            out.set("sasl.username", login.user).set("sasl.password", login.password);
        }
        "ssl.endpoint.identification.algorithm" if value.is_empty() => {
            out.set(name, "none");
        }
        "ssl.keystore.location" if is_pem(given.get("ssl.keystore.type")) => {
            out.set("ssl.certificate.location", value).set("ssl.key.location", value);
        }
        "buffer.memory" => {
            let bytes: u64 =
                value.parse().map_err(|_| bad_option("properties.buffer.memory", value, "a number of bytes"))?;
            out.set("queue.buffering.max.kbytes", (bytes / 1024).max(1).to_string());
        }
        _ => {
            let native = RENAMED.iter().find(|(java, _)| *java == name).map_or(name, |(_, native)| native);
            out.set(native, value);
        }
    }
    Ok(())
}

/// Of the mechanisms of login, those that the client can do.
fn check_mechanism(name: &str, value: &str) -> Result<()> {
    let known = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
    if known.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        return Ok(());
    }
    let expected = format!("one of {}: Kerberos and OAuth are not supported", known.join(", "));
    Err(bad_option(&format!("properties.{name}"), value, &expected))
}

fn is_pem(store_type: Option<&String>) -> bool {
    store_type.is_some_and(|t| t.eq_ignore_ascii_case("PEM"))
}

/// Java's own stores of keys cannot be read.
fn check_stores(name: &str, value: &str, given: &BTreeMap<String, String>) -> Result<()> {
    let refuse = |store: &str, kind: &str, instead: &str| {
        let message = format!("a {store} of the type {kind} is not supported: {instead}");
        Err(Error::user("unsupported-store", message))
    };
    let kind_of = |name: &str| given.get(name).map_or("JKS", String::as_str).to_ascii_uppercase();
    match name {
        "ssl.truststore.location" if kind_of("ssl.truststore.type") != "PEM" && !has_pem_name(value) => refuse(
            "truststore",
            &kind_of("ssl.truststore.type"),
            "export the certificates as a PEM file ('keytool -exportcert -rfc') and set \
             'properties.ssl.truststore.type' = 'PEM'",
        ),
        "ssl.keystore.location" if !matches!(kind_of("ssl.keystore.type").as_str(), "PEM" | "PKCS12") => refuse(
            "keystore",
            &kind_of("ssl.keystore.type"),
            "convert it ('keytool -importkeystore -deststoretype PKCS12') and set \
             'properties.ssl.keystore.type' = 'PKCS12', or use PEM",
        ),
        _ => Ok(()),
    }
}

fn has_pem_name(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    ["pem", "crt", "cer"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
