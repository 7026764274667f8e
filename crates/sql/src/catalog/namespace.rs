//! Catalogs and databases: the two upper levels of an object path.

use super::Relation;
use std::collections::BTreeMap;

/// Type of the one catalog kind there is: everything in memory, for the life of the session.
pub const GENERIC_IN_MEMORY: &str = "generic_in_memory";
/// Name of the database a catalog starts with, unless its options say otherwise.
pub const DEFAULT_DATABASE: &str = "default";
/// Catalog option that names the first database.
pub const DEFAULT_DATABASE_OPTION: &str = "default-database";

/// A catalog: databases by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// COMMENT.
    pub comment: Option<String>,
    /// WITH options, `type` included.
    pub options: BTreeMap<String, String>,
    /// The database that `USE CATALOG` makes current.
    pub default_database: String,
    /// The databases.
    pub databases: BTreeMap<String, Database>,
}

impl Catalog {
    /// A catalog with its default database.
    pub fn new(options: BTreeMap<String, String>, comment: Option<String>) -> Self {
        let default_database =
            options.get(DEFAULT_DATABASE_OPTION).map_or(DEFAULT_DATABASE, String::as_str).to_string();
        let databases = BTreeMap::from([(default_database.clone(), Database::default())]);
        Self { comment, options, default_database, databases }
    }
}

/// A database: tables and views by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Database {
    /// COMMENT.
    pub comment: Option<String>,
    /// WITH options.
    pub options: BTreeMap<String, String>,
    /// Permanent tables and views.
    pub relations: BTreeMap<String, Relation>,
    /// Declared functions by name, in lower case.
    pub functions: BTreeMap<String, UserFunction>,
}

/// A function that was declared. Its code is of the JVM or of Python: it is known, but it cannot be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFunction {
    /// Class or entry point.
    pub identifier: String,
    /// What the identifier names, such as "Java class".
    pub code: &'static str,
}
