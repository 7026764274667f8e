//! CREATE, ALTER and DROP.

pub(super) mod alter;
pub(super) mod change;
pub(super) mod create_table;
pub(super) mod drop;
pub(super) mod function;
pub(super) mod model;
pub(super) mod module;
pub(super) mod namespace;
pub(super) mod partition;
pub(super) mod schema;
pub(super) mod view;

#[cfg(test)]
mod tests;
