//! What every endpoint has at hand.

use crate::auth::Auth;
use crate::ingest;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::store::Database;
use crate::webhooks::Notices;
use headwater_env::Env;
use std::sync::Arc;

pub use crate::auth::{Login, User};

/// Time, measurements and news, for those who only tell them.
#[derive(Clone)]
pub struct Signals {
    env: Env,
    /// Measurements.
    pub metrics: Arc<Metrics>,
    /// News for webhooks.
    pub notices: Notices,
}

impl Signals {
    /// With the clock of `env`.
    pub fn new(env: Env, metrics: Arc<Metrics>, notices: Notices) -> Self {
        Self { env, metrics, notices }
    }

    /// Microseconds since the epoch.
    pub fn now_us(&self) -> i64 {
        self.env.now_ms() * 1000
    }

    /// A random number.
    pub fn random(&self) -> u64 {
        self.env.random_u64()
    }

    /// The effects.
    pub fn env(&self) -> &Env {
        &self.env
    }
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    options: Options,
    database: Database,
    ingest: ingest::Handle,
    auth: Auth,
    signals: Signals,
}

impl App {
    /// Puts the parts together.
    pub fn new(options: Options, database: Database, ingest: ingest::Handle, auth: Auth, signals: Signals) -> Self {
        Self(Arc::new(Parts { options, database, ingest, auth, signals }))
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The catalog.
    pub fn db(&self) -> &Database {
        &self.0.database
    }

    /// The way in for events.
    pub fn ingest(&self) -> &ingest::Handle {
        &self.0.ingest
    }

    /// Who may do what.
    pub fn auth(&self) -> &Auth {
        &self.0.auth
    }

    /// Time, measurements and news.
    pub fn signals(&self) -> &Signals {
        &self.0.signals
    }
}
