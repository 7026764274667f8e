//! Parts that several small connectors share.

use headwater_connector_api::DatasetIdentity;
use headwater_plan::TableSpec;

/// The identity of a dataset that has no name outside Headwater: the table's own path.
#[allow(dead_code, reason = "the connectors that use it may be compiled out")]
pub(crate) fn table_identity(namespace: &str, table: &TableSpec) -> DatasetIdentity {
    DatasetIdentity { namespace: namespace.into(), name: table.path.join("."), schema: table.columns.clone() }
}
