//! Mark joins: EXISTS and IN where their value is part of a larger condition.

use super::super::Lowering;
use super::super::calc::Output;
use super::super::relation::Relation;
use datafusion_expr::JoinType;
use datafusion_expr::logical_plan::Join;
use headwater_plan::{Expr, Value};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

impl Lowering<'_> {
    /// The left rows with a match, marked true, and those without one, marked false: a semi and an anti join over
    /// the same inputs. A row moves between them as its matches come and go.
    pub(super) fn mark_join(&mut self, join: &Join) -> Result<Relation> {
        let mark = join.schema.fields().last().ok_or_else(|| Error::internal("a mark join without a mark"))?;
        let mut producers = vec![];
        let mut columns = vec![];
        for (join_type, value) in [(JoinType::LeftSemi, true), (JoinType::LeftAnti, false)] {
            let rows = self.join(&Join { join_type, ..join.clone() })?;
            let rows = self.flat(rows)?;
            let mut outputs = self.pass_through(&Relation { window: None, ..rows.clone() });
            let literal =
                Expr::Literal { value: Value::Boolean(value), ty: LogicalType::new(TypeRoot::Boolean, false) };
            outputs.push((mark.name().clone(), Output::Expr(literal)));
            let marked = self.calc(Relation { window: None, ..rows }, None, outputs)?;
            columns = marked.columns;
            producers.extend(marked.producers);
        }
        Ok(Relation { producers, columns, window: None })
    }
}
