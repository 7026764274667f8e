//! INTERSECT ALL and EXCEPT ALL: each row as often as both sides, or the left side alone, have it.
//!
//! ```text
//! Unnest(times copies) <- Project(times) <- Filter(times > 0) <- Aggregate(columns; SUM left, SUM right) <- Union
//! ```

use super::aggregate::column;
use super::select_list::Item;
use super::{Binder, BoundQuery, OutputColumn, Typed, plan_error};
use crate::SqlResult;
use crate::logical::Unnest;
use crate::logical::aggregate::FlinkAggregate;
use crate::logical::nodes::extension;
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::{Aggregate, Case, Expr, LogicalPlan, Operator, Projection, Union, binary_expr, lit};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::SetOperator;
use headwater_types::{LogicalType, TypeRoot};
use std::sync::Arc;

impl Binder<'_> {
    /// Both sides have columns of the same types.
    pub(super) fn counted(&self, op: SetOperator, left: BoundQuery, right: BoundQuery) -> SqlResult<BoundQuery> {
        let columns = left.columns.clone();
        let marks = [self.fresh("$left"), self.fresh("$right")];
        let left = self.marked(left, &marks, [1, 0])?;
        let right = self.marked(right, &[self.fresh("$left"), self.fresh("$right")], [0, 1])?;
        let union = Union::try_new(vec![Arc::new(left), Arc::new(right)]).map_err(plan_error)?;
        let sums = [self.fresh("$left"), self.fresh("$right")];
        let calls = marks.iter().zip(&sums).map(|(mark, sum)| {
            let udf = FlinkAggregate::udf("SUM", bigint(), vec![]);
            let call = AggregateFunction::new_udf(udf, vec![column(mark)], false, None, vec![], None);
            Expr::AggregateFunction(call).alias(sum)
        });
        let keys = columns.iter().map(|c| column(&c.unique)).collect();
        let grouped = Aggregate::try_new(Arc::new(LogicalPlan::Union(union)), keys, calls.collect());
        let grouped = LogicalPlan::Aggregate(grouped.map_err(plan_error)?);
        let (l, r) = (column(&sums[0]), column(&sums[1]));
        let times = match op {
            SetOperator::Except => binary_expr(l, Operator::Minus, r),
            _ => {
                let fewer = (Box::new(l.clone().lt(r.clone())), Box::new(l));
                Expr::Case(Case::new(None, vec![fewer], Some(Box::new(r))))
            }
        };
        let kept = super::select::filter(grouped, times.clone().gt(lit(0_i64)))?;
        self.copies(kept, columns, Typed::new(times, bigint()))
    }

    /// The query's columns with a count for each side.
    fn marked(&self, query: BoundQuery, names: &[String; 2], marks: [i64; 2]) -> SqlResult<LogicalPlan> {
        let kept = query.columns.iter().map(|c| column(&c.unique));
        let marks = names.iter().zip(marks).map(|(name, mark)| lit(mark).alias(name));
        let exprs = kept.chain(marks).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(query.plan)).map_err(plan_error)?))
    }

    /// Each row `times` times: flattened from the characters of a text of that length.
    fn copies(&self, plan: LogicalPlan, columns: Vec<OutputColumn>, times: Typed) -> SqlResult<BoundQuery> {
        let span = Span::default();
        let times = self.cast(times, &LogicalType::from(TypeRoot::Int).not_null())?;
        let text = self.call("REPEAT", vec![self.string_literal("x")?, times], span)?;
        let empty = self.literal(Value::String(String::new()), LogicalType::string().root)?;
        let collection = self.call("SPLIT", vec![text, empty], span)?;
        let added = vec![(self.fresh("$copy"), LogicalType::string())];
        let schema = Unnest::schema_over(&plan, &added).map_err(plan_error)?;
        let plan = extension(Unnest {
            input: plan,
            collection: collection.expr,
            collection_type: collection.ty,
            left: false,
            with_ordinality: false,
            added,
            schema,
        });
        let value = |c: OutputColumn| Item { value: Typed::column(&c.unique, c.ty), name: c.name, span };
        let items: Vec<Item> = columns.into_iter().map(value).collect();
        let (exprs, columns) = self.named(&items);
        let plan = Projection::try_new(exprs, Arc::new(plan)).map_err(plan_error)?;
        Ok(BoundQuery { plan: LogicalPlan::Projection(plan), columns })
    }
}

fn bigint() -> LogicalType {
    LogicalType::from(TypeRoot::BigInt).not_null()
}
