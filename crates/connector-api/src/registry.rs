//! The connectors an installation knows, by name.

use crate::Connector;
use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Connectors by the value of a table's `connector` option.
#[derive(Clone, Default)]
pub struct Registry {
    connectors: BTreeMap<&'static str, Arc<dyn Connector>>,
}

impl Registry {
    /// A registry without connectors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector, replacing one of the same name.
    pub fn register(&mut self, connector: Arc<dyn Connector>) {
        self.connectors.insert(connector.name(), connector);
    }

    /// The connector of this name, or an error that lists the available ones.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Connector>> {
        self.connectors.get(name).ok_or_else(|| {
            let hint = nearest(name, self.names()).map(|n| format!(" did you mean '{n}'?")).unwrap_or_default();
            let names: Vec<_> = self.names().collect();
            let message = format!("there is no connector '{name}';{hint} available connectors: {}", names.join(", "));
            Error::user("unknown-connector", message)
        })
    }

    /// Names of all connectors, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.connectors.keys().copied()
    }
}
