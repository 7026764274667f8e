//! Facets: named pieces of metadata of a run, a job or a dataset.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A facet whose shape is known.
pub trait Facet: Serialize + DeserializeOwned {
    /// Its key among the facets.
    const NAME: &'static str;
    /// Where its schema lies.
    const SCHEMA_URL: &'static str;
}

/// The facets of one thing, by name. Those of unknown shape are kept as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facets(pub Map<String, Value>);

impl Facets {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The facet of this type; `None` when it is absent, `null`, deleted or not of its shape.
    pub fn get<F: Facet>(&self) -> Option<F> {
        self.read::<F>()?.ok()
    }

    /// The facet of this type, or why it cannot be read.
    pub fn read<F: Facet>(&self) -> Option<Result<F, serde_json::Error>> {
        let value = self.0.get(F::NAME).filter(|value| !value.is_null())?;
        let deleted = value.get("_deleted").and_then(Value::as_bool).unwrap_or(false);
        (!deleted).then(|| F::deserialize(value))
    }

    /// Adds or replaces a facet, as `producer` says it.
    pub fn set<F: Facet>(&mut self, producer: &str, facet: &F) {
        let Ok(Value::Object(fields)) = serde_json::to_value(facet) else {
            debug_assert!(false, "the facet {} is no object", F::NAME);
            return;
        };
        let mut object = Map::with_capacity(fields.len() + 2);
        object.insert("_producer".to_owned(), producer.into());
        object.insert("_schemaURL".to_owned(), F::SCHEMA_URL.into());
        object.extend(fields);
        self.0.insert(F::NAME.to_owned(), Value::Object(object));
    }

    /// Adds a facet when there is something to say.
    pub fn set_some<F: Facet>(&mut self, producer: &str, facet: Option<F>) {
        if let Some(facet) = facet {
            self.set(producer, &facet);
        }
    }

    /// Removes the facets of these names.
    pub fn remove_all<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            self.0.shift_remove(name);
        }
    }
}

/// Reads `null` as the default.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Names a facet and the schema that OpenLineage keeps for it.
macro_rules! facets {
    ($($facet:ty => $name:literal, $schema:literal;)*) => {$(
        impl $crate::model::Facet for $facet {
            const NAME: &'static str = $name;
            const SCHEMA_URL: &'static str = concat!("https://openlineage.io/spec/facets/", $schema);
        }
    )*};
}
pub(super) use facets;
