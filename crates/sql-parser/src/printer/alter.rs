//! `ALTER`.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, ParenClause, separated, when};
use crate::ast::{
    Alter, AlterMaterializedTableAction, AlterOptions, AlterTableAction, ColumnPosition, NewPartition, PartitionSpec,
    PartitionValue, SchemaElement,
};

const IF_EXISTS: &str = "IF EXISTS ";

impl Display for Alter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Alter::Table { if_exists, name, action } => {
                write!(f, "ALTER TABLE {}{name} {action}", when(*if_exists, IF_EXISTS))
            }
            Alter::MaterializedTable { name, action } => {
                write!(f, "ALTER MATERIALIZED TABLE {name} {action}")
            }
            Alter::RenameView { name, to } => write!(f, "ALTER VIEW {name} RENAME TO {to}"),
            Alter::ViewQuery { name, query } => write!(f, "ALTER VIEW {name} AS {query}"),
            Alter::Database { name, options } => {
                write!(f, "ALTER DATABASE {name} SET ({})", Commas(options))
            }
            Alter::Catalog { name, action } => write!(f, "ALTER CATALOG {name} {action}"),
            Alter::Function { scope, if_exists, name, identifier, language } => {
                let exists = when(*if_exists, IF_EXISTS);
                let language = Clause("LANGUAGE", language.as_ref());
                write!(f, "ALTER {scope}FUNCTION {exists}{name} AS {identifier}{language}")
            }
            Alter::Model { if_exists, name, action } => {
                write!(f, "ALTER MODEL {}{name} {action}", when(*if_exists, IF_EXISTS))
            }
            Alter::Connection { if_exists, name, action } => {
                write!(f, "ALTER CONNECTION {}{name} {action}", when(*if_exists, IF_EXISTS))
            }
        }
    }
}

impl Display for AlterOptions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            AlterOptions::Set(options) => write!(f, "SET ({})", Commas(options)),
            AlterOptions::Reset(keys) => write!(f, "RESET ({})", Commas(keys)),
            AlterOptions::Comment(comment) => write!(f, "COMMENT {comment}"),
            AlterOptions::Rename(to) => write!(f, "RENAME TO {to}"),
        }
    }
}

impl Display for AlterTableAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            AlterTableAction::Rename(to) => write!(f, "RENAME TO {to}"),
            AlterTableAction::RenameColumn { from, to } => write!(f, "RENAME {from} TO {to}"),
            AlterTableAction::SetOptions(options) => write!(f, "SET ({})", Commas(options)),
            AlterTableAction::ResetOptions(keys) => write!(f, "RESET ({})", Commas(keys)),
            AlterTableAction::Add(elements) => write!(f, "ADD ({})", Commas(elements)),
            AlterTableAction::Modify(elements) => write!(f, "MODIFY ({})", Commas(elements)),
            AlterTableAction::DropColumns(columns) => write!(f, "DROP ({})", Commas(columns)),
            AlterTableAction::DropPrimaryKey => f.write_str("DROP PRIMARY KEY"),
            AlterTableAction::DropConstraint(name) => write!(f, "DROP CONSTRAINT {name}"),
            AlterTableAction::DropWatermark => f.write_str("DROP WATERMARK"),
            AlterTableAction::DropDistribution => f.write_str("DROP DISTRIBUTION"),
            AlterTableAction::AddPartitions { if_not_exists, partitions } => {
                write!(f, "ADD {}", when(*if_not_exists, "IF NOT EXISTS "))?;
                separated(f, " ", partitions)
            }
            AlterTableAction::DropPartitions { if_exists, partitions } => {
                write!(f, "DROP {}{}", when(*if_exists, IF_EXISTS), Commas(partitions))
            }
        }
    }
}

impl Display for SchemaElement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SchemaElement::Column { column, position } => {
                column.fmt(f)?;
                match position {
                    Some(ColumnPosition::First) => f.write_str(" FIRST"),
                    Some(ColumnPosition::After(name)) => write!(f, " AFTER {name}"),
                    None => Ok(()),
                }
            }
            SchemaElement::Constraint(constraint) => constraint.fmt(f),
            SchemaElement::Watermark(watermark) => watermark.fmt(f),
            SchemaElement::Distribution(distribution) => write!(f, "DISTRIBUTION {distribution}"),
        }
    }
}

impl Display for NewPartition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.spec, ParenClause("WITH", &self.options))
    }
}

impl Display for PartitionSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "PARTITION ({})", Commas(&self.0))
    }
}

impl Display for PartitionValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.column, Clause("=", self.value.as_ref()))
    }
}

impl Display for AlterMaterializedTableAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            AlterMaterializedTableAction::Suspend => f.write_str("SUSPEND"),
            AlterMaterializedTableAction::Resume(options) => {
                write!(f, "RESUME{}", ParenClause("WITH", options))
            }
            AlterMaterializedTableAction::Refresh(None) => f.write_str("REFRESH"),
            AlterMaterializedTableAction::Refresh(Some(spec)) => write!(f, "REFRESH {spec}"),
            AlterMaterializedTableAction::Query(query) => write!(f, "AS {query}"),
            AlterMaterializedTableAction::Table(action) => action.fmt(f),
        }
    }
}
