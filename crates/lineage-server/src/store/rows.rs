//! The rows of the catalog, and how what is known merges with what is heard.
//!
//! Every merge is commutative, associative and idempotent: the least time a name was used decides its spelling, the
//! newest fact of its kind wins with ties broken by value, states and statistics grow. That is what makes the catalog
//! independent of the order, repetition and grouping of events.

use super::record::record;
use sha1::{Digest, Sha1};

/// A time before every event: "never".
pub const NEVER: i64 = i64::MIN / 2;
/// The end of what is declared until further notice: the last moment of the year 9999.
pub const FOREVER: i64 = 253_402_300_799_000_000;
/// Longest key that is stored as it is.
const KEY_BYTES_MAX: usize = 200;

record! {
    /// Where datasets and jobs live.
    LocationRow, "location", ["id"], {
        id: i64,
        kind: String,
        name: String,
        named_at: i64,
        external_id: Option<String>,
    }
}
record! {
    /// An address of a location.
    AddressRow, "address", ["key"], {
        key: String,
        url: String,
        location_id: i64,
    }
}
record! {
    /// A dataset.
    DatasetRow, "dataset", ["id"], {
        id: i64,
        location_id: i64,
        key: String,
        name: String,
        named_at: i64,
        description: Option<String>,
        described_at: i64,
        external_id: Option<String>,
        external_url: Option<String>,
    }
}
record! {
    /// A job.
    JobRow, "job", ["id"], {
        id: i64,
        location_id: i64,
        key: String,
        name: String,
        named_at: i64,
        kind: String,
        kind_at: i64,
        parent_id: Option<i64>,
        parent_at: i64,
        tags: String,
        tags_at: i64,
        description: Option<String>,
        described_at: i64,
    }
}
record! {
    /// One job waits for another.
    DependencyRow, "job_dependency", ["from_id", "to_id", "kind"], {
        from_id: i64,
        to_id: i64,
        kind: String,
    }
}
record! {
    /// A run.
    RunRow, "run", ["id"], {
        id: i64,
        uuid: String,
        created_at: i64,
        job_id: i64,
        job_at: i64,
        job_rank: i64,
        parent_id: Option<i64>,
        status: i64,
        external_id: Option<String>,
        attempt: Option<String>,
        persistent_log_url: Option<String>,
        running_log_url: Option<String>,
        started_at: Option<i64>,
        started_by: Option<String>,
        start_reason: Option<String>,
        ended_at: Option<i64>,
        end_reason: Option<String>,
        expected_start_at: Option<i64>,
        expected_end_at: Option<i64>,
        restored_from: Option<String>,
        first_at: i64,
        last_at: i64,
        heard: i64,
        declared: i64,
    }
}
record! {
    /// An operation.
    OperationRow, "operation", ["id"], {
        id: i64,
        uuid: String,
        created_at: i64,
        run_id: i64,
        run_at: i64,
        name: String,
        named_at: i64,
        kind: String,
        status: i64,
        position: Option<i64>,
        group_name: Option<String>,
        description: Option<String>,
        described_at: i64,
        sql_id: Option<i64>,
        sql_at: i64,
        started_at: Option<i64>,
        ended_at: Option<i64>,
        first_at: i64,
        last_at: i64,
    }
}
record! {
    /// An operation reads or writes a dataset.
    EdgeRow, "edge", ["operation_id", "dataset_id", "direction"], {
        operation_id: i64,
        dataset_id: i64,
        direction: i64,
        run_id: i64,
        job_id: i64,
        first_at: i64,
        last_at: i64,
        row_from: i64,
        row_to: i64,
        heard_to: i64,
        is_open: i64,
        has_flow: i64,
        types: i64,
        num_rows: Option<i64>,
        num_bytes: Option<i64>,
        num_files: Option<i64>,
        watermark: Option<i64>,
        positions: Option<String>,
        progress_at: i64,
    }
}
record! {
    /// An input feeds an output.
    FlowRow, "flow", ["operation_id", "source_id", "target_id"], {
        operation_id: i64,
        source_id: i64,
        target_id: i64,
    }
}
record! {
    /// Columns of one dataset come from another in an operation.
    ColumnLineageRow, "column_lineage", ["operation_id", "source_id", "target_id", "set_id"], {
        operation_id: i64,
        source_id: i64,
        target_id: i64,
        set_id: i64,
        run_id: i64,
        job_id: i64,
        first_at: i64,
        last_at: i64,
        row_from: i64,
        row_to: i64,
        heard_to: i64,
        is_open: i64,
    }
}
record! {
    /// A dataset was seen with a schema.
    SchemaUseRow, "schema_use", ["dataset_id", "schema_id", "direction"], {
        dataset_id: i64,
        schema_id: i64,
        direction: i64,
        first_at: i64,
        last_at: i64,
        first_run: String,
    }
}
record! {
    /// Two names of the same data.
    SymlinkRow, "symlink", ["from_id", "to_id"], {
        from_id: i64,
        to_id: i64,
        role: String,
    }
}
record! {
    /// A tag of a job.
    JobTagRow, "job_tag", ["job_id", "tag_value_id"], {
        job_id: i64,
        tag_value_id: i64,
    }
}
record! {
    /// A tag of a dataset or of one of its columns.
    DatasetTagRow, "dataset_tag", ["dataset_id", "field_key", "tag_value_id"], {
        dataset_id: i64,
        field_key: String,
        tag_value_id: i64,
        field: String,
    }
}
record! {
    /// A value of a tag.
    TagValueRow, "tag_value", ["id"], {
        id: i64,
        key: String,
        value: String,
        tag_id: i64,
    }
}
record! {
    /// An event as it came, compressed.
    RawEventRow, "raw_event", ["id"], {
        id: i64,
        received_at: i64,
        event_at: i64,
        run_uuid: Option<String>,
        body: Vec<u8>,
    }
}
record! {
    /// Something that came and could not be taken.
    QuarantineRow, "quarantine", ["id"], {
        id: i64,
        received_at: i64,
        source: String,
        code: String,
        reason: String,
        body: Vec<u8>,
        tries: i64,
    }
}

