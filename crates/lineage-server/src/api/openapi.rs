//! The OpenAPI document, made from the same declarations as the router.

use super::params::{Kind, Param};
use super::{Access, Routes, Spec};
use axum::Json;
use serde_json::{Map, Value, json};

const DOCUMENT: Spec = Spec {
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This document",
    group: "Monitoring",
    query: &[],
    access: Access::Open,
};

pub(super) const SPECS: &[Spec] = &[DOCUMENT];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&DOCUMENT, serve)
}

async fn serve() -> Json<Value> {
    Json(document())
}

/// The document.
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for spec in super::specs() {
        let path = paths.entry(spec.path).or_insert_with(|| json!({}));
        path[spec.method.to_lowercase()] = operation(&spec);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Headwater lineage server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Takes OpenLineage events in and answers where data comes from and where it goes. \
                            Compatible with the REST API of Data.Rentgen 0.7.",
            "license": {"name": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": error_schema()},
        },
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {}},
        }},
    })
}

fn operation(spec: &Spec) -> Value {
    let mut parameters: Vec<Value> = spec
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"in": "path", "name": name, "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(spec.query.iter().map(parameter));
    let mut responses = json!({
        "200": {"description": "The answer", "content": {"application/json": {}}},
        "422": error("What is wrong with the request"),
    });
    if spec.access != Access::Open {
        responses["401"] = error("Nobody is logged in");
        responses["403"] = error("The token's scopes do not allow it");
    }
    let mut operation = json!({"summary": spec.summary, "tags": [spec.group], "parameters": parameters,
                               "responses": responses});
    if matches!(spec.access, Access::User | Access::Login) {
        operation["security"] = json!([{"bearer": []}]);
    }
    if matches!(spec.method, "POST" | "PATCH") {
        let kind = if spec.path == "/v1/auth/token" { "application/x-www-form-urlencoded" } else { "application/json" };
        operation["requestBody"] = json!({"content": {kind: {}}});
    }
    operation
}

fn error(description: &str) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Error"});
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

fn parameter(param: &Param) -> Value {
    let mut schema = match param.kind {
        Kind::Int(low, high) => json!({"type": "integer", "minimum": low, "maximum": high}),
        Kind::Ints if param.required => json!({"type": "integer"}),
        Kind::Ints => json!({"type": "array", "items": {"type": "integer"}}),
        Kind::Uuid => json!({"type": "string", "format": "uuid"}),
        Kind::Uuids => json!({"type": "array", "items": {"type": "string", "format": "uuid"}}),
        Kind::Text => json!({"type": "string"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Search => json!({"type": "string", "minLength": 3}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Enum(words) => json!({"type": "string", "enum": words}),
        Kind::Enums(words) => json!({"type": "array", "items": {"type": "string", "enum": words}}),
    };
    if let Some(value) = param.default {
        schema["default"] = match param.kind {
            Kind::Int(..) => json!(value.parse::<i64>().unwrap_or_default()),
            Kind::Bool => json!(value == "true"),
            _ => json!(value),
        };
    }
    json!({"in": "query", "name": param.name, "required": param.required, "schema": schema})
}
