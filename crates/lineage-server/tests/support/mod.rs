//! A running server and small ways to talk to it.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, dead_code, reason = "tests; not every test uses all")]

use headwater_env::Env;
use headwater_lineage_server::store::Database;
use headwater_lineage_server::{Options, Server, start};
use serde_json::Value;
use std::path::PathBuf;

/// A server with a database of its own.
pub struct Running {
    pub server: Server,
    pub client: reqwest::Client,
    _directory: tempfile::TempDir,
}

/// Starts a server on a new SQLite database.
pub async fn server(change: impl FnOnce(&mut Options)) -> Running {
    server_with(Env::real(), change).await
}

/// The same with a clock of the test's own.
pub async fn server_with(env: Env, change: impl FnOnce(&mut Options)) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lineage.db");
    let mut options =
        Options { listen: "127.0.0.1:0".into(), database: format!("sqlite:{}", path.display()), ..Options::default() };
    change(&mut options);
    let server = start(options, env).await.unwrap();
    Running { server, client: reqwest::Client::new(), _directory: directory }
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// Status and body of a GET.
    pub async fn try_get(&self, path: &str) -> (u16, Value) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    /// Status and body of a POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.client.post(self.url(path)).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
    }

    /// Sends events one by one.
    pub async fn send(&self, events: &[Value]) {
        for event in events {
            let (status, answer) = self.post("/v1/openlineage", event).await;
            assert_eq!(status, 201, "{answer} for {event}");
        }
    }
}

/// The folder of conformance cases, or none when this checkout has none beside it.
pub fn cases() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/openlineage");
    folder.is_dir().then_some(folder)
}

/// The events of a file of JSON lines.
pub fn events(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Tables and what is told of their rows, by name. `DATASET(x)` and `JOB(x)` stand for the names behind an id, `TAG` for
/// a tag with its value.
const TOLD: [(&str, &[&str]); 13] = [
    ("address", &["url", "(SELECT kind || name FROM location WHERE id = x.location_id)"]),
    ("dataset", &["DATASET(id)", "named_at", "description"]),
    ("job", &["JOB(id)", "kind", "JOB(parent_id)", "tags", "description"]),
    (
        "run",
        &[
            "uuid",
            "created_at",
            "JOB(job_id)",
            "(SELECT p.uuid FROM run p WHERE p.id = x.parent_id)",
            "status",
            "external_id",
            "attempt",
            "persistent_log_url",
            "running_log_url",
            "started_at",
            "started_by",
            "start_reason",
            "ended_at",
            "end_reason",
            "expected_start_at",
            "restored_from",
            "first_at",
            "last_at",
        ],
    ),
    (
        "operation",
        &[
            "uuid",
            "created_at",
            "RUN",
            "name",
            "kind",
            "status",
            "position",
            "group_name",
            "description",
            "(SELECT value FROM sql_query WHERE id = x.sql_id)",
            "started_at",
            "ended_at",
            "last_at",
        ],
    ),
    (
        "edge",
        &[
            "OPERATION",
            "DATASET(dataset_id)",
            "direction",
            "RUN",
            "JOB(job_id)",
            "first_at",
            "last_at",
            "row_from",
            "row_to",
            "heard_to",
            "is_open",
            "has_flow",
            "types",
            "num_rows",
            "num_bytes",
            "num_files",
            "watermark",
            "positions",
        ],
    ),
    ("flow", &["OPERATION", "DATASET(source_id)", "DATASET(target_id)"]),
    (
        "schema_use",
        &[
            "DATASET(dataset_id)",
            "(SELECT value FROM dataset_schema WHERE id = x.schema_id)",
            "direction",
            "first_at",
            "last_at",
            "first_run",
        ],
    ),
    ("symlink", &["DATASET(from_id)", "DATASET(to_id)", "role"]),
    (
        "column_lineage",
        &[
            "OPERATION",
            "DATASET(source_id)",
            "DATASET(target_id)",
            "(SELECT value FROM column_set WHERE id = x.set_id)",
            "JOB(job_id)",
            "first_at",
            "heard_to",
        ],
    ),
    ("job_tag", &["JOB(job_id)", "TAG"]),
    ("dataset_tag", &["DATASET(dataset_id)", "field", "TAG"]),
    ("job_dependency", &["JOB(from_id)", "JOB(to_id)", "kind"]),
];

/// The SQL of a column of [`TOLD`].
fn told(column: &str) -> String {
    let named = |table: &str, id: &str| {
        format!(
            "(SELECT l.kind || '://' || l.name || '/' || n.name FROM {table} n JOIN location l ON l.id = n.location_id \
             WHERE n.id = x.{id})"
        )
    };
    let inner = |prefix: &str| column.strip_prefix(prefix)?.strip_suffix(')');
    match column {
        "RUN" => "(SELECT uuid FROM run WHERE id = x.run_id)".into(),
        "OPERATION" => "(SELECT uuid FROM operation WHERE id = x.operation_id)".into(),
        "TAG" => "(SELECT t.value || '=' || v.value FROM tag_value v JOIN tag t ON t.id = v.tag_id \
                  WHERE v.id = x.tag_value_id)"
            .into(),
        _ => match (inner("DATASET("), inner("JOB(")) {
            (Some(id), _) => named("dataset", id),
            (_, Some(id)) => named("job", id),
            _ => column.into(),
        },
    }
}

/// What a catalog holds, by names: the same for the same knowledge, whatever the ids.
pub async fn dump(db: &Database) -> Vec<String> {
    let mut lines = vec![];
    for (table, columns) in TOLD {
        let columns: Vec<String> =
            columns.iter().map(|c| format!("COALESCE(CAST({} AS TEXT), '-')", told(c))).collect();
        let sql = format!("SELECT {} FROM {table} x", columns.join(" || ' | ' || "));
        let rows = db.rows(&sql, vec![]).await.unwrap();
        lines.extend(rows.iter().map(|row| format!("{table}: {}", row.text(0))));
    }
    lines.sort();
    lines
}
