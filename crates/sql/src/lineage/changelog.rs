//! Changelogs as plain rows and back: columns pass; the code is the kind of a change, which no column holds.

use super::origin::{Origin, Rows, Use};
use crate::logical::{FromChangelog, ToChangelog, display_name};
use headwater_lineage::Kind;
use headwater_types::LogicalType;

/// The rows of `TO_CHANGELOG`: those of its input, and a code that comes from no column.
pub(super) fn to_rows(node: &ToChangelog, mut rows: Rows) -> Rows {
    let text = display_name(&node.output).to_owned();
    let code = Origin { text, ty: LogicalType::string().not_null(), ..Origin::default() };
    rows.columns.insert(node.output.clone(), code);
    rows
}

/// The rows of `FROM_CHANGELOG`: the code decides which of them are there.
pub(super) fn from_rows(node: &FromChangelog, mut rows: Rows) -> Rows {
    let text = format!("FROM_CHANGELOG(op => {})", rows.text(&node.code));
    rows.decide(&node.code, Use::new(Kind::Filter, &text));
    rows.columns.remove(&node.code);
    rows
}
