//! The other `CREATE` statements, and `DROP`.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, ParenClause, when};
use crate::ast::{
    CreateCatalog, CreateConnection, CreateDatabase, CreateFunction, CreateModel, CreateView, DropObject,
    FunctionLanguage, FunctionResource, ModelColumn, ObjectKind, ObjectScope, ViewColumn,
};

const IF_NOT_EXISTS: &str = "IF NOT EXISTS ";
const IF_EXISTS: &str = "IF EXISTS ";

/// The words before the kind, with a space behind.
impl Display for ObjectScope {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ObjectScope::Permanent => "",
            ObjectScope::Temporary => "TEMPORARY ",
            ObjectScope::TemporarySystem => "TEMPORARY SYSTEM ",
        })
    }
}

impl Display for ObjectKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

impl Display for CreateView {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let temporary = when(self.temporary, "TEMPORARY ");
        let exists = when(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "{} {temporary}VIEW {exists}{}", self.mode, self.name)?;
        if !self.columns.is_empty() {
            write!(f, " ({})", Commas(&self.columns))?;
        }
        let comment = Clause("COMMENT", self.comment.as_ref());
        write!(f, "{comment} AS {}", self.query)
    }
}

impl Display for ViewColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, Clause("COMMENT", self.comment.as_ref()))
    }
}

impl Display for CreateCatalog {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = when(self.if_not_exists, IF_NOT_EXISTS);
        let comment = Clause("COMMENT", self.comment.as_ref());
        let options = ParenClause("WITH", &self.options);
        write!(f, "CREATE CATALOG {exists}{}{comment}{options}", self.name)
    }
}

impl Display for CreateDatabase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = when(self.if_not_exists, IF_NOT_EXISTS);
        let comment = Clause("COMMENT", self.comment.as_ref());
        let options = ParenClause("WITH", &self.options);
        write!(f, "CREATE DATABASE {exists}{}{comment}{options}", self.name)
    }
}

impl Display for CreateFunction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = when(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE {}FUNCTION {exists}{}", self.scope, self.name)?;
        write!(f, " AS {}", self.identifier)?;
        write!(f, "{}", Clause("LANGUAGE", self.language.as_ref()))?;
        if !self.resources.is_empty() {
            write!(f, " USING {}", Commas(&self.resources))?;
        }
        write!(f, "{}", ParenClause("WITH", &self.options))
    }
}

impl Display for FunctionLanguage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FunctionLanguage::Java => "JAVA",
            FunctionLanguage::Scala => "SCALA",
            FunctionLanguage::Python => "PYTHON",
            FunctionLanguage::Sql => "SQL",
        })
    }
}

impl Display for FunctionResource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = if self.is_artifact { "ARTIFACT" } else { "JAR" };
        write!(f, "{kind} {}", self.uri)
    }
}

impl Display for CreateModel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let temporary = when(self.temporary, "TEMPORARY ");
        let exists = when(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE {temporary}MODEL {exists}{}", self.name)?;
        write!(f, "{}", ParenClause("INPUT", &self.inputs))?;
        write!(f, "{}", ParenClause("OUTPUT", &self.outputs))?;
        write!(f, "{}", Clause("COMMENT", self.comment.as_ref()))?;
        write!(f, "{}", ParenClause("WITH", &self.options))?;
        write!(f, "{}", Clause("AS", self.query.as_ref()))
    }
}

impl Display for ModelColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let comment = Clause("COMMENT", self.comment.as_ref());
        write!(f, "{} {}{comment}", self.name, self.data_type)
    }
}

impl Display for CreateConnection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = when(self.if_not_exists, IF_NOT_EXISTS);
        write!(f, "CREATE {}CONNECTION {exists}{}", self.scope, self.name)?;
        write!(f, "{}", Clause("COMMENT", self.comment.as_ref()))?;
        write!(f, "{}", ParenClause("WITH", &self.options))
    }
}

impl Display for DropObject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let exists = when(self.if_exists, IF_EXISTS);
        write!(f, "DROP {}{} {exists}{}", self.scope, self.object, self.name)?;
        f.write_str(match self.cascade {
            Some(true) => " CASCADE",
            Some(false) => " RESTRICT",
            None => "",
        })
    }
}
