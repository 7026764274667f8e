//! Types as SHOW CREATE writes them.

use headwater_types::{LogicalType, RowField, TypeRoot};

/// The type as Flink writes it in SHOW CREATE TABLE: like its display, with every length spelled out.
pub(super) fn serialized(ty: &LogicalType) -> String {
    let root = match &ty.root {
        TypeRoot::VarChar(n) => format!("VARCHAR({n})"),
        TypeRoot::VarBinary(n) => format!("VARBINARY({n})"),
        TypeRoot::Timestamp(p, _) => format!("TIMESTAMP({p})"),
        TypeRoot::TimestampLtz(p, _) => format!("TIMESTAMP({p}) WITH LOCAL TIME ZONE"),
        TypeRoot::Array(element) => format!("ARRAY<{}>", serialized(element)),
        TypeRoot::Multiset(element) => format!("MULTISET<{}>", serialized(element)),
        TypeRoot::Map(key, value) => format!("MAP<{}, {}>", serialized(key), serialized(value)),
        TypeRoot::Row(fields) => {
            let fields: Vec<String> = fields.iter().map(serialized_field).collect();
            format!("ROW<{}>", fields.join(", "))
        }
        other => other.to_string(),
    };
    if ty.nullable { root } else { format!("{root} NOT NULL") }
}

fn serialized_field(field: &RowField) -> String {
    let name = headwater_types::logical_type::quote_identifier(&field.name);
    let comment = field.comment.as_ref().map(|c| format!(" '{}'", c.replace('\'', "''"))).unwrap_or_default();
    format!("{name} {}{comment}", serialized(&field.ty))
}
