//! Datasets of an event: edges, schemas, symlinks, tags, column lineage, flows.

use super::{Profile, naming};
use crate::event::{Dataset, Event, Id, array, child, dataset_id, flag, integer, items, object, string};
use crate::facts::{self, Columns, Edge, Facts, Name, Relation, Symlink};
use crate::names::{OUTPUT_TYPES, RELATION_TYPES, bit};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Deepest nesting of a schema that is kept.
const SCHEMA_DEPTH_MAX: usize = 32;
/// Most columns of a schema that are kept.
const COLUMNS_MAX: usize = 10_000;

/// The names that an event's datasets have in the catalog, by the names they have in the event.
struct Resolved<'p> {
    profile: &'p Profile,
    swapped: HashMap<Id, Name>,
}

impl Resolved<'_> {
    fn name(&self, id: &Id) -> Option<Name> {
        let trimmed = self.trimmed(id);
        self.swapped.get(&trimmed).cloned().or_else(|| naming::dataset(&trimmed))
    }

    fn trimmed(&self, id: &Id) -> Id {
        let name = if self.profile.cut_partitions { naming::without_partitions(&id.name) } else { &id.name };
        Id { namespace: id.namespace.clone(), name: name.to_owned() }
    }

    fn input(&self, value: &Value) -> Option<Name> {
        self.name(&dataset_id(value, "input").ok()?)
    }
}

/// Adds what the event says about its datasets.
pub fn extract(event: &Event<'_>, profile: &Profile, facts: &mut Facts) {
    let mut resolved = Resolved { profile, swapped: HashMap::new() };
    for dataset in event.inputs.iter().chain(&event.outputs) {
        symlinks(dataset, &mut resolved, facts);
    }
    for (dataset, output) in event.inputs.iter().map(|d| (d, false)).chain(event.outputs.iter().map(|d| (d, true))) {
        let Some(name) = resolved.name(&dataset.id) else { continue };
        about(dataset, &name, facts);
        if output {
            columns(dataset, &name, &resolved, facts);
        }
        let edge = edge(event, dataset, name, output, profile);
        merge_edge(&mut facts.edges, edge);
    }
    explicit(event, &resolved, facts);
}

/// The same dataset may stand in an event twice, for example as two partitions of a table.
fn merge_edge(edges: &mut Vec<Edge>, new: Edge) {
    let Some(old) = edges.iter_mut().find(|e| e.output == new.output && e.dataset == new.dataset) else {
        edges.push(new);
        return;
    };
    old.types |= new.types;
    old.rows = old.rows.max(new.rows);
    old.bytes = old.bytes.max(new.bytes);
    old.files = old.files.max(new.files);
    old.schema = old.schema.take().max(new.schema);
}

fn symlinks(dataset: &Dataset<'_>, resolved: &mut Resolved<'_>, facts: &mut Facts) {
    let Some(facet) = dataset.facet("symlinks") else { return };
    let trimmed = resolved.trimmed(&dataset.id);
    let Some(own) = naming::dataset(&trimmed) else { return };
    for identifier in array(facet, "identifiers") {
        let (Some(namespace), Some(name)) = (string(identifier, "namespace"), string(identifier, "name")) else {
            continue;
        };
        let kind = string(identifier, "type").unwrap_or_default().to_uppercase();
        if kind == "TABLE" && resolved.profile.drop_kafka_tables && namespace.to_lowercase().starts_with("kafka://") {
            continue;
        }
        let other = resolved.trimmed(&Id { namespace, name });
        let Some(other) = naming::dataset(&other).filter(|other| *other != own) else { continue };
        if kind == "TABLE" && resolved.profile.prefer_tables {
            resolved.swapped.insert(trimmed.clone(), other.clone());
        }
        let (role, reverse) = match kind.as_str() {
            "LOCATION" => ("WAREHOUSE", "METASTORE"),
            "TABLE" => ("METASTORE", "WAREHOUSE"),
            _ => ("ALIAS", "ALIAS"),
        };
        facts.symlinks.push(Symlink { from: own.clone(), to: other.clone(), role: role.into() });
        facts.symlinks.push(Symlink { from: other, to: own.clone(), role: reverse.into() });
    }
}

