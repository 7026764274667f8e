//! Toys for tests: a source of numbers, a collecting sink, closures as operators, and a graph builder.
//!
//! Rows are `(n BIGINT, k BIGINT)`. Operators are found by the `uid` of their node.

mod connectors;
mod counting;
mod graph;
mod ledger;
mod operators;

pub use connectors::{CollectConnector, Collected, NumbersConnector, SinkGate};
pub use counting::CountByKey;
pub use graph::{GraphBuilder, operator, row_type, sink, sink_of, source, two_inputs, values};
pub use ledger::{Ledger, LedgerConnector};
pub use operators::{FnOperator, ToyFactory, batch, map};

use headwater_connector_api::Registry;
use std::sync::Arc;

/// A registry with the `numbers` source and the `collect` sink, and what the sink collects.
pub fn toys() -> (Registry, Arc<Collected>) {
    let collected = Arc::new(Collected::default());
    let mut registry = Registry::new();
    registry.register(Arc::new(NumbersConnector));
    registry.register(Arc::new(CollectConnector { collected: collected.clone() }));
    (registry, collected)
}
