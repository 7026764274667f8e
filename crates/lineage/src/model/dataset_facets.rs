//! Facets of datasets.

use super::facet::{facets, or_default};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

facets! {
    Schema => "schema", "1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet";
    Symlinks => "symlinks", "1-0-1/SymlinksDatasetFacet.json#/$defs/SymlinksDatasetFacet";
    ColumnLineage => "columnLineage", "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";
    Storage => "storage", "1-0-1/StorageDatasetFacet.json#/$defs/StorageDatasetFacet";
    Catalog => "catalog", "1-1-0/CatalogDatasetFacet.json#/$defs/CatalogDatasetFacet";
    DataSource => "dataSource", "1-0-1/DatasourceDatasetFacet.json#/$defs/DatasourceDatasetFacet";
    DatasetType => "datasetType", "1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet";
    DatasetVersion => "version", "1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet";
    DatasetTags => "tags", "1-0-0/TagsDatasetFacet.json#/$defs/TagsDatasetFacet";
    DatasetDocumentation =>
        "documentation", "1-1-0/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet";
    Lifecycle => "lifecycleStateChange",
        "1-0-1/LifecycleStateChangeDatasetFacet.json#/$defs/LifecycleStateChangeDatasetFacet";
    InputStatistics => "inputStatistics",
        "1-0-0/InputStatisticsInputDatasetFacet.json#/$defs/InputStatisticsInputDatasetFacet";
    OutputStatistics => "outputStatistics",
        "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet";
}

/// The columns of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns, in order.
    #[serde(default, deserialize_with = "or_default")]
    pub fields: Vec<SchemaField>,
}

/// A column, or a field of one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaField {
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Its type, in the words of whoever says so.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub fields: Vec<SchemaField>,
}

/// Other names of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Symlinks {
    /// The names.
    #[serde(default, deserialize_with = "or_default")]
    pub identifiers: Vec<Identifier>,
}

/// Another name of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Where it is called so.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What the name is of: `TABLE` or `LOCATION`, or something else.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
}

/// Which columns the columns of an output are made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnLineage {
    /// By output column.
    #[serde(default, deserialize_with = "or_default")]
    pub fields: BTreeMap<String, ColumnInputs>,
    /// What decides about whole rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub dataset: Vec<InputField>,
}

/// What one column is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnInputs {
    /// The columns.
    #[serde(default, deserialize_with = "or_default")]
    pub input_fields: Vec<InputField>,
    /// How, in words: an older form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_description: Option<String>,
    /// `IDENTITY` or `MASKED`: an older form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_type: Option<String>,
}

/// A column of an input.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InputField {
    /// Namespace of its dataset.
    pub namespace: String,
    /// Name of its dataset.
    pub name: String,
    /// The column.
    pub field: String,
    /// What is done with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub transformations: Vec<Transformation>,
}

/// What is done with a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transformation {
    /// `DIRECT` or `INDIRECT`.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// `IDENTITY`, `AGGREGATION`, `FILTER`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// How, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the result does not show the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<bool>,
}

/// How a dataset is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// What stores it.
    pub storage_layer: String,
    /// In which format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_format: Option<String>,
}

/// The catalog that a dataset is declared in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalog {
    /// Who keeps it.
    #[serde(default, deserialize_with = "or_default")]
    pub framework: String,
    /// Its kind.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Options of the table there, without secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub catalog_properties: BTreeMap<String, String>,
}

/// The system that a dataset lies in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSource {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

/// What kind of dataset it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetType {
    /// `TABLE`, `FILE`, `TOPIC`, `STREAM`, ...
    #[serde(default, deserialize_with = "or_default")]
    pub dataset_type: String,
    /// More exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
}

/// Which version of a dataset is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetVersion {
    /// The version.
    #[serde(default, deserialize_with = "or_default")]
    pub dataset_version: String,
}

/// Tags of a dataset and its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetTags {
    /// The tags.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<FieldTag>,
}

/// A tag of a dataset, or of one of its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldTag {
    /// What it is about.
    #[serde(default, deserialize_with = "or_default")]
    pub key: String,
    /// What it says.
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The column, if not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What a dataset is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetDocumentation {
    /// The text.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// What happened to a dataset as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lifecycle {
    /// `ALTER`, `CREATE`, `DROP`, `OVERWRITE`, `RENAME` or `TRUNCATE`.
    pub lifecycle_state_change: String,
    /// What it was called before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_identifier: Option<PreviousIdentifier>,
}

/// What a dataset was called before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousIdentifier {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// What a run has read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputStatistics {
    /// Rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<i64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<i64>,
}

/// What a run has written so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputStatistics {
    /// Rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<i64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<i64>,
}
