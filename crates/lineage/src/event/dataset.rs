//! Datasets as events describe them.

use super::{Observation, PRODUCER, Traffic};
use crate::job::{Column, Dataset, DatasetId, Input, JobLineage, Output, Source};
use crate::model::{
    Catalog, ColumnInputs, ColumnLineage, DatasetDocumentation, DatasetRef, Facets, Identifier, InputField,
    InputStatistics, Lifecycle, LineageEntry, LineageField, LineageInput, LineageJob, OutputStatistics, Schema,
    SchemaField, Storage, Symlinks, Transformation,
};
use std::collections::BTreeMap;

/// Type of a target or source in explicit lineage.
const DATASET: &str = "DATASET";

/// The inputs and outputs of a job: a dataset that two tables name is there once.
pub(super) fn datasets(lineage: &JobLineage, seen: &Observation) -> (Vec<DatasetRef>, Vec<DatasetRef>) {
    let mut inputs = vec![];
    for input in &lineage.inputs {
        let traffic = seen.inputs.get(&input.dataset.path()).copied();
        for id in ids(&input.dataset, seen) {
            // Of a table of several topics nobody knows which row came from which.
            let counted = traffic.filter(|_| ids(&input.dataset, seen).len() == 1);
            add(&mut inputs, input_ref(id, input, counted));
        }
    }
    let mut outputs = vec![];
    for output in &lineage.outputs {
        let traffic = seen.outputs.get(&output.dataset.path()).copied();
        for id in ids(&output.dataset, seen) {
            let counted = traffic.filter(|_| ids(&output.dataset, seen).len() == 1);
            add(&mut outputs, output_ref(id, output, lineage, seen, counted));
        }
    }
    (inputs, outputs)
}

/// What a table is in the world: what its pattern has found, or what it says.
pub(super) fn ids<'a>(dataset: &'a Dataset, seen: &'a Observation) -> &'a [DatasetId] {
    seen.found.get(&dataset.path()).unwrap_or(&dataset.ids)
}

/// Adds a dataset; of one that is there already only what is new is taken over.
fn add(all: &mut Vec<DatasetRef>, new: DatasetRef) {
    let same = all.iter_mut().find(|known| (&known.namespace, &known.name) == (&new.namespace, &new.name));
    let Some(known) = same else { return all.push(new) };
    let mut symlinks = known.facets.get::<Symlinks>().unwrap_or_default();
    let added = new.facets.get::<Symlinks>().unwrap_or_default().identifiers;
    symlinks.identifiers.extend(added.into_iter().filter(|a| !known_symlink(&known.facets, a)));
    if !symlinks.identifiers.is_empty() {
        known.facets.set(PRODUCER, &symlinks);
    }
    merge_columns(&mut known.facets, &new.facets);
    merge_statistics(known, &new);
}

fn known_symlink(facets: &Facets, identifier: &Identifier) -> bool {
    facets.get::<Symlinks>().is_some_and(|symlinks| symlinks.identifiers.contains(identifier))
}

/// Two INSERTs into one dataset: its columns have the sources of both.
fn merge_columns(known: &mut Facets, new: &Facets) {
    let (Some(mut merged), Some(added)) = (known.get::<ColumnLineage>(), new.get::<ColumnLineage>()) else { return };
    for (column, inputs) in added.fields {
        let fields = &mut merged.fields.entry(column).or_default().input_fields;
        inputs.input_fields.into_iter().for_each(|field| merge_field(fields, field));
    }
    added.dataset.into_iter().for_each(|field| merge_field(&mut merged.dataset, field));
    known.set(PRODUCER, &merged);
}

fn merge_field(fields: &mut Vec<InputField>, new: InputField) {
    let key = |field: &InputField| (field.namespace.clone(), field.name.clone(), field.field.clone());
    match fields.iter_mut().find(|known| key(known) == key(&new)) {
        None => fields.push(new),
        Some(known) => {
            let added: Vec<_> =
                new.transformations.into_iter().filter(|t| !known.transformations.contains(t)).collect();
            known.transformations.extend(added);
        }
    }
}

fn merge_statistics(known: &mut DatasetRef, new: &DatasetRef) {
    let sum = |a: Option<i64>, b: Option<i64>| Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0)));
    if let (Some(a), Some(b)) = (known.input_facets.get::<InputStatistics>(), new.input_facets.get::<InputStatistics>())
    {
        let total = InputStatistics { row_count: sum(a.row_count, b.row_count), size: sum(a.size, b.size), ..a };
        known.input_facets.set(PRODUCER, &total);
    }
    let of = |facets: &Facets| facets.get::<OutputStatistics>();
    if let (Some(a), Some(b)) = (of(&known.output_facets), of(&new.output_facets)) {
        let total = OutputStatistics { row_count: sum(a.row_count, b.row_count), size: sum(a.size, b.size), ..a };
        known.output_facets.set(PRODUCER, &total);
    }
}

fn input_ref(id: &DatasetId, input: &Input, traffic: Option<Traffic>) -> DatasetRef {
    let mut reference = described(id, &input.dataset);
    let statistics = traffic.map(|Traffic { rows, bytes, .. }| InputStatistics {
        row_count: Some(count(rows)),
        size: Some(count(bytes)),
        file_count: None,
    });
    reference.input_facets.set_some(PRODUCER, statistics);
    reference
}