fn about(dataset: &Dataset<'_>, name: &Name, facts: &mut Facts) {
    let mut tags = vec![];
    for tag in dataset.facet("tags").map_or(&[][..], |t| array(t, "tags")) {
        let Some(key) = string(tag, "key") else { continue };
        let value = string(tag, "value").unwrap_or_else(|| "true".into());
        tags.push((string(tag, "field").unwrap_or_default(), key, value));
    }
    let description = dataset.facet("documentation").and_then(|d| string(d, "description"));
    facts.datasets.push(facts::Dataset { name: name.clone(), tags, description });
}

fn edge(event: &Event<'_>, dataset: &Dataset<'_>, name: Name, output: bool, profile: &Profile) -> Edge {
    let statistics = if output {
        dataset.usage("outputFacets", "outputStatistics")
    } else {
        dataset.usage("inputFacets", "inputStatistics")
    };
    let number = |key: &str| statistics.and_then(|s| integer(s, key)).filter(|n| *n >= 0);
    Edge {
        types: if output { output_types(event, dataset, profile) } else { 0 },
        rows: number("rowCount"),
        bytes: number("size"),
        files: number("fileCount"),
        schema: dataset.facet("schema").and_then(schema),
        progress: super::progress::of(event, &dataset.id, output),
        dataset: name,
        output,
    }
}

fn output_types(event: &Event<'_>, dataset: &Dataset<'_>, profile: &Profile) -> i64 {
    let declared = dataset
        .facet("lifecycleStateChange")
        .and_then(|f| string(f, "lifecycleStateChange"))
        .and_then(|name| bit(&OUTPUT_TYPES, &name));
    let guessed = || event.job_facet("sql").and_then(|s| string(s, "query")).and_then(|sql| type_of_sql(&sql));
    declared.or(profile.default_type).or_else(guessed).unwrap_or(0)
}

