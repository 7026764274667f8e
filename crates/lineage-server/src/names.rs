//! Names of the bits and states that the catalog keeps as numbers.

/// Kinds of writing, by bit.
pub const OUTPUT_TYPES: [(&str, i64); 10] = [
    ("APPEND", 1),
    ("CREATE", 2),
    ("ALTER", 4),
    ("RENAME", 8),
    ("OVERWRITE", 16),
    ("DROP", 32),
    ("TRUNCATE", 64),
    ("DELETE", 128),
    ("UPDATE", 256),
    ("MERGE", 512),
];

/// Kinds of relations between columns, by bit. Those from `FILTER` on are indirect.
pub const RELATION_TYPES: [(&str, i64); 12] = [
    ("UNKNOWN", 1),
    ("IDENTITY", 2),
    ("TRANSFORMATION", 4),
    ("TRANSFORMATION_MASKING", 8),
    ("AGGREGATION", 16),
    ("AGGREGATION_MASKING", 32),
    ("FILTER", 64),
    ("JOIN", 128),
    ("GROUP_BY", 256),
    ("SORT", 512),
    ("WINDOW", 1024),
    ("CONDITIONAL", 2048),
];

/// Relations after which nothing of the original is left to read.
pub const MASKING: i64 = 8 | 32;
/// Relations that carry values, as opposed to deciding which rows there are.
pub const DIRECT: i64 = 1 | 2 | 4 | 8 | 16 | 32;

const STATUSES: [(&str, i64); 5] = [("UNKNOWN", -1), ("STARTED", 0), ("SUCCEEDED", 1), ("FAILED", 2), ("KILLED", 3)];

/// The bit of a name, if it is known.
pub fn bit(table: &[(&str, i64)], name: &str) -> Option<i64> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, bit)| *bit)
}

/// The names of the bits of a mask.
pub fn bits<'a>(table: &'a [(&'a str, i64)], mask: i64) -> Vec<&'a str> {
    table.iter().filter(|(_, bit)| mask & bit != 0).map(|(name, _)| *name).collect()
}

/// The name of a state.
pub fn status(value: i64) -> &'static str {
    STATUSES.iter().find(|(_, known)| *known == value).map_or("UNKNOWN", |(name, _)| name)
}

/// The state of a name.
pub fn status_of(name: &str) -> Option<i64> {
    STATUSES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
