//! The columns an expression can refer to.

use super::OutputColumn;
use headwater_types::LogicalType;

/// A column in sight.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScopeColumn {
    /// Name as the user writes it.
    pub name: String,
    /// Name within the plan.
    pub unique: String,
    /// Type.
    pub ty: LogicalType,
    /// Merged away by USING or NATURAL: reachable by its table's name only, and not part of `*`.
    pub merged: bool,
}

impl From<OutputColumn> for ScopeColumn {
    fn from(column: OutputColumn) -> Self {
        Self { name: column.name, unique: column.unique, ty: column.ty, merged: false }
    }
}

/// A relation in sight.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScopeRelation {
    /// Names it answers to: the alias alone, or the parts of its path (most significant first), or nothing.
    pub path: Vec<String>,
    /// Its columns in order.
    pub columns: Vec<ScopeColumn>,
}

impl ScopeRelation {
    /// Whether `prefix` names this relation: the last parts of its path.
    pub fn answers_to(&self, prefix: &[&str]) -> bool {
        !prefix.is_empty()
            && prefix.len() <= self.path.len()
            && self.path[self.path.len() - prefix.len()..].iter().zip(prefix).all(|(own, given)| own == given)
    }

    /// The columns of a name.
    pub fn named<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s ScopeColumn> {
        let name = name.to_owned();
        self.columns.iter().filter(move |c| c.name == name)
    }
}

/// All relations of a FROM clause, and those of the enclosing query.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    /// The relations from left to right.
    pub relations: Vec<ScopeRelation>,
    /// The enclosing query's.
    pub outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    /// A scope of these relations.
    pub fn new(relations: Vec<ScopeRelation>, outer: Option<&'a Scope<'a>>) -> Self {
        Self { relations, outer }
    }

    /// The columns of `*`.
    pub fn visible(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.relations.iter().flat_map(|r| &r.columns).filter(|c| !c.merged)
    }
}
