//! Catalogs as entries of a table: one for each catalog, database, table and view.

use super::{Catalogs, Described};
use headwater_sql::catalog::{Catalog, Database, Relation};
use headwater_types::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Names of catalog, database, and table or view; what is empty is not part of the place. In order: what contains comes
/// before what is in it.
pub(super) type Place = [String; 3];

/// The entries of catalogs, as JSON.
pub(super) fn of(catalogs: &Catalogs) -> Result<BTreeMap<Place, String>> {
    let mut out = BTreeMap::new();
    for (name, catalog) in catalogs {
        let own = Described { comment: catalog.comment.clone(), options: catalog.options.clone() };
        out.insert(place(name, "", ""), json(&own)?);
        for (database_name, database) in &catalog.databases {
            let own = Described { comment: database.comment.clone(), options: database.options.clone() };
            out.insert(place(name, database_name, ""), json(&own)?);
            for (relation_name, relation) in &database.relations {
                out.insert(place(name, database_name, relation_name), json(relation)?);
            }
        }
    }
    Ok(out)
}

/// The catalogs of entries.
///
/// # Errors
/// When an entry is damaged, or is in a catalog or database that there is not; it is named.
pub(super) fn assemble(entries: &BTreeMap<Place, String>) -> Result<Catalogs> {
    let mut catalogs = Catalogs::new();
    for (place, content) in entries {
        let [catalog, database, relation] = place;
        if database.is_empty() {
            let Described { comment, options } = parse(place, content)?;
            let mut new = Catalog::new(options, comment);
            if entries.keys().any(|other| other[0] == *catalog && !other[1].is_empty()) {
                new.databases.clear();
            }
            catalogs.insert(catalog.clone(), new);
            continue;
        }
        let home = catalogs.get_mut(catalog).ok_or_else(|| damaged(place, &"its catalog is missing"))?;
        if relation.is_empty() {
            let Described { comment, options } = parse(place, content)?;
            home.databases.insert(database.clone(), Database { comment, options, ..Database::default() });
            continue;
        }
        let home = home.databases.get_mut(database).ok_or_else(|| damaged(place, &"its database is missing"))?;
        let parsed: Relation = parse(place, content)?;
        home.relations.insert(relation.clone(), parsed);
    }
    Ok(catalogs)
}

fn place(catalog: &str, database: &str, relation: &str) -> Place {
    [catalog, database, relation].map(str::to_owned)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(format!("a declaration as JSON: {error}")))
}

fn parse<T: DeserializeOwned>(place: &Place, content: &str) -> Result<T> {
    serde_json::from_str(content).map_err(|error| damaged(place, &error))
}

fn damaged(place: &Place, why: &dyn std::fmt::Display) -> Error {
    let names: Vec<&str> = place.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let message = format!("the catalog store cannot read the entry '{}': {why}; mend or delete it", names.join("."));
    Error::user("catalog-store", message)
}
