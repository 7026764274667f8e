//! The lineage of a job, from the optimised plans of its sinks.
//!
//! Each plan is walked bottom-up once. For every relation there is an [`origin::Rows`]: what each of its columns is made of,
//! and what has decided so far which rows there are. A projection, an aggregate or a window gives columns new origins; a
//! filter, a join, a grouping or a sort adds to what decides. At the top the sink's columns are read off.
//!
//! ```text
//! Scan t(a, b)       a <- t.a   b <- t.b
//! Filter b > 1       rows <- t.b FILTER
//! Aggregate SUM(a)   s <- t.a AGGREGATION
//! ```
//!
//! The optimised plan is what runs, and in it views are expanded and subqueries are joins, so nothing is guessed from
//! text. What a node unknown here makes of its input counts as a transformation of all of it: too much rather than too
//! little. Extraction never fails a statement.

mod aggregate;
mod changelog;
mod dataset;
mod expr;
mod join;
mod mask;
mod origin;
mod pattern;
mod plan;
#[cfg(test)]
mod tests;
mod window;

use crate::binder::RelationLookup;
use crate::lower::SinkRoot;
use crate::planner::COLLECT_CONNECTOR;
use headwater_connector_api::{ChangelogMode, Registry};
use headwater_lineage::{Column, Input, JobLineage, Output, Source, Transformation};
use headwater_plan::SinkSpec;
use headwater_types::config::{Configuration, Key};
use origin::{Rows, Sources};
use plan::Walk;
use std::collections::BTreeMap;

/// Whether literals of statements and expressions are replaced by question marks.
const MASK_LITERALS: Key = Key { name: "headwater.lineage.mask-literals", default: "false" };

/// What extraction needs besides plans.
pub(crate) struct Context<'a> {
    /// Tables and their comments.
    pub catalog: &'a dyn RelationLookup,
    /// Names datasets.
    pub connectors: &'a Registry,
    /// The session's configuration.
    pub config: &'a Configuration,
}

impl Context<'_> {
    fn masks_literals(&self) -> bool {
        self.config.boolean(MASK_LITERALS).unwrap_or(true)
    }
}

/// The lineage of a job of these sinks. `statements` are their texts.
pub(crate) fn extract(name: &str, roots: &[SinkRoot], statements: &[&str], context: &Context<'_>) -> JobLineage {
    let mask = context.masks_literals();
    let mut walk = Walk::new(context, mask);
    let outputs: Vec<Output> = roots.iter().filter_map(|root| output(root, &mut walk, context)).collect();
    JobLineage {
        name: name.to_owned(),
        streaming: walk.inputs().iter().any(|input| !input.bounded),
        sql: text(statements, mask),
        inputs: walk.into_inputs(),
        outputs,
    }
}

/// The statements of a job; `None` when they are not at hand.
fn text(statements: &[&str], mask: bool) -> Option<String> {
    if statements.iter().any(|statement| statement.trim().is_empty()) {
        return None;
    }
    let shown = statements.iter().map(|statement| match mask {
        true => mask::without_literals(statement),
        false => (*statement).to_owned(),
    });
    Some(shown.collect::<Vec<_>>().join(";\n"))
}

/// What a sink writes; `None` where rows go to the client, which is no dataset.
fn output(root: &SinkRoot, walk: &mut Walk<'_>, context: &Context<'_>) -> Option<Output> {
    let mut rows = walk.rows(&root.plan);
    if root.sink.table.options.get("connector").is_some_and(|connector| connector == COLLECT_CONNECTOR) {
        return None;
    }
    let names = sink_columns(&root.sink);
    let mut columns = BTreeMap::new();
    for (unique, name) in root.columns.iter().zip(&names) {
        let origin = rows.columns.remove(unique).unwrap_or_default();
        if !origin.sources.is_empty() {
            columns.insert(name.clone(), sources(origin.sources));
        }
    }
    let mut dataset = dataset::dataset(&root.sink.table, context);
    let metadata =
        root.sink.metadata.iter().map(|m| Column { name: m.key.clone(), ty: m.ty.to_string(), ..Column::default() });
    // Metadata is written like a column, though it is none of the table's stored ones.
    dataset.columns.extend(metadata.filter(|column| columns.contains_key(&column.name)));
    let Rows { inputs, decisive, .. } = rows;
    Some(Output {
        dataset,
        overwrite: root.sink.overwrite,
        updates: root.traits.mode != ChangelogMode::Append,
        inputs,
        columns,
        rows: sources(decisive),
    })
}

/// Names of what a sink is given, in its order.
fn sink_columns(sink: &SinkSpec) -> Vec<String> {
    let physical = sink.table.columns.iter().map(|(name, _)| name.clone());
    physical.chain(sink.metadata.iter().map(|metadata| metadata.key.clone())).collect()
}

fn sources(all: Sources) -> Vec<Source> {
    let source = |((input, column), transformations): ((usize, String), origin::Kinds)| {
        let transformations = transformations.into_iter();
        let transformations = transformations.map(|((kind, masking), text)| Transformation::new(kind, masking, &text));
        Source { input, column, transformations: transformations.collect() }
    };
    all.into_iter().map(source).collect()
}

/// What the walk gives away at its end.
impl Walk<'_> {
    fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }
}
