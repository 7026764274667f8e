//! `CREATE TABLE` and its parts.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, ParenClause, separated, when};
use crate::ast::{
    ColumnDef, ColumnKind, ConstraintKind, CreateMaterializedTable, CreateMode, CreateTable, Distribution,
    DistributionKind, LikeFeature, LikeOption, LikeStrategy, RefreshMode, StartMode, TableConstraint, TableLike,
    TableSchema, WatermarkDef,
};

impl Display for CreateMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CreateMode::Create => "CREATE",
            CreateMode::Replace => "REPLACE",
            CreateMode::CreateOrReplace => "CREATE OR REPLACE",
        })
    }
}

impl Display for CreateTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let temporary = when(self.temporary, " TEMPORARY");
        let exists = when(self.if_not_exists, " IF NOT EXISTS");
        write!(f, "{}{temporary} TABLE{exists} {}", self.mode, self.name)?;
        write!(f, "{}", self.schema)?;
        write!(f, "{}", Clause("COMMENT", self.comment.as_ref()))?;
        write!(f, "{}", Clause("DISTRIBUTED", self.distribution.as_ref()))?;
        write!(f, "{}", ParenClause("PARTITIONED BY", &self.partitioned_by))?;
        write!(f, "{}", Clause("USING CONNECTION", self.connection.as_ref()))?;
        write!(f, "{}", ParenClause("WITH", &self.options))?;
        write!(f, "{}", Clause("LIKE", self.like.as_ref()))?;
        write!(f, "{}", Clause("AS", self.query.as_ref()))
    }
}

/// ` (columns, watermarks, constraints)`, nothing when empty.
impl Display for TableSchema {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        let mut elements: Vec<&dyn Display> = Vec::new();
        elements.extend(self.columns.iter().map(|column| column as &dyn Display));
        elements.extend(self.watermarks.iter().map(|item| item as &dyn Display));
        elements.extend(self.constraints.iter().map(|item| item as &dyn Display));
        f.write_str(" (")?;
        separated(f, ", ", &elements)?;
        f.write_str(")")
    }
}

impl Display for ColumnDef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.kind)?;
        write!(f, "{}", Clause("COMMENT", self.comment.as_ref()))
    }
}

impl Display for ColumnKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ColumnKind::Physical { data_type, constraint } => {
                write!(f, " {data_type}")?;
                constraint.iter().try_for_each(|item| write!(f, " {item}"))
            }
            ColumnKind::Metadata { data_type, key, is_virtual } => {
                let from = Clause("FROM", key.as_ref());
                let is_virtual = when(*is_virtual, " VIRTUAL");
                write!(f, " {data_type} METADATA{from}{is_virtual}")
            }
            ColumnKind::Computed(expr) => write!(f, " AS {expr}"),
            ColumnKind::NameOnly => Ok(()),
        }
    }
}

impl Display for WatermarkDef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "WATERMARK FOR {} AS {}", self.column, self.expr)
    }
}

impl Display for TableConstraint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "CONSTRAINT {name} ")?;
        }
        f.write_str(match self.kind {
            ConstraintKind::PrimaryKey => "PRIMARY KEY",
            ConstraintKind::Unique => "UNIQUE",
        })?;
        if !self.columns.is_empty() {
            write!(f, " ({})", Commas(&self.columns))?;
        }
        f.write_str(match self.enforced {
            Some(true) => " ENFORCED",
            Some(false) => " NOT ENFORCED",
            None => "",
        })
    }
}

/// Without the word `DISTRIBUTED`.
impl Display for Distribution {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.columns.is_empty() {
            let kind = match self.kind {
                Some(DistributionKind::Hash) => "HASH",
                Some(DistributionKind::Range) => "RANGE",
                None => "",
            };
            write!(f, "BY {kind}({})", Commas(&self.columns))?;
        }
        let space = when(!self.columns.is_empty(), " ");
        match self.buckets {
            Some(buckets) => write!(f, "{space}INTO {buckets} BUCKETS"),
            None => Ok(()),
        }
    }
}

impl Display for TableLike {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)?;
        if self.options.is_empty() {
            return Ok(());
        }
        f.write_str(" (")?;
        separated(f, " ", &self.options)?;
        f.write_str(")")
    }
}

impl Display for LikeOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let strategy = match self.strategy {
            LikeStrategy::Including => "INCLUDING",
            LikeStrategy::Excluding => "EXCLUDING",
            LikeStrategy::Overwriting => "OVERWRITING",
        };
        let feature = match self.feature {
            LikeFeature::All => "ALL",
            LikeFeature::Constraints => "CONSTRAINTS",
            LikeFeature::Distribution => "DISTRIBUTION",
            LikeFeature::Generated => "GENERATED",
            LikeFeature::Metadata => "METADATA",
            LikeFeature::Options => "OPTIONS",
            LikeFeature::Partitions => "PARTITIONS",
            LikeFeature::Watermarks => "WATERMARKS",
        };
        write!(f, "{strategy} {feature}")
    }
}

impl Display for CreateMaterializedTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let or_alter = when(self.or_alter, " OR ALTER");
        let exists = when(self.if_not_exists, " IF NOT EXISTS");
        write!(f, "CREATE{or_alter} MATERIALIZED TABLE{exists} {}", self.name)?;
        write!(f, "{}", self.schema)?;
        write!(f, "{}", Clause("COMMENT", self.comment.as_ref()))?;
        write!(f, "{}", Clause("DISTRIBUTED", self.distribution.as_ref()))?;
        write!(f, "{}", ParenClause("PARTITIONED BY", &self.partitioned_by))?;
        write!(f, "{}", ParenClause("WITH", &self.options))?;
        write!(f, "{}", Clause("START_MODE =", self.start_mode.as_ref()))?;
        write!(f, "{}", Clause("FRESHNESS =", self.freshness.as_ref()))?;
        write!(f, "{}", Clause("REFRESH_MODE =", self.refresh_mode.as_ref()))?;
        write!(f, " AS {}", self.query)
    }
}

impl Display for RefreshMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RefreshMode::Continuous => "CONTINUOUS",
            RefreshMode::Full => "FULL",
        })
    }
}

impl Display for StartMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        match &self.argument {
            Some(argument) => write!(f, "({argument})"),
            None => Ok(()),
        }
    }
}
