//! The CREATE TABLE of a table of state.

use crate::columns::state_columns;
use headwater_state::TableDescriptor;
use headwater_types::logical_type::quote_identifier;
use std::fmt::Write;

/// A statement that declares a table of state, so that it can be queried.
pub fn create_table(name: &str, path: &str, operator: &str, descriptor: &TableDescriptor) -> String {
    let columns = state_columns(descriptor);
    let columns: Vec<String> = columns.iter().map(|c| format!("  {} {}", quote_identifier(&c.name), c.ty)).collect();
    let mut out = format!("CREATE TABLE {} (\n{}\n) WITH (\n", quote_identifier(name), columns.join(",\n"));
    let options = [("connector", "savepoint"), ("path", path), ("operator", operator), ("state", &descriptor.name)];
    for (at, (key, value)) in options.iter().enumerate() {
        let end = if at + 1 < options.len() { ",\n" } else { "\n" };
        let _ = write!(out, "  '{key}' = '{}'{end}", value.replace('\'', "''"));
    }
    out.push_str(");\n");
    out
}
