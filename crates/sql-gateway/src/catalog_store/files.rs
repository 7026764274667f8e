//! The files of a catalog store.

use super::{Catalogs, Described, Medium};
use headwater_sql::catalog::{Catalog, Database, Relation};
use headwater_types::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Key of the YAML file that holds a comment, which Flink's have not.
const COMMENT: &str = "headwater.comment";

/// Catalogs in a directory.
pub(super) struct Files(PathBuf);

impl Files {
    pub(super) fn new(directory: &Path) -> Self {
        Self(directory.to_owned())
    }
}

impl Medium for Files {
    fn read(&mut self) -> Result<Catalogs> {
        read(&self.0)
    }

    fn write(&mut self, before: &Catalogs, after: &Catalogs) -> Result<()> {
        write(&self.0, before, after)
    }
}

/// All catalogs in a directory; none when it is not there.
pub(super) fn read(directory: &Path) -> Result<Catalogs> {
    let mut catalogs = Catalogs::new();
    for name in names(directory, ".yaml")? {
        let catalog = read_catalog(directory, &name).map_err(|e| e.context(format_args!("the catalog '{name}'")))?;
        catalogs.insert(name, catalog);
    }
    Ok(catalogs)
}

fn read_catalog(directory: &Path, name: &str) -> Result<Catalog> {
    let path = directory.join(file_name(name, ".yaml"));
    let text = std::fs::read_to_string(&path).map_err(|error| unusable("read", &path, &error))?;
    let mut options: BTreeMap<String, String> =
        serde_yaml_ng::from_str(&text).map_err(|error| damaged(&path, &error))?;
    let comment = options.remove(COMMENT);
    let mut catalog = Catalog::new(options, comment);
    let directory = directory.join(file_name(name, ""));
    let databases = names(&directory, ".json")?;
    if !databases.is_empty() {
        catalog.databases.clear();
    }
    for name in databases {
        let database = read_database(&directory, &name)?;
        catalog.databases.insert(name, database);
    }
    Ok(catalog)
}

fn read_database(directory: &Path, name: &str) -> Result<Database> {
    let Described { comment, options } = read_json(&directory.join(file_name(name, ".json")))?;
    let directory = directory.join(file_name(name, ""));
    let mut relations = BTreeMap::new();
    for name in names(&directory, ".json")? {
        let relation: Relation = read_json(&directory.join(file_name(&name, ".json")))?;
        relations.insert(name, relation);
    }
    Ok(Database { comment, options, relations, ..Database::default() })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = std::fs::read(path).map_err(|error| unusable("read", path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error))
}

/// Makes a directory that holds the catalogs `before` hold those `after`.
fn write(directory: &Path, before: &Catalogs, after: &Catalogs) -> Result<()> {
    let mut changes = BTreeMap::new();
    entries(directory, after, &mut changes)?;
    let mut old = BTreeMap::new();
    entries(directory, before, &mut old)?;
    // What contains comes before what is in it; what is in it goes before what contains it.
    let gone: BTreeSet<&PathBuf> = old.keys().filter(|path| !changes.contains_key(*path)).collect();
    for path in gone.into_iter().rev() {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable("remove", path, &error)),
            _ => {}
        }
    }
    for (path, content) in changes.iter().filter(|(path, content)| old.get(*path) != Some(content)) {
        put(path, content)?;
    }
    Ok(())
}

/// The files of catalogs with their content.
fn entries(directory: &Path, catalogs: &Catalogs, out: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for (name, catalog) in catalogs {
        let mut options = catalog.options.clone();
        options.extend(catalog.comment.iter().map(|comment| (COMMENT.to_owned(), comment.clone())));
        let yaml = serde_yaml_ng::to_string(&options).map_err(|e| Error::internal(format!("options as YAML: {e}")))?;
        out.insert(directory.join(file_name(name, ".yaml")), yaml.into_bytes());
        let directory = directory.join(file_name(name, ""));
        for (name, database) in &catalog.databases {
            // Declared functions cannot be called, and live as long as the session.
            let Database { comment, options, relations, functions: _ } = database;
            let own = Described { comment: comment.clone(), options: options.clone() };
            out.insert(directory.join(file_name(name, ".json")), json(&own)?);
            let directory = directory.join(file_name(name, ""));
            for (name, relation) in relations {
                out.insert(directory.join(file_name(name, ".json")), json(relation)?);
            }
        }
    }
    Ok(())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value).map_err(|error| Error::internal(format!("a declaration as JSON: {error}")))
}

/// Writes a file beside its place and renames it. Temporary files can be read by their owner only.
fn put(path: &Path, content: &[u8]) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    written().map_err(|error| unusable("write", path, &error))
}

/// The names that files of a directory stand for.
fn names(directory: &Path, suffix: &str) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(unusable("read", directory, &error)),
    };
    let mut names = vec![];
    for entry in entries {
        let entry = entry.map_err(|error| unusable("read", directory, &error))?;
        let file = entry.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(suffix));
        names.extend(name.filter(|name| !name.starts_with('.')).and_then(unescaped));
    }
    names.sort();
    Ok(names)
}

/// A name as that of a file: letters, digits, `_` and `-` as they are, everything else as `%` and two digits.
fn file_name(name: &str, suffix: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => out.push(char::from(byte)),
            // Writing to a text cannot fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
    out + suffix
}

fn unescaped(file: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = file.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn unusable(what: &str, path: &Path, error: &std::io::Error) -> Error {
    let message = format!("the catalog store cannot {what} {}: {error}", path.display());
    Error::user("catalog-store", message)
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let message = format!("the catalog store cannot read {}: {error}; mend or remove the file", path.display());
    Error::user("catalog-store", message)
}
