//! The tables of a program: their DDL and their rows.

use super::TableStep;
use crate::outcome::Stop;
use crate::value::changelog_row;
use headwater_connectors::values::Row;
use headwater_types::LogicalType;
use serde_json::Value as Json;

/// Rows that a source produces first.
const PRODUCED: [&str; 2] = ["producedValues", "producedBeforeRestore"];
/// Rows that a source produces when the first are processed.
const PRODUCED_AFTER: [&str; 1] = ["producedAfterRestore"];
/// Rows of the final table, for runs whose changelog is not specified.
const MATERIALIZED: [&str; 1] = ["expectedMaterializedRows"];
/// Rows that a sink must have consumed.
const CONSUMED: [&str; 3] = ["consumedValues", "consumedBeforeRestore", "consumedAfterRestore"];

/// The option of a source that says when watermarks are emitted.
const EMIT_STRATEGY: &str = "scan.watermark.emit.strategy";

impl TableStep {
    /// The CREATE TABLE statement over the in-memory connector; `mode_option` takes the row kinds.
    pub(super) fn ddl(&self, data_id: &str, mode_option: &str) -> Result<String, Stop> {
        let Some(schema) = &self.schema else {
            return Err(Stop::skipped(format!("the schema of '{}' could not be written down", self.name)));
        };
        if self.json.contains_key("optionMaps") || self.json.contains_key("setupTableSource") {
            return Err(Stop::skipped(format!("the definition of '{}' could not be written down", self.name)));
        }
        let distribution = match &self.distribution {
            None => "",
            Some(Ok(clause)) => clause.as_str(),
            Some(Err(text)) => return Err(Stop::skipped(format!("the distribution {text} could not be read"))),
        };
        let mut options = vec![("connector", "values".to_string()), ("data-id", data_id.to_string())];
        if let Some(mode) = &self.mode {
            options.push((mode_option, mode.clone()));
        }
        for (key, value) in &self.options {
            options.push((key, super::scalar(value).ok_or_else(|| Stop::skipped("an option is no text"))?));
        }
        // A watermark follows every batch: on every event means that events come one by one.
        if self.options.get(EMIT_STRATEGY).and_then(Json::as_str) == Some("on-event") {
            options.push(("batch-rows", "1".to_owned()));
        }
        let options: Vec<String> = options.iter().map(|(k, v)| format!("{} = {}", quoted(k), quoted(v))).collect();
        let partitions = match self.partition_keys.as_slice() {
            [] => String::new(),
            keys => format!(" PARTITIONED BY (`{}`)", keys.join("`, `")),
        };
        Ok(format!(
            "CREATE TABLE {} ({}){distribution}{partitions} WITH ({})",
            self.name,
            schema.join(", "),
            options.join(", ")
        ))
    }

    /// The two halves of the rows a source produces: before and after a restore.
    pub(super) fn produced(&self, types: &[LogicalType]) -> Result<[Vec<Row>; 2], Stop> {
        let rows = |keys: &[&str]| -> Result<Vec<Row>, Stop> {
            self.listed(keys).into_iter().map(|row| produced_row(row, types)).collect()
        };
        Ok([rows(&PRODUCED)?, rows(&PRODUCED_AFTER)?])
    }

    /// Whether a source goes on producing after a restore.
    pub(super) fn has_second_half(&self) -> bool {
        PRODUCED_AFTER.iter().any(|key| self.json.contains_key(*key))
    }

    /// How many rows the sink is expected to have consumed when the first half is processed, and in all.
    pub(super) fn consumed_counts(&self) -> [usize; 2] {
        let before = self.listed(&CONSUMED[..2]).len();
        [before, before + self.listed(&CONSUMED[2..]).len()]
    }

    /// The rows a sink is expected to consume; `None` when nothing is said.
    pub(super) fn consumed(&self) -> Option<Vec<&Json>> {
        CONSUMED.iter().any(|key| self.json.contains_key(*key)).then(|| self.listed(&CONSUMED))
    }

    /// The rows of the final table, where a program lists them besides the changelog.
    pub(super) fn materialized(&self) -> Option<Vec<&Json>> {
        self.json.contains_key(MATERIALIZED[0]).then(|| self.listed(&MATERIALIZED))
    }

    /// Whether the final table is compared instead of the changelog.
    pub(super) fn is_materialized(&self) -> bool {
        self.json.get("testMaterializedData").and_then(Json::as_bool).unwrap_or(false)
    }

    fn listed(&self, keys: &[&str]) -> Vec<&Json> {
        keys.iter().filter_map(|key| self.json.get(*key)).filter_map(Json::as_array).flatten().collect()
    }
}

/// A row of a source; values beyond the columns are left out, as the source reads only what is declared.
fn produced_row(row: &Json, types: &[LogicalType]) -> Result<Row, Stop> {
    let mut row = row.clone();
    if let Some(Json::Array(values)) = row.get_mut("row") {
        values.truncate(types.len());
    }
    changelog_row(&row, types)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
