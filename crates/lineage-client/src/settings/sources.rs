//! Where options come from.

use super::Surroundings;
use super::tree::set;
use headwater_types::config::{Configuration, parse_duration};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Keys of Flink.
const FLINK_PREFIX: &str = "openlineage.";
/// Keys of the listener of Flink 1.x, with the options they are; a duration is told in seconds.
const LISTENER_KEYS: [(&str, &str); 3] = [
    ("execution.job-listener.openlineage.namespace", "job.namespace"),
    ("execution.job-listener.openlineage.job-name", "job.name"),
    ("execution.job-listener.openlineage.tracking-interval", "trackingIntervalInSeconds"),
];
/// Names of the file.
const FILES: [&str; 2] = ["openlineage.yml", "openlineage.yaml"];

/// All options in one tree.
pub(super) fn merged(config: &Configuration, around: &Surroundings, warnings: &mut Vec<String>) -> Value {
    let mut tree = file(around, warnings).unwrap_or_else(|| json!({}));
    environment(&mut tree, around);
    for (key, option) in LISTENER_KEYS {
        if let Some(value) = config.get(key) {
            set(&mut tree, &option.split('.').collect::<Vec<_>>(), listener_value(option, value));
        }
    }
    for (key, value) in config.iter() {
        if let Some(option) = key.strip_prefix(FLINK_PREFIX) {
            set(&mut tree, &option.split('.').collect::<Vec<_>>(), Value::String(value.to_owned()));
        }
    }
    tree
}

fn listener_value(option: &str, value: &str) -> Value {
    let seconds = parse_duration(value).filter(|_| option == "trackingIntervalInSeconds").map(|d| d.as_secs().max(1));
    // A bare number was seconds there.
    let bare = value.trim().parse::<u64>().ok();
    bare.or(seconds).map_or_else(|| value.into(), Value::from)
}

fn file(around: &Surroundings, warnings: &mut Vec<String>) -> Option<Value> {
    let named = around.variables.get("OPENLINEAGE_CONFIG").filter(|path| !path.is_empty());
    let candidates: Vec<PathBuf> = match named {
        Some(path) => vec![around.directory.join(path)],
        None => {
            let home = around.variables.get("HOME").map(|home| PathBuf::from(home).join(".openlineage"));
            let directories = [Some(around.directory.clone()), home];
            directories.into_iter().flatten().flat_map(|d| FILES.map(|name| d.join(name))).collect()
        }
    };
    for path in candidates {
        match std::fs::read_to_string(&path) {
            Ok(text) => match serde_yaml_ng::from_str::<Value>(&text) {
                Ok(tree @ Value::Object(_)) => return Some(tree),
                Ok(Value::Null) => return None,
                Ok(_) => warnings.push(format!("{} holds no options: it is ignored", path.display())),
                // The message may quote a line, and with it a key.
                Err(error) => {
                    let place = error.location().map(|at| format!(" at line {}", at.line())).unwrap_or_default();
                    warnings.push(format!("{} is not YAML{place}: it is ignored", path.display()));
                }
            },
            Err(error) if named.is_some() => {
                warnings.push(format!("cannot read {}, which OPENLINEAGE_CONFIG names: {error}", path.display()));
            }
            Err(_) => {}
        }
    }
    None
}

fn environment(tree: &mut Value, around: &Surroundings) {
    let variable = |name: &str| around.variables.get(name).filter(|value| !value.is_empty());
    if let Some(url) = variable("OPENLINEAGE_URL") {
        set(tree, &["transport", "type"], "http".into());
        set(tree, &["transport", "url"], url.clone().into());
    }
    if let Some(endpoint) = variable("OPENLINEAGE_ENDPOINT") {
        set(tree, &["transport", "endpoint"], endpoint.clone().into());
    }
    if let Some(key) = variable("OPENLINEAGE_API_KEY") {
        set(tree, &["transport", "auth"], json!({"type": "api_key", "apiKey": key}));
    }
    if let Some(namespace) = variable("OPENLINEAGE_NAMESPACE") {
        set(tree, &["job", "namespace"], namespace.clone().into());
    }
    if let Some(disabled) = variable("OPENLINEAGE_DISABLED") {
        set(tree, &["disabled"], disabled.clone().into());
    }
    for (name, value) in &around.variables {
        let Some(path) = name.strip_prefix("OPENLINEAGE__") else { continue };
        let path: Vec<String> = path.split("__").map(camel_case).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        set(tree, &path, serde_json::from_str(value).unwrap_or_else(|_| value.clone().into()));
    }
}

/// `TOPIC_NAME` is `topicName`.
fn camel_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for (at, word) in name.split('_').filter(|word| !word.is_empty()).enumerate() {
        let lower = word.to_ascii_lowercase();
        match lower.chars().next() {
            Some(first) if at > 0 => {
                text.push(first.to_ascii_uppercase());
                text.push_str(&lower[first.len_utf8()..]);
            }
            _ => text.push_str(&lower),
        }
    }
    text
}
