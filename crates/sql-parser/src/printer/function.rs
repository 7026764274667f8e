//! Calls and windows.

use std::fmt::{self, Display, Formatter};

use super::{Bare, Commas, ListClause, separated};
use crate::ast::{
    FrameBound, FrameUnit, Function, FunctionArg, FunctionArgValue, NullTreatment, SetQuantifier, TableArg,
    TableArgSource, WindowFrame, WindowRef, WindowSpec,
};

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.name.as_single() {
            Some(ident) => Bare(ident).fmt(f)?,
            None => self.name.fmt(f)?,
        }
        if !self.parenthesised {
            return Ok(());
        }
        f.write_str("(")?;
        if let Some(quantifier) = self.quantifier {
            write!(f, "{quantifier} ")?;
        }
        write!(f, "{}", Commas(&self.args))?;
        write!(f, "{})", ListClause("ORDER BY", &self.order_by))?;
        self.suffixes(f)
    }
}

impl Function {
    fn suffixes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.null_treatment {
            Some(NullTreatment::Respect) => f.write_str(" RESPECT NULLS")?,
            Some(NullTreatment::Ignore) => f.write_str(" IGNORE NULLS")?,
            None => {}
        }
        if !self.within_group.is_empty() {
            write!(f, " WITHIN GROUP (ORDER BY {})", Commas(&self.within_group))?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " FILTER (WHERE {filter})")?;
        }
        match &self.over {
            Some(window) => write!(f, " OVER {window}"),
            None => Ok(()),
        }
    }
}

impl Display for SetQuantifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetQuantifier::All => "ALL",
            SetQuantifier::Distinct => "DISTINCT",
        })
    }
}

impl Display for FunctionArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} => ")?;
        }
        self.value.fmt(f)
    }
}

impl Display for FunctionArgValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FunctionArgValue::Expr(expr) => expr.fmt(f),
            FunctionArgValue::Star => f.write_str("*"),
            FunctionArgValue::Table(table) => table.fmt(f),
            FunctionArgValue::Descriptor(columns) => {
                write!(f, "DESCRIPTOR({})", Commas(columns))
            }
            FunctionArgValue::Model(name) => write!(f, "MODEL {name}"),
            FunctionArgValue::Default => f.write_str("DEFAULT"),
        }
    }
}

impl Display for TableArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.source {
            TableArgSource::Name(name) => write!(f, "TABLE {name}")?,
            TableArgSource::Query(query) => write!(f, "TABLE ({query})")?,
        }
        super::query::hints(f, &self.hints)?;
        if !self.partition_by.is_empty() {
            write!(f, " PARTITION BY ({})", Commas(&self.partition_by))?;
        }
        if !self.order_by.is_empty() {
            write!(f, " ORDER BY ({})", Commas(&self.order_by))?;
        }
        Ok(())
    }
}

impl Display for WindowRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            WindowRef::Named(name) => name.fmt(f),
            WindowRef::Spec(spec) => spec.fmt(f),
        }
    }
}

impl Display for WindowSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.base.as_ref().map(ToString::to_string));
        if !self.partition_by.is_empty() {
            parts.push(format!("PARTITION BY {}", Commas(&self.partition_by)));
        }
        if !self.order_by.is_empty() {
            parts.push(format!("ORDER BY {}", Commas(&self.order_by)));
        }
        parts.extend(self.frame.as_ref().map(ToString::to_string));
        f.write_str("(")?;
        separated(f, " ", &parts)?;
        f.write_str(")")
    }
}

impl Display for WindowFrame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            FrameUnit::Rows => "ROWS",
            FrameUnit::Range => "RANGE",
        };
        match &self.end {
            Some(end) => write!(f, "{unit} BETWEEN {} AND {end}", self.start),
            None => write!(f, "{unit} {}", self.start),
        }
    }
}

impl Display for FrameBound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FrameBound::UnboundedPreceding => f.write_str("UNBOUNDED PRECEDING"),
            FrameBound::Preceding(expr) => write!(f, "{} PRECEDING", bound(expr)),
            FrameBound::CurrentRow => f.write_str("CURRENT ROW"),
            FrameBound::Following(expr) => write!(f, "{} FOLLOWING", bound(expr)),
            FrameBound::UnboundedFollowing => f.write_str("UNBOUNDED FOLLOWING"),
        }
    }
}

fn bound(expr: &crate::ast::Expr) -> super::expr::Operand<'_> {
    super::expr::Operand(expr, crate::parser::power::PREDICATE)
}
