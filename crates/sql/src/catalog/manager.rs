//! The catalogs of a session and the names in them.
//!
//! A name of one part is looked up in the current database, of two parts in the current catalog. A temporary
//! object shadows a permanent one of the same path until it is dropped; it lives beside the catalogs, so its
//! database need not exist.

use super::namespace::{Catalog, Database, GENERIC_IN_MEMORY, UserFunction};
use super::{Model, ObjectPath, Relation};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{Ident, ObjectName};
use std::collections::{BTreeMap, BTreeSet};

/// Name of the catalog a session starts in.
const DEFAULT_CATALOG: &str = "default_catalog";
/// Name of its database.
const DEFAULT_CATALOG_DATABASE: &str = "default_database";

/// Catalogs, databases, tables and views, and which of them are current.
#[derive(Debug, Clone)]
pub struct CatalogManager {
    catalogs: BTreeMap<String, Catalog>,
    temporary: BTreeMap<ObjectPath, Relation>,
    temporary_functions: BTreeMap<ObjectPath, UserFunction>,
    temporary_system_functions: BTreeMap<String, UserFunction>,
    models: BTreeMap<ObjectPath, Model>,
    temporary_models: BTreeMap<ObjectPath, Model>,
    current_catalog: String,
    current_database: String,
}

impl Default for CatalogManager {
    fn default() -> Self {
        Self::new()
    }
}

impl CatalogManager {
    /// `default_catalog` with `default_database`, both current.
    pub fn new() -> Self {
        let options = BTreeMap::from([
            ("type".to_string(), GENERIC_IN_MEMORY.to_string()),
            (super::namespace::DEFAULT_DATABASE_OPTION.to_string(), DEFAULT_CATALOG_DATABASE.to_string()),
        ]);
        Self {
            catalogs: BTreeMap::from([(DEFAULT_CATALOG.to_string(), Catalog::new(options, None))]),
            temporary: BTreeMap::new(),
            temporary_functions: BTreeMap::new(),
            temporary_system_functions: BTreeMap::new(),
            models: BTreeMap::new(),
            temporary_models: BTreeMap::new(),
            current_catalog: DEFAULT_CATALOG.to_string(),
            current_database: DEFAULT_CATALOG_DATABASE.to_string(),
        }
    }

    /// Name of the current catalog.
    pub fn current_catalog(&self) -> &str {
        &self.current_catalog
    }

    /// Name of the current database.
    pub fn current_database(&self) -> &str {
        &self.current_database
    }

    /// The current catalog and database, as views remember them.
    pub fn defaults(&self) -> [String; 2] {
        [self.current_catalog.clone(), self.current_database.clone()]
    }

    // ---- names -------------------------------------------------------------------------------------

    /// The full path of a written name; nothing is looked up.
    pub fn qualify(&self, name: &ObjectName) -> SqlResult<ObjectPath> {
        self.qualify_in(name, &self.defaults())
    }

    /// The full path of a name written where `defaults` were the current catalog and database.
    pub fn qualify_in(&self, name: &ObjectName, defaults: &[String; 2]) -> SqlResult<ObjectPath> {
        let [catalog, database] = defaults;
        let parts: Vec<&str> = name.parts().collect();
        let path = match parts.as_slice() {
            [object] => [catalog.as_str(), database, object],
            [database, object] => [catalog.as_str(), database, object],
            [catalog, database, object] => [*catalog, database, object],
            _ => {
                let message = "a name has one to three parts: [catalog.][database.]name";
                return Err(SqlError::at("bad-name", message, name.span()));
            }
        };
        Ok(ObjectPath(path.map(str::to_string)))
    }

    /// The table or view at a path; a temporary one wins.
    pub fn get(&self, path: &ObjectPath) -> Option<&Relation> {
        self.temporary.get(path).or_else(|| self.permanent(path))
    }

    /// The permanent table or view at a path.
    pub fn permanent(&self, path: &ObjectPath) -> Option<&Relation> {
        let [catalog, database, object] = &path.0;
        self.catalogs.get(catalog)?.databases.get(database)?.relations.get(object)
    }

    /// The temporary table or view at a path.
    pub fn temporary(&self, path: &ObjectPath) -> Option<&Relation> {
        self.temporary.get(path)
    }

    /// The table or view of a written name, or an error that names the nearest one.
    pub fn resolve(&self, name: &ObjectName) -> SqlResult<&Relation> {
        self.resolve_in(name, &self.defaults())
    }

