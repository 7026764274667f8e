//! The configuration of a run: `config.yaml`, then `-D`.
//!
//! The file lies in the directory that `HEADWATER_CONF_DIR` (or `FLINK_CONF_DIR`) names; without one of them
//! nothing is read. Its keys are nested or flat, as in Flink: `parallelism: {default: 4}` is
//! `parallelism.default: 4`.

use headwater_types::config::Configuration;
use headwater_types::{Error, Result, config_keys};
use serde_yaml_ng::Value;
use std::path::{Path, PathBuf};

/// Environment variables that name the configuration directory, the first one set wins.
const DIRECTORY_VARIABLES: [&str; 2] = ["HEADWATER_CONF_DIR", "FLINK_CONF_DIR"];
/// Name of the file within the directory.
const FILE_NAME: &str = "config.yaml";
/// How deep keys may nest.
const NESTING_MAX: usize = 32;

/// A configuration and what was odd about it.
pub struct Loaded {
    /// The values.
    pub config: Configuration,
    /// Warnings for the user, such as unknown keys.
    pub warnings: Vec<String>,
}

/// Reads the file, if there is one, and puts the definitions of the command line over it.
pub fn load(define: &[(String, String)]) -> Result<Loaded> {
    let mut config = match directory() {
        Some(directory) => read(&directory.join(FILE_NAME))?,
        None => Configuration::new(),
    };
    for (key, value) in define {
        config.set(key, value);
    }
    let warnings = config.iter().filter_map(|(key, value)| config_keys::warning(key, value)).collect();
    Ok(Loaded { config, warnings })
}

fn directory() -> Option<PathBuf> {
    DIRECTORY_VARIABLES.iter().find_map(std::env::var_os).filter(|d| !d.is_empty()).map(PathBuf::from)
}

/// A directory without the file is as good as none.
fn read(path: &Path) -> Result<Configuration> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(|error| error.context(path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Configuration::new()),
        Err(error) => Err(Error::user("unreadable-config", format!("cannot read {}: {error}", path.display()))),
    }
}

/// Flattens a YAML document into dotted keys.
fn parse(text: &str) -> Result<Configuration> {
    let document: Value = serde_yaml_ng::from_str(text)
        .map_err(|error| Error::user("bad-config-file", format!("the file is not YAML: {error}")))?;
    let mut config = Configuration::new();
    match document {
        Value::Null => {}
        Value::Mapping(_) => flatten(&mut config, "", &document, 0)?,
        _ => return Err(Error::user("bad-config-file", "expected lines of the form 'key: value'")),
    }
    Ok(config)
}

fn flatten(config: &mut Configuration, prefix: &str, value: &Value, depth: usize) -> Result<()> {
    if depth > NESTING_MAX {
        return Err(Error::user("bad-config-file", format!("keys nest deeper than {NESTING_MAX} levels")));
    }
    let Value::Mapping(mapping) = value else {
        config.set(prefix, text(value));
        return Ok(());
    };
    for (key, value) in mapping {
        let key = text(key);
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        flatten(config, &path, value, depth + 1)?;
    }
    Ok(())
}

/// A scalar as text; a list in Flink's notation, separated by semicolons.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Sequence(items) => items.iter().map(text).collect::<Vec<_>>().join(";"),
        Value::Tagged(tagged) => text(&tagged.value),
        Value::Mapping(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_and_flat_keys_are_the_same() {
        let config = parse("parallelism:\n  default: 4\ntable.dml-sync: true\nhosts: [a, b]\n").expect("valid YAML");
        let pairs: Vec<_> = config.iter().collect();
        assert_eq!(pairs, [("hosts", "a;b"), ("parallelism.default", "4"), ("table.dml-sync", "true")]);
    }

    #[test]
    fn a_file_that_is_no_mapping_is_refused() {
        for text in ["- a\n- b\n", "just text", "a: [1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("").expect("an empty file is empty").iter().count(), 0);
    }
}
