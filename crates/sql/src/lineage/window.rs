//! Windows and event time: watermarks, window functions, ranks and OVER.
//!
//! Which rows a window holds is decided by its time column; which of them come too late, by the watermark. The latter
//! travels with the column that it is of, and counts where somebody goes by that column's time.

use super::aggregate::masks;
use super::expr::over;
use super::origin::{Origin, Rows, Sources, Use, add, merge};
use crate::logical::{Over, OverCall, Rank, RankOrder, WatermarkAssigner, WindowTvf};
use headwater_lineage::Kind;
use headwater_plan::operators::{RankFunction, WindowShape};
use headwater_types::LogicalType;

/// Functions over a window that pass a value of another row on.
const PASSING: &[&str] = &["LAG", "LEAD"];

/// A column becomes event time.
pub(super) fn watermark(assigner: &WatermarkAssigner, mut rows: Rows, mask: bool) -> Rows {
    let mut sources = Sources::new();
    let expr = over(&assigner.expr, &rows, mask);
    let text = format!("WATERMARK AS {}", expr.text);
    expr.used(Use::new(Kind::Window, &text), &mut sources);
    if let Some(origin) = rows.columns.get_mut(&assigner.rowtime) {
        origin.watermark = sources;
    }
    rows
}

/// TUMBLE and its like.
pub(super) fn table_function(tvf: &WindowTvf, mut rows: Rows) -> Rows {
    let text = format!("{}({})", shape_name(&tvf.shape), rows.text(&tvf.time));
    rows.decide_by_time(&tvf.time, Use::new(Kind::Window, &text));
    for column in &tvf.partition_by {
        rows.decide(column, Use::new(Kind::Window, &text));
    }
    let time = rows.columns.get(&tvf.time).cloned().unwrap_or_default();
    let mut sources = Sources::new();
    add(&mut sources, &time.sources, Use::new(Kind::Transformation, &text));
    let types = WindowTvf::output_types(&tvf.time_type);
    for (at, (name, ty)) in tvf.outputs.iter().zip(types).enumerate() {
        // The last one is event time again.
        let watermark = if at == 2 { time.watermark.clone() } else { Sources::new() };
        let text = crate::logical::display_name(name).to_owned();
        rows.columns.insert(name.clone(), Origin { sources: sources.clone(), watermark, text, ty });
    }
    rows
}

fn shape_name(shape: &WindowShape) -> &'static str {
    match shape {
        WindowShape::Tumble { .. } => "TUMBLE",
        WindowShape::Hop { .. } => "HOP",
        WindowShape::Cumulate { .. } => "CUMULATE",
        WindowShape::Session { .. } => "SESSION",
    }
}

/// ROW_NUMBER and its like. The filter above decides by it which rows stay.
pub(super) fn rank(rank: &Rank, mut rows: Rows) -> Rows {
    let name = match rank.function {
        RankFunction::RowNumber => "ROW_NUMBER",
        RankFunction::Rank => "RANK",
        RankFunction::DenseRank => "DENSE_RANK",
    };
    let (sources, text) = windowed(&format!("{name}()"), &rank.partition_by, &rank.order_by, &rows);
    let origin = Origin { sources, text, ty: Rank::output_type(), ..Origin::default() };
    rows.columns.insert(rank.output.clone(), origin);
    rows
}

/// Aggregates and the like with OVER.
pub(super) fn over_calls(node: &Over, mut rows: Rows) -> Rows {
    let calls: Vec<(String, Origin)> =
        node.calls.iter().map(|call| (call.output.clone(), over_call(node, call, &rows, &call.ty))).collect();
    rows.columns.extend(calls);
    rows
}

fn over_call(node: &Over, call: &OverCall, rows: &Rows, ty: &LogicalType) -> Origin {
    let function = call.function.as_str();
    let args = rows.texts(&call.args);
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let shown = format!("{function}({distinct}{args})");
    let (mut sources, text) = windowed(&shown, &node.partition_by, &node.order_by, rows);
    let kind = if PASSING.contains(&function) { Kind::Transformation } else { Kind::Aggregation };
    let how = Use { kind, masking: masks(function), text: &text };
    for origin in call.args.iter().filter_map(|arg| rows.columns.get(arg)) {
        add(&mut sources, &origin.sources, how);
    }
    if let Some(origin) = call.filter.as_ref().and_then(|filter| rows.columns.get(filter)) {
        add(&mut sources, &origin.sources, Use::new(Kind::Filter, &origin.text));
    }
    Origin { sources, text, ty: ty.clone(), ..Origin::default() }
}

/// What partitions and order make of a value, and the text of the whole.
fn windowed(call: &str, partition_by: &[String], order_by: &[RankOrder], rows: &Rows) -> (Sources, String) {
    let mut parts = vec![];
    if !partition_by.is_empty() {
        parts.push(format!("PARTITION BY {}", rows.texts(partition_by)));
    }
    if !order_by.is_empty() {
        parts.push(format!("ORDER BY {}", rows.texts(order_by.iter().map(|order| &order.column))));
    }
    let text = format!("{call} OVER ({})", parts.join(" "));
    let mut sources = Sources::new();
    for column in partition_by.iter().chain(order_by.iter().map(|order| &order.column)) {
        if let Some(origin) = rows.columns.get(column) {
            add(&mut sources, &origin.sources, Use::new(Kind::Window, &text));
        }
    }
    for origin in order_by.iter().filter_map(|order| rows.columns.get(&order.column)) {
        merge(&mut sources, origin.watermark.clone());
    }
    (sources, text)
}