    /// As [`Self::resolve`], for a name written where `defaults` were current (the query of a view).
    pub fn resolve_in(&self, name: &ObjectName, defaults: &[String; 2]) -> SqlResult<&Relation> {
        let path = self.qualify_in(name, defaults)?;
        self.get(&path).ok_or_else(|| self.unknown_relation(&path, name))
    }

    /// The error of a name that is not there: says at which level the path breaks.
    pub fn unknown_relation(&self, path: &ObjectPath, name: &ObjectName) -> SqlError {
        let [catalog, database, object] = &path.0;
        let span = Some(name.span());
        let Some(found) = self.catalogs.get(catalog) else {
            let known = self.catalogs.keys().map(String::as_str);
            return SqlError::unknown("unknown-catalog", "catalog", catalog, span, known);
        };
        if !found.databases.contains_key(database) && !self.temporary.keys().any(|p| p.0[1] == *database) {
            let known = found.databases.keys().map(String::as_str);
            return SqlError::unknown("unknown-database", "database", database, span, known);
        }
        let known = self.relation_names(catalog, database);
        SqlError::unknown("unknown-table", "table", object, span, known.iter().map(String::as_str))
    }

    /// The error of a statement about a table or view that is not there: its message, with the nearest name as the hint.
    pub fn not_there(&self, path: &ObjectPath, name: &ObjectName, message: String) -> SqlError {
        let error = SqlError::at("unknown-table", message, name.span());
        match self.unknown_relation(path, name).hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// Names of all tables and views of a database, temporary ones included, in order.
    pub fn relation_names(&self, catalog: &str, database: &str) -> Vec<String> {
        self.relations(catalog, database).iter().map(|relation| relation.path().0[2].clone()).collect()
    }

    /// All tables and views of a database by name; temporary ones shadow permanent ones.
    pub fn relations(&self, catalog: &str, database: &str) -> Vec<&Relation> {
        let permanent = self.catalogs.get(catalog).and_then(|c| c.databases.get(database));
        let permanent = permanent.into_iter().flat_map(|d| d.relations.values());
        let temporary = self.temporary.values().filter(|r| r.path().0[0] == catalog && r.path().0[1] == database);
        let mut by_name: BTreeMap<&str, &Relation> = BTreeMap::new();
        by_name.extend(permanent.chain(temporary).map(|relation| (relation.path().0[2].as_str(), relation)));
        by_name.into_values().collect()
    }

    // ---- tables and views --------------------------------------------------------------------------

    /// Adds a table or view. `Ok(false)` when one of its kind of life is there already.
    pub fn create(&mut self, relation: Relation) -> SqlResult<bool> {
        let path = relation.path().clone();
        if relation.is_temporary() {
            return Ok(match self.temporary.entry(path) {
                std::collections::btree_map::Entry::Occupied(_) => false,
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(relation);
                    true
                }
            });
        }
        let relations = &mut self.database_mut(&path.0[0], &path.0[1])?.relations;
        if relations.contains_key(&path.0[2]) {
            return Ok(false);
        }
        relations.insert(path.0[2].clone(), relation);
        Ok(true)
    }

    /// Puts a changed table or view in the place of the one at its path (and of the same kind of life).
    pub fn replace(&mut self, relation: Relation) -> SqlResult<()> {
        let path = relation.path().clone();
        if relation.is_temporary() {
            self.temporary.insert(path, relation);
            return Ok(());
        }
        let relations = &mut self.database_mut(&path.0[0], &path.0[1])?.relations;
        relations.insert(path.0[2].clone(), relation);
        Ok(())
    }

    /// Removes a permanent table or view; `None` when there is none.
    pub fn drop_permanent(&mut self, path: &ObjectPath) -> Option<Relation> {
        let database = self.catalogs.get_mut(&path.0[0])?.databases.get_mut(&path.0[1])?;
        database.relations.remove(&path.0[2])
    }

    /// Removes a temporary table or view; `None` when there is none.
    pub fn drop_temporary(&mut self, path: &ObjectPath) -> Option<Relation> {
        self.temporary.remove(path)
    }

    // ---- functions ---------------------------------------------------------------------------------

    /// The functions that live as long as the session: in databases, and everywhere.
    pub(crate) fn temporary_functions(
        &mut self,
    ) -> (&mut BTreeMap<ObjectPath, UserFunction>, &mut BTreeMap<String, UserFunction>) {
        (&mut self.temporary_functions, &mut self.temporary_system_functions)
    }

