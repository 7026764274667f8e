//! Catalogs that outlive a session and a process: `table.catalog-store.kind` = `file`.
//!
//! ```text
//! DIRECTORY/my_catalog.yaml                      options of CREATE CATALOG, as Flink's file store keeps them
//! DIRECTORY/my_catalog/my_database.json          comment and options of a database
//! DIRECTORY/my_catalog/my_database/orders.json   a table or view as declared
//! ```
//!
//! Flink's store keeps the options of catalogs only, because its catalogs keep their tables elsewhere. Ours are
//! `generic_in_memory`, so the store keeps what is in them as well; names are escaped as in URLs. A file is written
//! beside its place and renamed, so that each is whole; options may hold passwords, so only their owner can read them.
//!
//! All sessions of a process share the store: a statement sees what others declared before it, and what it declares is
//! written before it is answered. Two processes must not share a directory: each writes what it knows.
//!
//! What it does not keep: temporary tables and views, and which catalog is current.

mod files;

#[cfg(test)]
mod tests;

use headwater_embedded::Engine;
use headwater_sql::catalog::Catalog;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const KIND: Key = Key { name: "table.catalog-store.kind", default: "generic_in_memory" };
const FILE_PATH: Key = Key { name: "table.catalog-store.file.path", default: "" };

/// Catalogs by name.
pub type Catalogs = BTreeMap<String, Catalog>;

/// A store of catalogs in a directory.
pub struct CatalogStore {
    directory: PathBuf,
    /// What is in the directory; `None` before the first statement, and after a write failed.
    kept: Mutex<Option<Catalogs>>,
}

impl CatalogStore {
    /// The store that a configuration asks for, if it does.
    ///
    /// # Errors
    /// When the kind is unknown, or the directory is missing or cannot be read.
    pub fn from_config(config: &Configuration) -> Result<Option<Self>> {
        match config.text(KIND).trim() {
            "generic_in_memory" => Ok(None),
            "file" => {
                let path = config.text(FILE_PATH).trim();
                if path.is_empty() {
                    let message = format!("'{}' = 'file' needs '{}': a directory", KIND.name, FILE_PATH.name);
                    return Err(Error::user("missing-option", message));
                }
                Ok(Some(Self::open(Path::new(path.strip_prefix("file://").unwrap_or(path)))?))
            }
            other => {
                let message =
                    format!("'{other}' is not a valid value of '{}': expected generic_in_memory or file", KIND.name);
                Err(Error::user("bad-config-value", message))
            }
        }
    }

    /// The store in a directory, which is made when there is none.
    ///
    /// # Errors
    /// When what is there cannot be read.
    pub fn open(directory: &Path) -> Result<Self> {
        let kept = files::read(directory)?;
        Ok(Self { directory: directory.to_owned(), kept: Mutex::new(Some(kept)) })
    }

    /// Executes something in an engine with the catalogs of the store; what it declares is in the store after it.
    ///
    /// # Errors
    /// What the execution gives, or when the store cannot be read or written: then the catalogs are as they were before.
    pub fn around<T, E: From<Error>>(
        &self,
        engine: &mut Engine,
        declares: bool,
        execute: impl FnOnce(&mut Engine) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.refresh(&mut kept, engine)?;
        if !declares {
            drop(kept);
            return execute(engine);
        }
        let result = execute(engine)?;
        let after = engine.session().catalog().catalogs();
        if after != before {
            if let Err(error) = files::write(&self.directory, before, after) {
                engine.session_mut().catalog_mut().set_catalogs(before.clone());
                *kept = None;
                return Err(error.into());
            }
            *before = after.clone();
        }
        Ok(result)
    }

    /// Gives an engine the catalogs of the store.
    fn refresh<'a>(&self, kept: &'a mut Option<Catalogs>, engine: &mut Engine) -> Result<&'a mut Catalogs> {
        let current = match kept.take() {
            Some(current) => current,
            None => files::read(&self.directory)?,
        };
        let current = kept.insert(current);
        let own = engine.session().catalog().catalogs();
        if current.is_empty() {
            // A new store takes over the catalogs that a session starts with.
            files::write(&self.directory, current, own)?;
            *current = own.clone();
        } else if own != current {
            engine.session_mut().catalog_mut().set_catalogs(current.clone());
        }
        Ok(current)
    }
}
