//! The built-in connectors, one module each behind a cargo feature of its name.
//!
//! A connector knows the contract of `headwater-connector-api` and, where it reads or writes bytes, the formats;
//! nothing of SQL, operators or the runtime.

#[cfg(feature = "blackhole")]
pub mod blackhole;
#[cfg(feature = "collect")]
pub mod collect;
#[cfg(feature = "datagen")]
pub mod datagen;
#[cfg(feature = "filesystem")]
pub mod filesystem;
#[cfg(feature = "nexmark")]
pub mod nexmark;
#[cfg(feature = "print")]
pub mod print;
#[cfg(feature = "values")]
pub mod values;

#[cfg(any(feature = "datagen", feature = "nexmark"))]
mod numbered;
mod simple;
#[cfg(test)]
mod test_support;
#[cfg(any(feature = "blackhole", feature = "print"))]
mod throttle;

use headwater_connector_api::Registry;
use headwater_types::config::Configuration;
#[allow(unused_imports, reason = "unused when no connector is compiled in")]
use std::sync::Arc;

/// All connectors that are compiled in, of a process without a configuration.
#[must_use]
pub fn registry() -> Registry {
    registry_of(&Configuration::new())
}

/// All connectors that are compiled in. The configuration of the process says how object stores are reached.
#[must_use]
#[allow(unused_variables, reason = "unused when no connector that needs it is compiled in")]
pub fn registry_of(config: &Configuration) -> Registry {
    #[allow(unused_mut, reason = "unchanged when no connector is compiled in")]
    let mut registry = Registry::new();
    #[cfg(feature = "blackhole")]
    registry.register(Arc::new(blackhole::Blackhole));
    #[cfg(feature = "collect")]
    registry.register(Arc::new(collect::Collect));
    #[cfg(feature = "datagen")]
    registry.register(Arc::new(datagen::Datagen));
    #[cfg(feature = "filesystem")]
    registry.register(Arc::new(filesystem::Filesystem::new(config.clone())));
    #[cfg(feature = "nexmark")]
    registry.register(Arc::new(nexmark::Nexmark));
    #[cfg(feature = "print")]
    registry.register(Arc::new(print::Print));
    #[cfg(feature = "values")]
    registry.register(Arc::new(values::Values));
    registry
}
