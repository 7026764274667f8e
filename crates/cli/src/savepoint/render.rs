//! The reports as text.

use super::compare::Comparison;
use super::inspect::{ColumnSummary, Items, OperatorSummary, Summary, TableSummary, VertexSummary};
use super::verify::Damage;
use crate::progress::{duration, timestamp};
use headwater_checkpoint::Verdict;
use headwater_checkpoint::compatibility::{OperatorReport, TableReport};
use std::fmt::Write;
use std::time::Duration;

/// What a checkpoint or savepoint holds.
pub fn summary(summary: &Summary) -> String {
    let took = Duration::from_millis(summary.completed_ms.saturating_sub(summary.triggered_ms).try_into().unwrap_or(0));
    let mut out = format!("{} {}\n", summary.kind, summary.path);
    let mut line = |name: &str, value: String| out.push_str(&format!("  {name:<16} {value}\n"));
    line("job", format!("{} ({})", summary.job_name, summary.job));
    line("number", summary.checkpoint.to_string());
    line("taken", format!("{} UTC, took {}", timestamp(summary.triggered_ms), duration(took)));
    line("max parallelism", summary.max_parallelism.to_string());
    let Items { count, bytes } = Items { count: summary.totals.files, bytes: summary.totals.bytes };
    let entries = plural(summary.totals.entries_max, "entry", "entries");
    line("state", format!("at most {entries}, {} in {}", size(bytes), plural(count as u64, "file", "files")));
    out.push_str("vertices\n");
    summary.vertices.iter().for_each(|vertex| push_vertex(&mut out, vertex));
    summary.operators.iter().for_each(|operator| push_operator(&mut out, operator));
    if let Some(damages) = &summary.damages {
        push_damages(&mut out, damages, summary.totals.files);
    }
    out
}

/// The statements that declare all tables of state, to be queried.
pub fn declarations(summary: &Summary) -> String {
    let tables = summary.operators.iter().flat_map(|operator| &operator.tables);
    tables.map(|table| table.create_table.as_str()).collect::<Vec<_>>().join("\n")
}

fn push_vertex(out: &mut String, vertex: &VertexSummary) {
    let finished = match vertex.finished {
        0 => String::new(),
        finished => format!(", {finished} finished"),
    };
    let in_flight = match vertex.in_flight_bytes {
        0 => String::new(),
        bytes => format!(", {} in flight", size(bytes)),
    };
    let _ = writeln!(out, "  {} x {}{finished}{in_flight}", vertex.parallelism, vertex.name);
}

fn push_operator(out: &mut String, operator: &OperatorSummary) {
    let _ = writeln!(out, "operator {}\n  {}", operator.uid, operator.name);
    operator.tables.iter().for_each(|table| push_table(out, table));
    for list in &operator.lists {
        push_items(out, &format!("list '{}'", list.name), &list.items);
    }
    push_items(out, "splits", &operator.splits);
    if let Some(bytes) = operator.enumerator_bytes {
        let _ = writeln!(out, "  enumerator: {}", size(bytes));
    }
    push_items(out, "writer state", &operator.writers);
    push_items(out, "committables", &operator.committables);
}

fn push_table(out: &mut String, table: &TableSummary) {
    let _ = writeln!(
        out,
        "  {} table '{}': at most {}, {}, {} and {}",
        table.kind,
        table.name,
        plural(table.entries_max, "entry", "entries"),
        size(table.bytes),
        plural(table.bases as u64, "base", "bases"),
        plural(table.deltas as u64, "delta", "deltas"),
    );
    for (name, columns) in [("key", &table.key), ("map key", &table.map_key), ("value", &table.value)] {
        if !columns.is_empty() {
            let _ = writeln!(out, "    {name:<8} {}", self::columns(columns));
        }
    }
    if let Some(ttl_ms) = table.ttl_ms {
        let _ = writeln!(out, "    TTL      {ttl_ms} ms");
    }
}

fn columns(columns: &[ColumnSummary]) -> String {
    columns.iter().map(|column| format!("{} {}", column.name, column.ty)).collect::<Vec<_>>().join(", ")
}

fn push_items(out: &mut String, name: &str, items: &Items) {
    if items.count > 0 {
        let _ = writeln!(out, "  {name}: {}, {}", plural(items.count as u64, "item", "items"), size(items.bytes));
    }
}

fn push_damages(out: &mut String, damages: &[Damage], files: usize) {
    if damages.is_empty() {
        let _ = writeln!(out, "verified: {} complete and undamaged", plural(files as u64, "file", "files"));
        return;
    }
    let _ = writeln!(out, "DAMAGED");
    for damage in damages {
        let _ = writeln!(out, "  {}: {} (state of {})", damage.file, damage.what, damage.holds.join(", "));
    }
}

/// What a job would keep.
pub fn comparison(comparison: &Comparison) -> String {
    let mut out =
        format!("job '{}' and checkpoint {} at {}\n", comparison.job, comparison.checkpoint, comparison.savepoint);
    comparison.operators.iter().for_each(|operator| push_report(&mut out, operator));
    out.push_str(match (comparison.compatible, comparison.left_behind.is_empty()) {
        (true, true) => "compatible: no state is lost\n",
        (true, false) => "compatible: only state of aggregates that the query no longer has is dropped\n",
        (false, _) => "NOT COMPATIBLE: state would be lost\n",
    });
    out
}

fn push_report(out: &mut String, operator: &OperatorReport) {
    let _ = writeln!(out, "  {:<8} {}{}", word(&operator.verdict), operator.key, reason(&operator.verdict));
    if operator.name != operator.key {
        let _ = writeln!(out, "           {}", operator.name);
    }
    for TableReport { name, verdict, dropped_columns, bytes } in &operator.tables {
        let stored = if *bytes > 0 { format!(", {}", size(*bytes)) } else { String::new() };
        let _ = writeln!(out, "           table '{name}': {}{stored}{}", word(verdict), reason(verdict));
        for column in dropped_columns {
            let _ = writeln!(out, "             column '{column}': dropped");
        }
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "kept",
        Verdict::Migrated(_) => "migrated",
        Verdict::Rebuilt(_) => "rebuilt",
        Verdict::New => "new",
        Verdict::Dropped => "dropped",
    }
}

fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Migrated(changes) => format!(": {}", changes.join(", ")),
        Verdict::Rebuilt(why) => format!(": {why}"),
        _ => String::new(),
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// `317 B`, `1.2 kB`, `4.0 MB`; thousands of bytes.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut scaled = bytes as f64 / 1000.0;
    let mut unit = 0;
    while scaled >= 999.95 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", UNITS[unit])
}
