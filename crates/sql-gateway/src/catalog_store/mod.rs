//! Catalogs that outlive a session and a process: `table.catalog-store.kind` = `file` or `postgresql`.
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
//! With `postgresql` the same is kept in the tables of a database (`postgres.rs`).
//!
//! All sessions of a process share the store: a statement sees what others declared before it, and what it declares is
//! written before it is answered. Several processes may share a database; a directory must not be shared, there each
//! writes what it knows.
//!
//! What it does not keep: temporary tables and views, and which catalog is current.

mod entries;
mod files;
mod postgres;

#[cfg(test)]
mod tests;

use files::Files;
use headwater_embedded::Engine;
use headwater_sql::catalog::Catalog;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use postgres::Postgres;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const KIND: Key = Key { name: "table.catalog-store.kind", default: "generic_in_memory" };
const FILE_PATH: Key = Key { name: "table.catalog-store.file.path", default: "" };

/// Catalogs by name.
pub type Catalogs = BTreeMap<String, Catalog>;

/// Comment and options of a catalog or database.
#[derive(Serialize, Deserialize)]
struct Described {
    comment: Option<String>,
    options: BTreeMap<String, String>,
}

/// Where catalogs are kept.
trait Medium: Send {
    /// Whether nobody else has changed what was read or written last.
    fn is_current(&mut self) -> Result<bool> {
        Ok(true)
    }

    /// All catalogs; none when there is nothing yet.
    fn read(&mut self) -> Result<Catalogs>;

    /// Makes what holds the catalogs `before` hold those `after`.
    fn write(&mut self, before: &Catalogs, after: &Catalogs) -> Result<()>;
}

/// A store of catalogs.
pub struct CatalogStore(Mutex<Kept>);

struct Kept {
    medium: Box<dyn Medium>,
    /// What the medium holds; `None` before the first statement, and after a write failed.
    catalogs: Option<Catalogs>,
}

impl CatalogStore {
    /// The store that a configuration asks for, if it does.
    ///
    /// # Errors
    /// When the kind is unknown, what it needs is missing, or the store cannot be read.
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
            "postgresql" => Ok(Some(Self::on(Box::new(Postgres::from_config(config)?))?)),
            other => {
                let message = format!(
                    "'{other}' is not a valid value of '{}': expected generic_in_memory, file or postgresql",
                    KIND.name
                );
                Err(Error::user("bad-config-value", message))
            }
        }
    }

    /// The store in a directory, which is made when there is none.
    ///
    /// # Errors
    /// When what is there cannot be read.
    pub fn open(directory: &Path) -> Result<Self> {
        Self::on(Box::new(Files::new(directory)))
    }

    fn on(mut medium: Box<dyn Medium>) -> Result<Self> {
        let catalogs = Some(medium.read()?);
        Ok(Self(Mutex::new(Kept { medium, catalogs })))
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
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.refresh(engine)?;
        if !declares {
            drop(kept);
            return execute(engine);
        }
        let result = execute(engine)?;
        kept.take_over(engine)?;
        Ok(result)
    }
}

impl Kept {
    /// Gives an engine the catalogs of the store.
    fn refresh(&mut self, engine: &mut Engine) -> Result<()> {
        let current = self.current()?;
        let own = engine.session().catalog().catalogs();
        if current.is_empty() {
            // A new store takes over the catalogs that a session starts with.
            self.medium.write(&current, own)?;
            self.catalogs = Some(own.clone());
            return Ok(());
        }
        if *own != current {
            engine.session_mut().catalog_mut().set_catalogs(current.clone());
        }
        self.catalogs = Some(current);
        Ok(())
    }

    /// What the medium holds now. A connection that is gone since the last statement is made again.
    fn current(&mut self) -> Result<Catalogs> {
        let is_current = self.medium.is_current().or_else(|_| self.medium.is_current())?;
        match self.catalogs.take().filter(|_| is_current) {
            Some(catalogs) => Ok(catalogs),
            None => self.medium.read(),
        }
    }

    /// Writes what an engine has declared since [`Kept::refresh`].
    fn take_over(&mut self, engine: &mut Engine) -> Result<()> {
        let Some(before) = &self.catalogs else { return Ok(()) };
        let after = engine.session().catalog().catalogs();
        if after == before {
            return Ok(());
        }
        if let Err(error) = self.medium.write(before, after) {
            engine.session_mut().catalog_mut().set_catalogs(before.clone());
            self.catalogs = None;
            return Err(error);
        }
        self.catalogs = Some(after.clone());
        Ok(())
    }
}
