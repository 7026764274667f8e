//! Joins: their conditions decide which rows meet, and which are dropped because they meet none.

use super::expr::{conjuncts, over};
use super::origin::{Origin, Rows, Sources, Use, add, merge};
use datafusion_expr::{Expr as DfExpr, Join, JoinType};
use headwater_lineage::Kind;
use headwater_types::TypeRoot;

/// The rows of a join.
pub(super) fn join(join: &Join, left: Rows, right: Rows, mask: bool) -> Rows {
    let shown: Vec<String> = join.schema.fields().iter().map(|field| field.name().clone()).collect();
    let as_of = right.as_of.clone();
    let mut rows = left.joined(Rows { as_of: None, ..right });
    let (drops_left, drops_right) = drops(join.join_type);
    let mut conditions = Sources::new();
    for (left_key, right_key) in &join.on {
        let (l, r) = (over(left_key, &rows, mask), over(right_key, &rows, mask));
        let text = format!("{} = {}", l.text, r.text);
        for (side, drops) in [(&l, drops_left), (&r, drops_right)] {
            side.used(Use::new(Kind::Join, &text), &mut conditions);
            if drops {
                side.used(Use::new(Kind::Filter, &text), &mut conditions);
            }
        }
    }
    for condition in join.filter.iter().flat_map(conjuncts) {
        let condition = over(condition, &rows, mask);
        condition.used(Use::new(Kind::Join, &condition.text), &mut conditions);
        if drops_left && drops_right {
            condition.used(Use::new(Kind::Filter, &condition.text), &mut conditions);
        }
    }
    by_time(join, &rows, &mut conditions);
    if let Some(time) = as_of {
        let text = format!("FOR SYSTEM_TIME AS OF {}", rows.text(&time));
        rows.decide_by_time(&time, Use::new(Kind::Join, &text));
    }
    mark(join, &shown, &conditions, &mut rows);
    merge(&mut rows.decisive, conditions);
    rows.columns.retain(|name, _| shown.contains(name));
    rows
}

/// Whether rows of the left and of the right side that meet none, or whose key is NULL, are dropped.
fn drops(kind: JoinType) -> (bool, bool) {
    match kind {
        JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => (true, true),
        // Of an anti join those that meet one are dropped.
        JoinType::Left | JoinType::RightAnti => (false, true),
        JoinType::Right | JoinType::LeftAnti => (true, false),
        JoinType::Full | JoinType::LeftMark | JoinType::RightMark => (false, false),
    }
}

/// A condition over the event times of both sides bounds how long rows wait: the watermarks decide too.
fn by_time(join: &Join, rows: &Rows, conditions: &mut Sources) {
    let sides = [&join.left, &join.right].map(|side| {
        let used = join.filter.iter().flat_map(DfExpr::column_refs);
        let used = used.chain(join.on.iter().flat_map(|(l, r)| l.column_refs().into_iter().chain(r.column_refs())));
        let of_side = used.filter(|column| side.schema().index_of_column_by_name(None, &column.name).is_some());
        let origins = of_side.filter_map(|column| rows.columns.get(&column.name));
        origins.filter(|origin| !origin.watermark.is_empty()).collect::<Vec<&Origin>>()
    });
    if sides.iter().all(|side| !side.is_empty()) {
        sides.into_iter().flatten().for_each(|origin| merge(conditions, origin.watermark.clone()));
    }
}

/// A mark join tells by a column whether a row meets one.
fn mark(join: &Join, shown: &[String], conditions: &Sources, rows: &mut Rows) {
    if !matches!(join.join_type, JoinType::LeftMark | JoinType::RightMark) {
        return;
    }
    let known = |name: &&String| rows.columns.contains_key(*name);
    for name in shown.iter().filter(|name| !known(name)).cloned().collect::<Vec<_>>() {
        let mut sources = Sources::new();
        add(&mut sources, conditions, Use::new(Kind::Identity, ""));
        let origin = Origin { sources, text: "EXISTS".to_owned(), ty: TypeRoot::Boolean.into(), ..Origin::default() };
        rows.columns.insert(name, origin);
    }
}
