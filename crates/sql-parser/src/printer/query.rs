//! Queries.

use std::fmt::{self, Display, Formatter};

use super::{Bare, Clause, Commas, ListClause};
use crate::ast::{
    Cte, GroupBy, GroupByItem, GroupByKind, Hint, HintArg, NamedWindow, NullsOrder, OrderByExpr, Query, Select,
    SelectItem, SetExpr, SetOperator, SortDirection, Values,
};
use crate::printer::expr::Operand;

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.with.is_empty() {
            write!(f, "WITH {} ", Commas(&self.with))?;
        }
        self.body.fmt(f)?;
        write!(f, "{}", ListClause("ORDER BY", &self.order_by))?;
        write!(f, "{}", Clause("LIMIT", self.limit.as_ref()))?;
        write!(f, "{}", Clause("OFFSET", self.offset.as_ref()))
    }
}

impl Display for Cte {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        if !self.columns.is_empty() {
            write!(f, " ({})", Commas(&self.columns))?;
        }
        write!(f, " AS ({})", self.query)
    }
}

impl Display for SetExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SetExpr::Select(select) => select.fmt(f),
            SetExpr::Values(values) => values.fmt(f),
            SetExpr::Table(name) => write!(f, "TABLE {name}"),
            SetExpr::Query(query) => write!(f, "({query})"),
            SetExpr::SetOperation { op, quantifier, left, right } => {
                write!(f, "{left} {op}")?;
                if let Some(quantifier) = quantifier {
                    write!(f, " {quantifier}")?;
                }
                write!(f, " {right}")
            }
        }
    }
}

impl Display for SetOperator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        })
    }
}

impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "VALUES {}", Commas(&self.rows))
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT")?;
        hints(f, &self.hints)?;
        if let Some(quantifier) = self.quantifier {
            write!(f, " {quantifier}")?;
        }
        write!(f, " {}", Commas(&self.projection))?;
        write!(f, "{}", ListClause("FROM", &self.from))?;
        write!(f, "{}", Clause("WHERE", self.selection.as_ref()))?;
        write!(f, "{}", Clause("GROUP BY", self.group_by.as_ref()))?;
        write!(f, "{}", Clause("HAVING", self.having.as_ref()))?;
        write!(f, "{}", ListClause("WINDOW", &self.windows))?;
        write!(f, "{}", Clause("QUALIFY", self.qualify.as_ref()))
    }
}

impl Display for SelectItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SelectItem::Expr { expr, alias } => {
                write!(f, "{expr}{}", Clause("AS", alias.as_ref()))
            }
            SelectItem::Wildcard(_) => f.write_str("*"),
            SelectItem::QualifiedWildcard { prefix, .. } => {
                write!(f, "{}.*", Operand(prefix, u8::MAX))
            }
        }
    }
}

impl Display for GroupBy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(quantifier) = self.quantifier {
            write!(f, "{quantifier} ")?;
        }
        Commas(&self.items).fmt(f)
    }
}

impl Display for GroupByItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            GroupByKind::Expr(expr) => expr.fmt(f),
            GroupByKind::Tuple(exprs) => write!(f, "({})", Commas(exprs)),
            GroupByKind::GroupingSets(items) => write!(f, "GROUPING SETS ({})", Commas(items)),
            GroupByKind::Cube(items) => write!(f, "CUBE ({})", Commas(items)),
            GroupByKind::Rollup(items) => write!(f, "ROLLUP ({})", Commas(items)),
        }
    }
}

impl Display for NamedWindow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} AS {}", self.name, self.spec)
    }
}

impl Display for OrderByExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        f.write_str(match self.direction {
            Some(SortDirection::Asc) => " ASC",
            Some(SortDirection::Desc) => " DESC",
            None => "",
        })?;
        f.write_str(match self.nulls {
            Some(NullsOrder::First) => " NULLS FIRST",
            Some(NullsOrder::Last) => " NULLS LAST",
            None => "",
        })
    }
}

/// ` /*+ hints */` if there are any.
pub(super) fn hints(f: &mut Formatter<'_>, hints: &[Hint]) -> fmt::Result {
    if hints.is_empty() {
        return Ok(());
    }
    write!(f, " /*+ {} */", Commas(hints))
}

impl Display for Hint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Bare(&self.name).fmt(f)?;
        if self.args.is_empty() {
            return Ok(());
        }
        write!(f, "({})", Commas(&self.args))
    }
}

impl Display for HintArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            HintArg::KeyValue { key, value } => write!(f, "{key} = {value}"),
            HintArg::Name(name) => name.fmt(f),
            HintArg::Literal(literal, _) => literal.fmt(f),
        }
    }
}