    /// The declared function that a name stands for: system functions of the session first, then those of a database.
    pub fn user_function(&self, name: &ObjectName, defaults: &[String; 2]) -> Option<(&UserFunction, bool, bool)> {
        let path = function_path(self.qualify_in(name, defaults).ok()?);
        let [catalog, database, function] = &path.0;
        let system = self.temporary_system_functions.get(function).filter(|_| name.as_single().is_some());
        let temporary = || self.temporary_functions.get(&path).map(|found| (found, false, true));
        let permanent =
            || Some((self.catalogs.get(catalog)?.databases.get(database)?.functions.get(function)?, false, false));
        system.map(|found| (found, true, true)).or_else(temporary).or_else(permanent)
    }

    /// Names of the declared functions that a database offers, in order.
    pub fn user_function_names(&self, catalog: &str, database: &str) -> Vec<String> {
        let permanent = self.catalogs.get(catalog).and_then(|c| c.databases.get(database));
        let permanent = permanent.into_iter().flat_map(|found| found.functions.keys().cloned());
        let here = |path: &&ObjectPath| path.0[0] == catalog && path.0[1] == database;
        let temporary = self.temporary_functions.keys().filter(here).map(|path| path.0[2].clone());
        let all: BTreeSet<String> =
            permanent.chain(temporary).chain(self.temporary_system_functions.keys().cloned()).collect();
        all.into_iter().collect()
    }

    // ---- models ------------------------------------------------------------------------------------

    /// The declared models, or those that are temporary.
    pub(crate) fn models_mut(&mut self, temporary: bool) -> &mut BTreeMap<ObjectPath, Model> {
        if temporary { &mut self.temporary_models } else { &mut self.models }
    }

    /// The model at a path, and whether it is temporary; a temporary one wins.
    pub fn model(&self, path: &ObjectPath) -> Option<(&Model, bool)> {
        let temporary = self.temporary_models.get(path).map(|model| (model, true));
        temporary.or_else(|| self.models.get(path).map(|model| (model, false)))
    }

    /// Names of the models of a database, in order; as in Flink without temporary ones.
    pub fn model_names(&self, catalog: &str, database: &str) -> Vec<String> {
        let here = |path: &&ObjectPath| path.0[0] == catalog && path.0[1] == database;
        self.models.keys().filter(here).map(|path| path.0[2].clone()).collect()
    }

    // ---- catalogs ----------------------------------------------------------------------------------

    /// Names of the catalogs, in order.
    pub fn catalog_names(&self) -> impl Iterator<Item = &str> {
        self.catalogs.keys().map(String::as_str)
    }

    /// The catalog of this name, or an error that names the nearest one.
    pub fn catalog(&self, name: &str) -> SqlResult<&Catalog> {
        self.catalogs.get(name).ok_or_else(|| self.unknown_catalog(name))
    }

    /// The catalog of this name, to change it.
    pub fn catalog_mut(&mut self, name: &str) -> SqlResult<&mut Catalog> {
        if !self.catalogs.contains_key(name) {
            return Err(self.unknown_catalog(name));
        }
        Ok(self.catalogs.get_mut(name).expect("the name was just found"))
    }

    fn unknown_catalog(&self, name: &str) -> SqlError {
        let near = headwater_types::config::nearest(name, self.catalog_names());
        let error = SqlError::new("unknown-catalog", format!("Catalog {name} does not exist"));
        near.map_or(error.clone(), |near| error.with_hint(format!("did you mean '{near}'?")))
    }

    /// All catalogs with what is permanent in them, for whoever keeps them.
    pub fn catalogs(&self) -> &BTreeMap<String, Catalog> {
        &self.catalogs
    }

    /// Puts kept catalogs in the place of those there are; temporary objects and the current names stay.
    pub fn set_catalogs(&mut self, catalogs: BTreeMap<String, Catalog>) {
        self.catalogs = catalogs;
    }

    /// Adds a catalog; `false` when the name is taken.
    pub fn create_catalog(&mut self, name: &str, catalog: Catalog) -> bool {
        if self.catalogs.contains_key(name) {
            return false;
        }
        self.catalogs.insert(name.to_string(), catalog);
        true
    }

    /// Removes a catalog that is not current, with all that is in it; `false` when there is none.
    pub fn drop_catalog(&mut self, name: &str) -> SqlResult<bool> {
        if name == self.current_catalog {
            return Err(SqlError::new("catalog-in-use", "Cannot drop a catalog which is currently in use."));
        }
        self.temporary.retain(|path, _| path.0[0] != name);
        self.models.retain(|path, _| path.0[0] != name);
        Ok(self.catalogs.remove(name).is_some())
    }