/// What a statement does to its target, by its first words.
fn type_of_sql(sql: &str) -> Option<i64> {
    let words: Vec<String> = sql.split_whitespace().take(3).map(str::to_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = match words.as_slice() {
        ["INSERT", "OVERWRITE", ..] => "OVERWRITE",
        ["INSERT" | "COPY", ..] => "APPEND",
        [verb @ ("CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "DELETE" | "UPDATE" | "MERGE"), ..] => verb,
        _ => return None,
    };
    bit(&OUTPUT_TYPES, name)
}

/// The canonical text of a schema: a list of fields with name, type, description and fields, empty ones left out.
fn schema(facet: &Value) -> Option<String> {
    let fields = fields(items(child(facet, "fields")), 0);
    (!fields.is_empty()).then(|| Value::Array(fields).to_string())
}

fn fields(all: &[Value], depth: usize) -> Vec<Value> {
    if depth >= SCHEMA_DEPTH_MAX {
        return vec![];
    }
    all.iter().take(COLUMNS_MAX).filter_map(|field| canonical_field(field, depth)).collect()
}

fn canonical_field(field: &Value, depth: usize) -> Option<Value> {
    let mut kept = Map::new();
    kept.insert("name".into(), string(field, "name")?.into());
    for key in ["type", "description"] {
        if let Some(text) = string(field, key) {
            kept.insert(key.into(), text.into());
        }
    }
    let nested = fields(array(field, "fields"), depth + 1);
    if !nested.is_empty() {
        kept.insert("fields".into(), nested.into());
    }
    Some(Value::Object(kept))
}

/// Relations by source, while an event is read.
type Found = BTreeMap<Name, BTreeSet<Relation>>;

fn columns(dataset: &Dataset<'_>, target: &Name, resolved: &Resolved<'_>, facts: &mut Facts) {
    let mut found = Found::new();
    if let Some(facet) = dataset.facet("columnLineage") {
        for (column, entry) in object(facet, "fields") {
            let fallback = old_type(entry);
            for input in array(entry, "inputFields") {
                relate(input, column, fallback, resolved, &mut found);
            }
        }
        for input in array(facet, "dataset") {
            relate(input, "", bit(&RELATION_TYPES, "UNKNOWN"), resolved, &mut found);
        }
    }
    keep(found, target, facts);
}

fn keep(found: Found, target: &Name, facts: &mut Facts) {
    for (source, relations) in found {
        facts.columns.push(Columns { source, target: target.clone(), relations: relations.into_iter().collect() });
    }
}

/// `transformationType` of older events.
fn old_type(entry: &Value) -> Option<i64> {
    let name = match string(entry, "transformationType").unwrap_or_default().to_uppercase().as_str() {
        "IDENTITY" => "IDENTITY",
        "MASKED" => "TRANSFORMATION_MASKING",
        _ => "UNKNOWN",
    };
    bit(&RELATION_TYPES, name)
}

fn relate(input: &Value, column: &str, fallback: Option<i64>, resolved: &Resolved<'_>, found: &mut Found) {
    let (Some(source), Some(field)) = (resolved.input(input), string(input, "field")) else { return };
    let relations = found.entry(source).or_default();
    let transformations = array(input, "transformations");
    if transformations.is_empty() {
        relations.insert(Relation {
            source: field,
            target: crate::event::clean(column),
            types: fallback.unwrap_or(1),
            expression: String::new(),
        });
        return;
    }
    for transformation in transformations {
        let (types, direct) = relation_type(transformation);
        let target = if direct { crate::event::clean(column) } else { String::new() };
        let expression = string(transformation, "description").unwrap_or_default();
        relations.insert(Relation { source: field.clone(), target, types, expression });
    }
}

/// The kind of a transformation, and whether values pass through it.
fn relation_type(transformation: &Value) -> (i64, bool) {
    let kind = string(transformation, "type").unwrap_or_default().to_uppercase();
    let subtype = string(transformation, "subtype").unwrap_or_default().to_uppercase();
    let masking = flag(transformation, "masking");
    let name = match subtype.as_str() {
        "TRANSFORMATION" if masking => "TRANSFORMATION_MASKING".into(),
        "AGGREGATION" if masking => "AGGREGATION_MASKING".into(),
        "" if kind == "IDENTITY" => "IDENTITY".into(),
        _ => subtype.replace([' ', '-'], "_"),
    };
    let types = bit(&RELATION_TYPES, &name).unwrap_or(1);
    (types, kind != "INDIRECT" && types < 64)
}

/// The explicit lineage facets: which sources feed which target.
fn explicit(event: &Event<'_>, resolved: &Resolved<'_>, facts: &mut Facts) {
    let entries = event.job_facet("lineage").map_or(&[][..], |f| array(f, "entries"));
    for entry in entries {
        if let Some(target) = resolved.input(entry) {
            explicit_target(entry, &target, resolved, facts);
        }
    }
    for dataset in &event.outputs {
        if let (Some(facet), Some(target)) = (dataset.facet("lineage"), resolved.name(&dataset.id)) {
            explicit_target(facet, &target, resolved, facts);
        }
    }
    facts.flows.sort();
    facts.flows.dedup();
}

fn explicit_target(entry: &Value, target: &Name, resolved: &Resolved<'_>, facts: &mut Facts) {
    let mut found = Found::new();
    for input in array(entry, "inputs") {
        if let Some(source) = resolved.input(input) {
            facts.flows.push((source, target.clone()));
        }
        relate(input, "", Some(1), resolved, &mut found);
    }
    for (column, field) in object(entry, "fields") {
        for input in array(field, "inputs") {
            if let Some(source) = resolved.input(input) {
                facts.flows.push((source, target.clone()));
            }
            relate(input, column, Some(1), resolved, &mut found);
        }
    }
    // The same relations usually stand in the column lineage facet too.
    found.retain(|source, relations| {
        let known = facts.columns.iter().filter(|c| c.source == *source && c.target == *target);
        let known: BTreeSet<&Relation> = known.flat_map(|c| &c.relations).collect();
        relations.retain(|r| !known.contains(r));
        !relations.is_empty()
    });
    keep(found, target, facts);
}
