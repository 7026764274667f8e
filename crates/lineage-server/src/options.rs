//! How the server is set up.

use crate::error::{Error, Result};
use std::fmt;

/// Where the server listens unless told.
pub const LISTEN: &str = "127.0.0.1:5050";
/// The database unless told.
pub const DATABASE: &str = "sqlite:lineage.db";
/// Largest request body, compressed or not compressed, unless told.
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// Largest body after decompression, unless told: that of Data.Rentgen's gateway.
pub const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Hours without news after which a run counts as stale, unless told.
pub const STALE_HOURS: u32 = 24;
/// Days without news after which a run that did not end leaves the graph, unless told.
pub const SILENT_DAYS: u32 = 7;
/// Hours for which a login is good.
pub const LOGIN_HOURS: u32 = 10;

/// How people log in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AuthOptions {
    /// Nobody needs to.
    #[default]
    None,
    /// Any name and password will do: for trying out, and behind a proxy that knows better.
    Dummy,
    /// With an OpenID Connect provider such as Keycloak.
    Oidc(OidcOptions),
}

/// An OpenID Connect provider.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcOptions {
    /// Address of the provider (for Keycloak with the realm); `/.well-known/openid-configuration` is below it.
    pub issuer: String,
    /// Id of this client.
    pub client_id: String,
    /// Secret of this client.
    pub client_secret: String,
    /// Address that the browser returns to; it ends up calling `/v1/auth/callback`.
    pub redirect_url: String,
    /// Scopes to ask for.
    pub scope: String,
}

impl fmt::Debug for OidcOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcOptions")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("redirect_url", &self.redirect_url)
            .finish_non_exhaustive()
    }
}

/// Events from Kafka.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaOptions {
    /// Brokers, as `host:port` with commas.
    pub brokers: String,
    /// Topics to read.
    pub topics: Vec<String>,
    /// Consumer group.
    pub group: String,
    /// Further settings of librdkafka; they may hold secrets.
    pub properties: Vec<(String, String)>,
}

impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.properties.iter().map(|(name, _)| name).collect();
        f.debug_struct("KafkaOptions")
            .field("brokers", &self.brokers)
            .field("topics", &self.topics)
            .field("group", &self.group)
            .field("properties", &names)
            .finish()
    }
}

/// Everything.
#[derive(Clone)]
pub struct Options {
    /// `host:port` to listen on; port 0 takes a free one.
    pub listen: String,
    /// `sqlite:PATH` or `postgres://..`.
    pub database: String,
    /// How people log in.
    pub auth: AuthOptions,
    /// Whether events need a token too.
    pub ingest_auth: bool,
    /// What signs tokens; without one the database keeps a random one.
    pub secret: Option<String>,
    /// Origins whose pages may call the API with credentials; `*` allows any origin without credentials.
    pub cors_origins: Vec<String>,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Largest body after decompression.
    pub unpacked_bytes_max: u64,
    /// Hours without news after which a run counts as stale.
    pub stale_hours: u32,
    /// Days without news after which a run that did not end leaves the graph.
    pub silent_days: u32,
    /// Days for which events and ended runs are kept; none keeps them for ever.
    pub retention_days: Option<u32>,
    /// Events from Kafka.
    pub kafka: Option<KafkaOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: LISTEN.into(),
            database: DATABASE.into(),
            auth: AuthOptions::None,
            ingest_auth: false,
            secret: None,
            cors_origins: vec![],
            body_bytes_max: BODY_BYTES_MAX,
            unpacked_bytes_max: UNPACKED_BYTES_MAX,
            stale_hours: STALE_HOURS,
            silent_days: SILENT_DAYS,
            retention_days: None,
            kafka: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("auth", &self.auth)
            .field("kafka", &self.kafka)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Checks what can be checked without doing anything.
    ///
    /// # Errors
    /// When options contradict each other.
    pub fn check(&self) -> Result<()> {
        if self.ingest_auth && self.auth == AuthOptions::None {
            return Err(Error::Options("tokens for events need a way to log in: set --auth".into()));
        }
        if self.retention_days == Some(0) {
            return Err(Error::Options("a retention of 0 days would keep nothing".into()));
        }
        #[cfg(not(feature = "kafka"))]
        if self.kafka.is_some() {
            return Err(Error::Options("this program was built without Kafka".into()));
        }
        Ok(())
    }

    /// See [`Options::silent_days`], in microseconds.
    pub fn silence_us(&self) -> i64 {
        i64::from(self.silent_days) * 24 * 3600 * 1_000_000
    }

    /// See [`Options::stale_hours`], in microseconds.
    pub fn stale_us(&self) -> i64 {
        i64::from(self.stale_hours) * 3600 * 1_000_000
    }
}
