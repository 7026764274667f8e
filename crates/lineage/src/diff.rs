//! What changes for consumers when one lineage replaces another.
//!
//! Compared are names: datasets, columns, types, and which columns of which inputs a value is made of. A consumer is taken
//! to read every column that an output has now, so a column or an output that goes away is a loss; everything else is
//! worth knowing.

#[cfg(test)]
mod tests;

use crate::job::{Dataset, JobLineage, Source};
use crate::model::{ColumnLineage, DatasetRef, InputField, RunEvent, Schema};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is compared of a lineage: that of a plan, or that of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    inputs: BTreeSet<String>,
    outputs: BTreeMap<String, OutputShape>,
}

impl Shape {
    /// The datasets it writes.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.keys().map(String::as_str)
    }

    /// Whether it writes this dataset.
    pub fn writes(&self, dataset: &str) -> bool {
        self.outputs.contains_key(dataset)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OutputShape {
    /// Types by column.
    columns: BTreeMap<String, String>,
    /// What a column is made of and depends on.
    sources: BTreeMap<String, BTreeSet<String>>,
    /// What rows depend on.
    rows: BTreeSet<String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// An output is no longer written.
    OutputLost {
        /// The dataset.
        dataset: String,
    },
    /// A column of an output is no longer there.
    ColumnLost {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// A column has another type.
    TypeChanged {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
        /// Its type before.
        before: String,
        /// Its type now.
        after: String,
    },
    /// A column is made of something else.
    SourcesChanged {
        /// The dataset.
        dataset: String,
        /// The column; absent for what decides about rows.
        #[serde(skip_serializing_if = "Option::is_none")]
        column: Option<String>,
        /// No longer used.
        lost: Vec<String>,
        /// Used now.
        added: Vec<String>,
    },
    /// An output has one more column.
    ColumnAdded {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
    /// One more output is written.
    OutputAdded {
        /// The dataset.
        dataset: String,
    },
    /// An input is no longer read.
    InputLost {
        /// The dataset.
        dataset: String,
    },
    /// One more input is read.
    InputAdded {
        /// The dataset.
        dataset: String,
    },
}

impl Change {
    /// Whether somebody who reads the output loses something.
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::OutputLost { .. } | Self::ColumnLost { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputLost { dataset } => write!(f, "LOST     output {dataset}"),
            Self::ColumnLost { dataset, column } => write!(f, "LOST     column {column} of {dataset}"),
            Self::TypeChanged { dataset, column, before, after } => {
                write!(f, "CHANGED  type of {column} of {dataset}: {before} -> {after}")
            }
            Self::SourcesChanged { dataset, column, lost, added } => {
                let what = column.as_deref().map_or("rows".to_owned(), |column| format!("column {column}"));
                write!(f, "CHANGED  sources of {what} of {dataset}:")?;
                lost.iter().try_for_each(|source| write!(f, " -{source}"))?;
                added.iter().try_for_each(|source| write!(f, " +{source}"))
            }
            Self::ColumnAdded { dataset, column } => write!(f, "ADDED    column {column} of {dataset}"),
            Self::OutputAdded { dataset } => write!(f, "ADDED    output {dataset}"),
            Self::InputLost { dataset } => write!(f, "DROPPED  input {dataset}"),
            Self::InputAdded { dataset } => write!(f, "ADDED    input {dataset}"),
        }
    }
}

impl From<&JobLineage> for Shape {
    fn from(lineage: &JobLineage) -> Self {
        let inputs = lineage.inputs.iter().flat_map(|input| names(&input.dataset)).collect();
        let mut outputs: BTreeMap<String, OutputShape> = BTreeMap::new();
        for output in &lineage.outputs {
            let columns = output.dataset.columns.iter().map(|column| (column.name.clone(), column.ty.clone()));
            let shape = OutputShape {
                columns: columns.collect(),
                sources: output.columns.iter().map(|(name, all)| (name.clone(), sources(all, lineage))).collect(),
                rows: sources(&output.rows, lineage),
            };
            for name in names(&output.dataset) {
                outputs.entry(name).or_default().merge(shape.clone());
            }
        }
        Self { inputs, outputs }
    }
}

impl From<&RunEvent> for Shape {
    fn from(event: &RunEvent) -> Self {
        let inputs = event.inputs.iter().map(title).collect();
        let mut outputs: BTreeMap<String, OutputShape> = BTreeMap::new();
        for output in &event.outputs {
            outputs.entry(title(output)).or_default().merge(OutputShape::from(output));
        }
        Self { inputs, outputs }
    }
}

impl From<&DatasetRef> for OutputShape {
    fn from(output: &DatasetRef) -> Self {
        let fields = output.facets.get::<Schema>().unwrap_or_default().fields;
        let lineage = output.facets.get::<ColumnLineage>().unwrap_or_default();
        let sources = |fields: &[InputField]| fields.iter().flat_map(field_texts).collect();
        let columns = fields.into_iter().map(|field| (field.name, field.kind.unwrap_or_default()));
        let by_column = lineage.fields.iter().map(|(name, inputs)| (name.clone(), sources(&inputs.input_fields)));
        Self { columns: columns.collect(), sources: by_column.collect(), rows: sources(&lineage.dataset) }
    }
}

impl OutputShape {
    fn merge(&mut self, other: Self) {
        self.columns.extend(other.columns);
        for (column, sources) in other.sources {
            self.sources.entry(column).or_default().extend(sources);
        }
        self.rows.extend(other.rows);
    }
}

fn title(dataset: &DatasetRef) -> String {
    format!("{} {}", dataset.namespace, dataset.name)
}

/// A dataset whose names only a running job finds is called by its table.
fn names(dataset: &Dataset) -> Vec<String> {
    match dataset.ids.is_empty() {
        true => vec![dataset.path()],
        false => dataset.ids.iter().map(ToString::to_string).collect(),
    }
}

fn sources(all: &[Source], lineage: &JobLineage) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for source in all {
        let Some(input) = lineage.inputs.get(source.input) else { continue };
        for name in names(&input.dataset) {
            let kinds = source.transformations.iter().map(|t| t.kind.as_str());
            texts.extend(kinds.map(|kind| format!("{name}.{} ({kind})", source.column)));
        }
    }
    texts
}

fn field_texts(field: &InputField) -> Vec<String> {
    let of = |kind: &str| format!("{} {}.{} ({kind})", field.namespace, field.name, field.field);
    field.transformations.iter().map(|t| of(t.subtype.as_deref().unwrap_or(&t.kind))).collect()
}

/// The differences, losses first.
pub fn diff(before: &Shape, after: &Shape) -> Vec<Change> {
    let mut changes = vec![];
    for (dataset, old) in &before.outputs {
        match after.outputs.get(dataset) {
            None => changes.push(Change::OutputLost { dataset: dataset.clone() }),
            Some(new) => compare(dataset, old, new, &mut changes),
        }
    }
    let added = after.outputs.keys().filter(|dataset| !before.outputs.contains_key(*dataset));
    changes.extend(added.map(|dataset| Change::OutputAdded { dataset: dataset.clone() }));
    let lost = before.inputs.difference(&after.inputs);
    changes.extend(lost.map(|dataset| Change::InputLost { dataset: dataset.clone() }));
    let added = after.inputs.difference(&before.inputs);
    changes.extend(added.map(|dataset| Change::InputAdded { dataset: dataset.clone() }));
    changes.sort_by_key(|change| !change.is_loss());
    changes
}

fn compare(dataset: &str, old: &OutputShape, new: &OutputShape, changes: &mut Vec<Change>) {
    let dataset = || dataset.to_owned();
    for (column, before) in &old.columns {
        match new.columns.get(column) {
            None => changes.push(Change::ColumnLost { dataset: dataset(), column: column.clone() }),
            Some(after) if after != before => changes.push(Change::TypeChanged {
                dataset: dataset(),
                column: column.clone(),
                before: before.clone(),
                after: after.clone(),
            }),
            Some(_) => {}
        }
    }
    for column in new.columns.keys().filter(|column| !old.columns.contains_key(*column)) {
        changes.push(Change::ColumnAdded { dataset: dataset(), column: column.clone() });
    }
    let nothing = BTreeSet::new();
    for column in new.columns.keys().filter(|column| old.columns.contains_key(*column)) {
        let of = |shape: &OutputShape| shape.sources.get(column).cloned().unwrap_or_else(|| nothing.clone());
        changes.extend(sources_changed(dataset(), Some(column), &of(old), &of(new)));
    }
    changes.extend(sources_changed(dataset(), None, &old.rows, &new.rows));
}

fn sources_changed(
    dataset: String,
    column: Option<&String>,
    old: &BTreeSet<String>,
    new: &BTreeSet<String>,
) -> Option<Change> {
    let lost: Vec<_> = old.difference(new).cloned().collect();
    let added: Vec<_> = new.difference(old).cloned().collect();
    let changed = !lost.is_empty() || !added.is_empty();
    changed.then(|| Change::SourcesChanged { dataset, column: column.cloned(), lost, added })
}
