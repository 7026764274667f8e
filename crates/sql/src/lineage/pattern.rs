//! MATCH_RECOGNIZE: measures are made of the rows of a match; partition, order and conditions decide which rows match.

use super::aggregate::masks;
use super::expr::over;
use super::origin::{Origin, Rows, Sources, Use, add, merge, shortened};
use crate::logical::MatchRecognize;
use crate::logical::match_recognize::{Place, Reference};
use headwater_lineage::Kind;

/// The rows of the clause: partition columns, then measures.
pub(super) fn matched(node: &MatchRecognize, input: Rows, mask: bool) -> Rows {
    let mut rows = Rows { inputs: input.inputs.clone(), decisive: input.decisive.clone(), ..Rows::default() };
    let (keys, measures) = node.columns.split_at(node.partition_by.len().min(node.columns.len()));
    for (column, (name, _)) in node.partition_by.iter().zip(keys) {
        if let Some(origin) = input.columns.get(column) {
            rows.columns.insert(name.clone(), origin.clone());
        }
    }
    let values = values(node, &input);
    for ((expr, _), (name, ty)) in node.measures.iter().zip(measures) {
        let origin = over(expr, &values, mask).origin();
        rows.columns.insert(name.clone(), Origin { ty: ty.clone(), ..origin });
    }
    decide(node, &input, &mut rows);
    for element in &node.elements {
        let Some(condition) = &element.condition else { continue };
        let condition = over(condition, &values, mask);
        let mut sources = Sources::new();
        let text = format!("{} AS {}", element.variable, condition.text);
        condition.used(Use::new(Kind::Filter, &text), &mut sources);
        merge(&mut rows.decisive, sources);
    }
    rows
}

/// Partition and order, and the time a match may take.
fn decide(node: &MatchRecognize, input: &Rows, rows: &mut Rows) {
    let mut decided = Rows { columns: input.columns.clone(), ..Rows::default() };
    let text = format!("MATCH_RECOGNIZE PARTITION BY {}", input.texts(&node.partition_by));
    node.partition_by.iter().for_each(|column| decided.decide(column, Use::new(Kind::GroupBy, &text)));
    if let Some(rowtime) = &node.rowtime {
        let text = format!("MATCH_RECOGNIZE ORDER BY {}", input.text(rowtime));
        // Rows are sorted once the watermark has passed them; which come too late, it decides.
        decided.decide_by_time(rowtime, Use::new(Kind::Sort, &text));
        if node.within_ms.is_some() {
            decided.decide(rowtime, Use::new(Kind::Window, "WITHIN"));
        }
    }
    for order in &node.order_by {
        decided.decide(&order.column, Use::new(Kind::Sort, &input.text(&order.column)));
    }
    merge(&mut rows.decisive, decided.decisive);
}

/// The values of matches that conditions and measures read, as columns.
fn values(node: &MatchRecognize, input: &Rows) -> Rows {
    let origin = |reference: &Reference| (reference.name.clone(), value(node, reference, input));
    Rows { columns: node.references.iter().map(origin).collect(), ..Rows::default() }
}

fn value(node: &MatchRecognize, reference: &Reference, input: &Rows) -> Origin {
    let variable = reference.variable.and_then(|at| node.elements.get(at)).map(|element| element.variable.as_str());
    let named = |column: &str| match variable {
        Some(variable) => format!("{variable}.{}", input.text(column)),
        None => input.text(column),
    };
    let mut sources = Sources::new();
    let mut of = |column: &str, how: Use<'_>| {
        if let Some(origin) = input.columns.get(column) {
            add(&mut sources, &origin.sources, how);
        }
    };
    let text = match &reference.place {
        Place::Last(0, column) => passed(named(column), column, &mut of),
        Place::Last(back, column) => passed(format!("LAST({}, {back})", named(column)), column, &mut of),
        Place::First(ahead, column) => passed(format!("FIRST({}, {ahead})", named(column)), column, &mut of),
        Place::Previous(back, column) => passed(format!("PREV({}, {back})", named(column)), column, &mut of),
        Place::Aggregate { function, args, .. } => {
            let text = format!("{function}({})", args.iter().map(|arg| named(arg)).collect::<Vec<_>>().join(", "));
            let how = Use { kind: Kind::Aggregation, masking: masks(function), text: &text };
            args.iter().for_each(|arg| of(arg, how));
            text
        }
    };
    Origin { sources, text: shortened(&text), ty: reference.ty.clone(), ..Origin::default() }
}

/// A value of one row, as it is.
fn passed(text: String, column: &str, of: &mut impl FnMut(&str, Use<'_>)) -> String {
    of(column, Use::new(Kind::Identity, &text));
    text
}
