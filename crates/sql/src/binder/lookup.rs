//! Where the binder finds tables and views.

use crate::SqlResult;
use crate::catalog::{CatalogManager, Relation, UserFunction};
use headwater_sql_parser::ast::ObjectName;

/// Resolves written names to relations.
pub trait RelationLookup {
    /// The current catalog and database.
    fn defaults(&self) -> [String; 2];

    /// The relation of a name of one to three parts, written where `defaults` are the current catalog and
    /// database. The error points at the name and gives the nearest existing one.
    fn resolve_in(&self, name: &ObjectName, defaults: &[String; 2]) -> SqlResult<Relation>;

    /// The function that a user declared under a name, and whether it is one of the whole session.
    fn user_function(&self, _name: &ObjectName, _defaults: &[String; 2]) -> Option<(&UserFunction, bool)> {
        None
    }
}

impl RelationLookup for CatalogManager {
    fn defaults(&self) -> [String; 2] {
        CatalogManager::defaults(self)
    }

    fn resolve_in(&self, name: &ObjectName, defaults: &[String; 2]) -> SqlResult<Relation> {
        CatalogManager::resolve_in(self, name, defaults).cloned()
    }

    fn user_function(&self, name: &ObjectName, defaults: &[String; 2]) -> Option<(&UserFunction, bool)> {
        let (function, is_system, _) = CatalogManager::user_function(self, name, defaults)?;
        Some((function, is_system))
    }
}