fn output_ref(
    id: &DatasetId,
    output: &Output,
    lineage: &JobLineage,
    seen: &Observation,
    traffic: Option<Traffic>,
) -> DatasetRef {
    let mut reference = described(id, &output.dataset);
    reference.facets.set(PRODUCER, &column_lineage(output, lineage, seen));
    if output.overwrite {
        let overwritten = Lifecycle { lifecycle_state_change: "OVERWRITE".to_owned(), previous_identifier: None };
        reference.facets.set(PRODUCER, &overwritten);
    }
    let statistics = traffic.map(|Traffic { rows, bytes, .. }| OutputStatistics {
        row_count: Some(count(rows)),
        size: Some(count(bytes)),
        file_count: None,
    });
    reference.output_facets.set_some(PRODUCER, statistics);
    reference
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What is true of a table whether it is read or written.
fn described(id: &DatasetId, dataset: &Dataset) -> DatasetRef {
    let mut facets = Facets::new();
    let fields = dataset.columns.iter().map(schema_field).collect();
    facets.set(PRODUCER, &Schema { fields });
    // A dataset that has no name but the table's has no other one.
    if dataset.path() != id.name {
        let identifier = Identifier { namespace: id.namespace.clone(), name: dataset.path(), kind: "TABLE".to_owned() };
        facets.set(PRODUCER, &Symlinks { identifiers: vec![identifier] });
    }
    let comment = dataset.comment.clone().filter(|comment| !comment.is_empty());
    facets.set_some(PRODUCER, comment.map(|description| DatasetDocumentation { description, content_type: None }));
    let storage = Storage { storage_layer: dataset.connector.clone(), file_format: dataset.format.clone() };
    facets.set(PRODUCER, &storage);
    facets.set(
        PRODUCER,
        &Catalog {
            framework: "headwater".to_owned(),
            kind: "sql".to_owned(),
            name: dataset.table[0].clone(),
            catalog_properties: dataset.options.clone(),
        },
    );
    let (namespace, name) = (id.namespace.clone(), id.name.clone());
    DatasetRef { namespace, name, facets, ..DatasetRef::default() }
}

fn schema_field(column: &Column) -> SchemaField {
    SchemaField {
        name: column.name.clone(),
        kind: Some(column.ty.clone()),
        description: Some(column.comment.clone().unwrap_or_default()),
        fields: column.fields.iter().map(schema_field).collect(),
    }
}

fn column_lineage(output: &Output, lineage: &JobLineage, seen: &Observation) -> ColumnLineage {
    let fields = output.columns.iter().filter(|(_, sources)| !sources.is_empty());
    ColumnLineage {
        fields: fields
            .map(|(column, sources)| {
                let input_fields = input_fields(sources, lineage, seen);
                (column.clone(), ColumnInputs { input_fields, ..ColumnInputs::default() })
            })
            .collect(),
        dataset: input_fields(&output.rows, lineage, seen),
    }
}

fn input_fields(sources: &[Source], lineage: &JobLineage, seen: &Observation) -> Vec<InputField> {
    let mut fields = vec![];
    for source in sources {
        let Some(input) = lineage.inputs.get(source.input) else { continue };
        for DatasetId { namespace, name } in ids(&input.dataset, seen) {
            let field = InputField {
                namespace: namespace.clone(),
                name: name.clone(),
                field: source.column.clone(),
                transformations: source.transformations.iter().map(transformation).collect(),
            };
            merge_field(&mut fields, field);
        }
    }
    fields
}

fn transformation(from: &crate::job::Transformation) -> Transformation {
    Transformation {
        kind: if from.kind.is_direct() { "DIRECT" } else { "INDIRECT" }.to_owned(),
        subtype: Some(from.kind.as_str().to_owned()),
        description: Some(from.description.clone()),
        masking: Some(from.masking),
    }
}

/// Which datasets feed which, so that nobody has to take every input for a source of every output.
pub(super) fn explicit_lineage(lineage: &JobLineage, seen: &Observation) -> LineageJob {
    let mut entries: Vec<LineageEntry> = vec![];
    for output in &lineage.outputs {
        for id in ids(&output.dataset, seen) {
            entries.push(entry(id, output, lineage, seen));
        }
    }
    LineageJob { entries }
}

fn entry(id: &DatasetId, output: &Output, lineage: &JobLineage, seen: &Observation) -> LineageEntry {
    let mut inputs: Vec<LineageInput> = vec![];
    for input in output.inputs.iter().filter_map(|at| lineage.inputs.get(*at)) {
        let sources = ids(&input.dataset, seen).iter();
        inputs.extend(sources.map(|DatasetId { namespace, name }| LineageInput {
            namespace: Some(namespace.clone()),
            name: Some(name.clone()),
            kind: DATASET.to_owned(),
            ..LineageInput::default()
        }));
    }
    let columns = column_lineage(output, lineage, seen);
    inputs.extend(columns.dataset.into_iter().map(lineage_input));
    let fields: BTreeMap<String, LineageField> = columns
        .fields
        .into_iter()
        .map(|(column, inputs)| (column, inputs.input_fields.into_iter().map(lineage_input).collect()))
        .map(|(column, inputs)| (column, LineageField { inputs }))
        .collect();
    LineageEntry {
        namespace: Some(id.namespace.clone()),
        name: Some(id.name.clone()),
        kind: DATASET.to_owned(),
        inputs,
        fields,
    }
}

fn lineage_input(field: InputField) -> LineageInput {
    LineageInput {
        namespace: Some(field.namespace),
        name: Some(field.name),
        kind: DATASET.to_owned(),
        field: Some(field.field),
        transformations: field.transformations,
    }
}
