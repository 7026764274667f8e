//! Dependencies only point down, and some never exist.
//!
//! This table is the architecture: a crate may depend on crates of lower layers, and within its layer only on
//! those that stand before it.

use crate::cargo;
use anyhow::{Context, Result};

/// The crates, lowest layer first; within a layer, those others may build on first.
const LAYERS: &[&[&str]] = &[
    &["headwater-types", "headwater-env", "headwater-tls", "headwater-test-servers"],
    &["headwater-data"],
    &["headwater-plan", "headwater-state", "headwater-checkpoint"],
    &[
        "headwater-operator-api",
        "headwater-exchange",
        "headwater-transport",
        "headwater-connector-api",
        "headwater-runtime",
    ],
    &[
        "headwater-sql-parser",
        "headwater-functions",
        "headwater-expressions",
        "headwater-sql-operators",
        "headwater-formats",
        "headwater-lineage",
        "headwater-sql",
    ],
    &[
        "headwater-storage",
        "headwater-lineage-client",
        "headwater-connectors",
        "headwater-connector-kafka",
        "headwater-taskmanager",
        "headwater-jobmanager",
        "headwater-rpc",
        "headwater-connector-savepoint",
    ],
    &[
        "headwater-rest",
        "headwater-embedded",
        "headwater-sql-gateway",
        "headwater-lineage-server",
        "headwater-conformance",
        "headwater",
        "headwater-sim",
        "headwater-chaos",
    ],
];

/// Dependencies that must not exist: who, on what (a prefix), and why.
const NEVER: &[(&str, &str, &str)] = &[
    ("headwater-sql-operators", "tokio", "operators know no tokio"),
    ("headwater-sql-operators", "headwater-runtime", "operators know no runtime"),
    ("headwater-sql", "headwater-runtime", "sql knows no runtime"),
    ("headwater-connectors", "headwater-runtime", "connectors know only the connector API"),
    ("headwater-connectors", "headwater-sql", "connectors know only the connector API"),
    ("headwater-functions", "datafusion", "functions are Arrow kernels"),
    ("headwater-state", "headwater-operator-api", "state engines know no operators"),
    ("headwater-checkpoint", "headwater-env", "the protocol does no I/O"),
    ("headwater-checkpoint", "tokio", "the protocol does no I/O"),
    ("headwater-runtime", "datafusion", "DataFusion types stay inside the SQL crates"),
    ("headwater-plan", "arrow", "plans hold no Arrow types"),
    ("headwater-sql-parser", "", "the parser has no dependencies"),
];

/// What breaks the rules.
pub fn violations() -> Result<Vec<String>> {
    let metadata = cargo::metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut found = vec![];
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "xtask" {
            continue;
        }
        let Some(own) = rank(name) else {
            found.push(format!("{name} has no place in the layers: add it to xtask/src/tidy/layers.rs"));
            continue;
        };
        for dependency in normal_dependencies(package) {
            found.extend(violation(name, own, dependency));
        }
    }
    Ok(found)
}

fn normal_dependencies(package: &serde_json::Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().filter(|d| d["kind"].is_null()).filter_map(|d| d["name"].as_str())
}

fn violation(name: &str, own: (usize, usize), dependency: &str) -> Option<String> {
    if let Some((_, _, why)) = NEVER.iter().find(|(who, what, _)| *who == name && dependency.starts_with(what)) {
        return Some(format!("{name} depends on {dependency}: {why}"));
    }
    let other = rank(dependency)?;
    (other >= own).then(|| format!("{name} depends on {dependency}, which is not below it"))
}

fn rank(name: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(layer, crates)| Some((layer, crates.iter().position(|c| *c == name)?)))
}
