//! Checks events against OpenLineage's own schemas, for tests of whoever makes events.
//!
//! The schemas are those of `../shared/spec/openlineage`, with those of our own facets; where the folder is absent, nothing
//! can be checked and [`Schemas::load`] says so.

use crate::model::SPEC_URL;
use jsonschema::{Registry, Resource};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The schemas of events and facets.
pub struct Schemas {
    registry: Registry<'static>,
}

impl Schemas {
    /// Reads the schemas; `None` where they are not at hand.
    ///
    /// # Panics
    /// When a file is no schema.
    pub fn load() -> Option<Self> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let spec = own.join("../../../shared/spec/openlineage");
        let mut resources = BTreeMap::new();
        let event = read(&spec.join("OpenLineage.json"))?;
        resources.insert(SPEC_URL.to_owned(), event);
        for path in files(&spec.join("facets")).into_iter().chain(files(&own.join("schemas"))) {
            let schema = read(&path)?;
            let id = schema["$id"].as_str().expect("a schema has an id").to_owned();
            resources.insert(id, schema);
        }
        let resources = resources.into_iter().map(|(id, schema)| (id, Resource::from_contents(schema)));
        let builder = Registry::new().extend(resources).expect("ids are URIs");
        Some(Self { registry: builder.prepare().expect("schemas refer to each other only") })
    }

    /// What is wrong with a run event: with itself, or with one of its facets.
    ///
    /// # Panics
    /// When a facet names a schema that is not there.
    pub fn errors(&self, event: &Value) -> Vec<String> {
        let mut errors = self.check(event, &format!("{SPEC_URL}#/$defs/RunEvent"), "event");
        let mut facets = vec![("run", &event["run"]["facets"]), ("job", &event["job"]["facets"])];
        for (kind, list) in [("input", "inputs"), ("output", "outputs")] {
            for dataset in event[list].as_array().into_iter().flatten() {
                facets.extend(["facets", "inputFacets", "outputFacets"].map(|member| (kind, &dataset[member])));
            }
        }
        for (kind, all) in facets {
            for (name, facet) in all.as_object().into_iter().flatten() {
                let url = facet["_schemaURL"].as_str().unwrap_or_default();
                errors.extend(self.check(facet, &located(url), &format!("{kind} facet {name}")));
            }
        }
        errors
    }

    fn check(&self, value: &Value, url: &str, what: &str) -> Vec<String> {
        let schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": url});
        let options = jsonschema::options().with_registry(&self.registry).offline().should_validate_formats(true);
        let validator = options.build(&schema).unwrap_or_else(|e| panic!("{what}: the schema {url} is not there: {e}"));
        validator.iter_errors(value).map(|error| format!("{what}: {error} at {}", error.instance_path())).collect()
    }
}

/// Our own facets name the version they were released with; their schemas here are those of the present.
fn located(url: &str) -> String {
    match url.split_once("/crates/lineage/schemas/") {
        Some((_, file)) => {
            format!("https://raw.githubusercontent.com/headwater-io/headwater/main/crates/lineage/schemas/{file}")
        }
        None => url.to_owned(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json")).collect()
}

fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a schema is JSON"))
}

/// What of an OpenLineage template is not found in an event. `${json-unit.*}` are placeholders; every other key and value
/// must be there, members of lists in any order.
pub fn missing(template: &Value, actual: &Value, at: &str) -> Vec<String> {
    match (template, actual) {
        (Value::Object(wanted), _) => {
            wanted.iter().flat_map(|(key, value)| missing(value, &actual[key], &format!("{at}/{key}"))).collect()
        }
        (Value::Array(wanted), Value::Array(found)) => wanted
            .iter()
            .enumerate()
            .filter(|(_, item)| !found.iter().any(|candidate| missing(item, candidate, "").is_empty()))
            .map(|(number, item)| format!("{at}/{number}: nothing like {item}"))
            .collect(),
        (Value::String(text), _) if text.starts_with("${json-unit.") => match placeholder(text, actual) {
            true => vec![],
            false => vec![format!("{at}: {actual} is no {text}")],
        },
        (wanted, found) if wanted == found => vec![],
        (wanted, found) => vec![format!("{at}: {found} instead of {wanted}")],
    }
}

fn placeholder(text: &str, actual: &Value) -> bool {
    if let Some(pattern) = text.strip_prefix("${json-unit.regex}") {
        let pattern = json!({"type": "string", "pattern": format!("^(?:{pattern})$")});
        return jsonschema::is_valid(&pattern, actual);
    }
    match text {
        "${json-unit.any-string}" => actual.is_string(),
        "${json-unit.any-number}" => actual.is_number(),
        "${json-unit.any-boolean}" => actual.is_boolean(),
        _ => !actual.is_null(),
    }
}