/// What identifies a text in an index: the text itself, or its beginning and a hash.
pub fn index_key(text: &str) -> String {
    if text.len() <= KEY_BYTES_MAX {
        return text.to_owned();
    }
    let mut end = KEY_BYTES_MAX / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}#{}", &text[..end], digest(text))
}

/// What identifies a name, whatever its case.
pub fn name_key(name: &str) -> String {
    index_key(&name.to_lowercase())
}

/// A hash of a text, in hex.
pub fn digest(text: &str) -> String {
    hex(&Sha1::digest(text.as_bytes()))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Takes the spelling of the earliest use.
pub fn name(row_name: &mut String, named_at: &mut i64, name: &str, at: i64) {
    if (at, name) < (*named_at, row_name.as_str()) {
        *named_at = at;
        name.clone_into(row_name);
    }
}

/// Takes the newest value.
pub fn newest<T: PartialOrd + Clone>(slot: &mut T, slot_at: &mut i64, value: &T, at: i64) {
    if at > *slot_at || (at == *slot_at && *value > *slot) {
        *slot_at = at;
        slot.clone_from(value);
    }
}

/// The least of times that may be unknown.
pub fn earliest(slot: &mut Option<i64>, value: Option<i64>) {
    *slot = slot.iter().chain(&value).min().copied();
}

/// The greatest of values that may be unknown: the order in which they came does not matter.
pub fn greatest<T: Ord + Clone>(slot: &mut Option<T>, value: Option<T>) {
    if value > *slot {
        *slot = value;
    }
}

impl EdgeRow {
    /// What both say.
    pub fn merge(&mut self, other: &Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.row_from = self.row_from.min(other.row_from);
        self.row_to = self.row_to.max(other.row_to);
        self.heard_to = self.heard_to.max(other.heard_to);
        self.has_flow = self.has_flow.max(other.has_flow);
        self.types |= other.types;
        greatest(&mut self.num_rows, other.num_rows);
        greatest(&mut self.num_bytes, other.num_bytes);
        greatest(&mut self.num_files, other.num_files);
        greatest(&mut self.watermark, other.watermark);
        newest(&mut self.positions, &mut self.progress_at, &other.positions, other.progress_at);
    }
}

impl ColumnLineageRow {
    /// What both say.
    pub fn merge(&mut self, other: &Self) {
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
        self.row_from = self.row_from.min(other.row_from);
        self.row_to = self.row_to.max(other.row_to);
        self.heard_to = self.heard_to.max(other.heard_to);
    }
}

impl SchemaUseRow {
    /// What both say.
    pub fn merge(&mut self, other: &Self) {
        if (other.first_at, &other.first_run) < (self.first_at, &self.first_run) {
            self.first_at = other.first_at;
            self.first_run.clone_from(&other.first_run);
        }
        self.last_at = self.last_at.max(other.last_at);
    }
}
