//! From the namespaces and names of events to places and names of the catalog.
//!
//! A namespace is read as a URL: its scheme is the kind of place, its hosts are the addresses. Spellings that mean
//! the same system are made one here, so that they never become two places.

use crate::event::Id;
use crate::facts::{Name, Place};

const UNKNOWN: &str = "unknown";

/// Schemes that mean another one.
const SCHEMES: [(&str, &str); 4] = [("mssql", "sqlserver"), ("postgresql", "postgres"), ("s3a", "s3"), ("s3n", "s3")];

/// Namespaces without an address that stand for one service.
const WHOLE: [(&str, &str, &str); 3] =
    [("file", "file", UNKNOWN), ("bigquery", "bigquery", "googleapis.com"), ("pubsub", "pubsub", "googleapis.com")];

/// Schemas of databases that hold no data of users.
const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "pg_catalog", "system", "sys"];

/// The place of a job.
pub fn job_place(namespace: &str) -> Place {
    url(&namespace.to_lowercase())
}

/// The place of a dataset.
pub fn dataset_place(namespace: &str) -> Place {
    let lower = namespace.to_lowercase();
    let trimmed = lower.trim_end_matches('/').trim_end_matches(':');
    if let Some((_, kind, host)) = WHOLE.iter().find(|(name, ..)| *name == trimmed) {
        return Place { kind: (*kind).to_owned(), hosts: vec![(*host).to_owned()] };
    }
    if let Some(account) = glue_account(&lower) {
        return Place { kind: "awsglue".into(), hosts: vec![account] };
    }
    let mut place = url(&lower);
    if let Some((_, meant)) = SCHEMES.iter().find(|(spelling, _)| *spelling == place.kind) {
        place.kind = (*meant).to_owned();
    }
    place
}

/// `arn:aws:glue:{region}:{account}`.
fn glue_account(namespace: &str) -> Option<String> {
    let rest = namespace.strip_prefix("arn:aws:glue:")?;
    rest.split(':').nth(1).filter(|account| !account.is_empty()).map(str::to_owned)
}

fn url(namespace: &str) -> Place {
    let (kind, rest) = namespace.split_once("://").unwrap_or((UNKNOWN, namespace));
    let kind = if kind.is_empty() { UNKNOWN } else { kind };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Who logs in is no part of where something is.
    let authority = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let mut hosts: Vec<String> = vec![];
    for host in authority.split([',', ';']).map(str::trim).filter(|host| !host.is_empty()) {
        if !hosts.iter().any(|known| known == host) {
            hosts.push(host.to_owned());
        }
    }
    if hosts.is_empty() {
        let path = rest.trim_matches('/');
        hosts.push(if path.is_empty() { UNKNOWN.to_owned() } else { path.to_owned() });
    }
    Place { kind: kind.to_owned(), hosts }
}

/// A job.
pub fn job(id: &Id) -> Name {
    Name { place: job_place(&id.namespace), name: id.name.clone() }
}

/// A dataset, unless it is one that a database keeps for itself.
pub fn dataset(id: &Id) -> Option<Name> {
    let place = dataset_place(&id.namespace);
    if id.name.contains('/') {
        return Some(Name { place, name: id.name.clone() });
    }
    let mut parts: Vec<&str> = id.name.split('.').collect();
    if is_system(&parts) {
        return None;
    }
    if parts.len() == 3 && matches!(place.kind.as_str(), "clickhouse" | "mysql") {
        parts.remove(0);
    }
    Some(Name { place, name: parts.join(".") })
}

fn is_system(parts: &[&str]) -> bool {
    let table = parts.last().map(|t| t.to_lowercase()).unwrap_or_default();
    let schemas = parts.len().saturating_sub(1);
    let schema = parts[..schemas].iter().any(|s| SYSTEM_SCHEMAS.iter().any(|system| s.eq_ignore_ascii_case(system)));
    schema || table == "dual" || table.starts_with("v$") || table.starts_with("dba_")
}

/// A path without the partitions at its end: `/t/a=1/b=2` is the table `/t`.
pub fn without_partitions(path: &str) -> &str {
    let mut rest = path;
    while let Some((head, tail)) = rest.rsplit_once('/') {
        if !tail.contains('=') || head.is_empty() {
            break;
        }
        rest = head;
    }
    rest
}