    /// `USE CATALOG name`: its default database becomes current.
    pub fn use_catalog(&mut self, name: &Ident) -> SqlResult<()> {
        let Some(catalog) = self.catalogs.get(&name.value) else {
            let message = format!("A catalog with name [{}] does not exist.", name.value);
            let near = headwater_types::config::nearest(&name.value, self.catalog_names());
            let error = SqlError::at("unknown-catalog", message, name.span);
            return Err(near.map_or(error.clone(), |near| error.with_hint(format!("did you mean '{near}'?"))));
        };
        self.current_database = catalog.default_database.clone();
        self.current_catalog = name.value.clone();
        Ok(())
    }

    // ---- databases ---------------------------------------------------------------------------------

    /// Catalog and database that a `[catalog.]database` names.
    pub fn qualify_database(&self, name: &ObjectName) -> SqlResult<[String; 2]> {
        match name.parts().collect::<Vec<_>>().as_slice() {
            [database] => Ok([self.current_catalog.clone(), database.to_string()]),
            [catalog, database] => Ok([catalog.to_string(), database.to_string()]),
            _ => Err(SqlError::at("bad-name", "a database name is [catalog.]database", name.span())),
        }
    }

    /// The database, or an error that names the nearest one.
    pub fn database(&self, catalog: &str, database: &str) -> SqlResult<&Database> {
        let databases = &self.catalog(catalog)?.databases;
        databases.get(database).ok_or_else(|| unknown_database(catalog, database, databases.keys()))
    }

    /// The database, to change it.
    pub fn database_mut(&mut self, catalog: &str, database: &str) -> SqlResult<&mut Database> {
        self.database(catalog, database)?;
        let databases = &mut self.catalog_mut(catalog)?.databases;
        Ok(databases.get_mut(database).expect("the name was just found"))
    }

    /// Adds a database; `Ok(false)` when the name is taken.
    pub fn create_database(&mut self, [catalog, name]: &[String; 2], database: Database) -> SqlResult<bool> {
        let databases = &mut self.catalog_mut(catalog)?.databases;
        if databases.contains_key(name) {
            return Ok(false);
        }
        databases.insert(name.clone(), database);
        Ok(true)
    }

    /// Removes a database that is not current; one that is not empty only with `cascade`. `Ok(false)` when
    /// there is none.
    pub fn drop_database(&mut self, [catalog, name]: &[String; 2], cascade: bool) -> SqlResult<bool> {
        let Some(database) = self.catalog(catalog)?.databases.get(name) else { return Ok(false) };
        if *catalog == self.current_catalog && *name == self.current_database {
            return Err(SqlError::new("database-in-use", "Cannot drop a database which is currently in use."));
        }
        if !(cascade || database.relations.is_empty() && database.functions.is_empty()) {
            let message = format!("Database {name} in catalog {catalog} is not empty.");
            return Err(SqlError::new("database-not-empty", message)
                .with_hint("DROP DATABASE ... CASCADE drops its tables as well"));
        }
        self.catalog_mut(catalog)?.databases.remove(name);
        self.models.retain(|path, _| path.0[0] != *catalog || path.0[1] != *name);
        Ok(true)
    }

    /// `USE [catalog.]database`.
    pub fn use_database(&mut self, name: &ObjectName) -> SqlResult<()> {
        let [catalog, database] = self.qualify_database(name)?;
        let databases = &self.catalog(&catalog).map_err(|e| e.with_span(name.span()))?.databases;
        if !databases.contains_key(&database) {
            return Err(unknown_database(&catalog, &database, databases.keys()).with_span(name.span()));
        }
        (self.current_catalog, self.current_database) = (catalog, database);
        Ok(())
    }

    /// Every name that may stand in a FROM clause right now, for completion.
    pub fn visible_names(&self) -> BTreeSet<String> {
        let current = self.relation_names(&self.current_catalog, &self.current_database);
        let databases = self.catalogs.get(&self.current_catalog).into_iter().flat_map(|c| c.databases.keys().cloned());
        current.into_iter().chain(databases).chain(self.catalogs.keys().cloned()).collect()
    }
}

fn unknown_database<'a>(catalog: &str, name: &str, known: impl Iterator<Item = &'a String>) -> SqlError {
    let message = format!("A database with name [{name}] does not exist in the catalog: [{catalog}].");
    let error = SqlError::new("unknown-database", message);
    let near = headwater_types::config::nearest(name, known.map(String::as_str));
    near.map_or(error.clone(), |near| error.with_hint(format!("did you mean '{near}'?")))
}

/// Names of functions have no case.
pub(crate) fn function_path(ObjectPath([catalog, database, function]): ObjectPath) -> ObjectPath {
    ObjectPath([catalog, database, function.to_lowercase()])
}
