//! Grouping and aggregate functions.

use super::expr::over;
use super::origin::{Origin, Rows, Sources, Use, merge, shortened};
use crate::logical::aggregate::FlinkAggregate;
use crate::logical::display_name;
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::{Aggregate, Expr as DfExpr};
use headwater_lineage::Kind;
use headwater_types::TypeRoot;

/// Aggregates whose result does not show values.
const MASKING: &[&str] = &["COUNT", "APPROX_COUNT_DISTINCT"];

/// Whether an aggregate's result does not show values.
pub(super) fn masks(function: &str) -> bool {
    MASKING.contains(&function)
}

/// The rows of an aggregate: keys and results.
pub(super) fn aggregate(aggregate: &Aggregate, input: Rows, mask: bool) -> Rows {
    let mut rows = Rows { inputs: input.inputs.clone(), decisive: input.decisive.clone(), ..Rows::default() };
    let names: Vec<String> = aggregate.schema.fields().iter().map(|field| field.name().clone()).collect();
    let (keys, results) = names.split_at(aggregate.group_expr.len().min(names.len()));
    for (name, expr) in keys.iter().zip(&aggregate.group_expr) {
        let key = over(expr, &input, mask);
        let mut grouped = Sources::new();
        key.used(Use::new(Kind::GroupBy, &key.text), &mut grouped);
        merge(&mut rows.decisive, grouped);
        rows.columns.insert(name.clone(), key.origin());
    }
    for (name, expr) in results.iter().zip(&aggregate.aggr_expr) {
        rows.columns.insert(name.clone(), result(expr, &input, mask));
    }
    rows
}

fn result(expr: &DfExpr, input: &Rows, mask: bool) -> Origin {
    match expr {
        DfExpr::Alias(alias) => result(&alias.expr, input, mask),
        DfExpr::AggregateFunction(call) => call_origin(call, input, mask),
        other => over(other, input, mask).origin(),
    }
}

fn call_origin(call: &AggregateFunction, input: &Rows, mask: bool) -> Origin {
    let name = call.func.name();
    let args: Vec<_> = call.params.args.iter().map(|arg| over(arg, input, mask)).collect();
    let list = args.iter().map(|arg| arg.text.as_str()).collect::<Vec<_>>().join(", ");
    let distinct = if call.params.distinct { "DISTINCT " } else { "" };
    let list = if args.is_empty() { "*" } else { list.as_str() };
    let text = shortened(&format!("{name}({distinct}{list})"));
    let mut sources = Sources::new();
    let how = Use { kind: Kind::Aggregation, masking: masks(name), text: &text };
    args.iter().for_each(|arg| arg.used(how, &mut sources));
    if let Some(filter) = &call.params.filter {
        let filter = over(filter, input, mask);
        filter.used(Use::new(Kind::Filter, &filter.text), &mut sources);
    }
    for key in &call.params.order_by {
        let key = over(&key.expr, input, mask);
        key.used(Use::new(Kind::Sort, &key.text), &mut sources);
    }
    let ty = FlinkAggregate::downcast(&call.func).map_or_else(|| TypeRoot::Null.into(), |f| f.return_type.clone());
    // Display names of generated columns mean nothing to anybody.
    let text = if text.is_empty() { display_name(name).to_owned() } else { text };
    Origin { sources, text, ty, ..Origin::default() }
}
