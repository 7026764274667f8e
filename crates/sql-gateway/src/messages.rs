//! Bodies of requests and answers, with Flink's names.
//!
//! Flink takes a number or a boolean where a text is expected, ignores what it does not know, and takes no body for an
//! empty one; so does this.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Keys and values.
pub(crate) type Properties = BTreeMap<String, String>;

/// `POST /sessions`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OpenSession {
    #[serde(deserialize_with = "text")]
    pub(crate) session_name: Option<String>,
    #[serde(deserialize_with = "properties")]
    pub(crate) properties: Properties,
}

/// `POST /sessions/:session_handle/configure-session`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConfigureSession {
    #[serde(deserialize_with = "text")]
    pub(crate) statement: Option<String>,
    pub(crate) execution_timeout: Option<i64>,
}

/// `POST /sessions/:session_handle/statements`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExecuteStatement {
    #[serde(deserialize_with = "text")]
    pub(crate) statement: Option<String>,
    pub(crate) execution_timeout: Option<i64>,
    #[serde(deserialize_with = "properties")]
    pub(crate) execution_config: Properties,
}

/// `GET /sessions/:session_handle/complete-statement`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CompleteStatement {
    #[serde(deserialize_with = "text")]
    pub(crate) statement: Option<String>,
    pub(crate) position: Option<i64>,
}

/// `GET /api_versions`
#[derive(Debug, Serialize)]
pub(crate) struct ApiVersions {
    pub(crate) versions: Vec<String>,
}

/// `GET /info`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info {
    pub(crate) product_name: &'static str,
    pub(crate) version: &'static str,
}

/// A session was opened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionOpened {
    pub(crate) session_handle: String,
}

/// The configuration of a session.
#[derive(Debug, Serialize)]
pub(crate) struct SessionConfig {
    pub(crate) properties: Properties,
}

/// A statement was submitted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Submitted {
    pub(crate) operation_handle: String,
}

/// The status of an operation, or that a session is closed.
#[derive(Debug, Serialize)]
pub(crate) struct StatusOf {
    pub(crate) status: String,
}

/// How a statement may go on.
#[derive(Debug, Serialize)]
pub(crate) struct Candidates {
    pub(crate) candidates: Vec<String>,
}

/// `{}`
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    scalar(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn properties<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Properties, D::Error> {
    let given = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?.unwrap_or_default();
    let scalars = given.into_iter().map(|(key, value)| Ok(scalar(value)?.map(|value| (key, value))));
    let pairs: Result<Vec<Option<(String, String)>>, String> = scalars.collect();
    Ok(pairs.map_err(D::Error::custom)?.into_iter().flatten().collect())
}

fn scalar(value: Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(_) | Value::Bool(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err("expected a text".to_owned()),
    }
}
