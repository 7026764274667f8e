//! The optimiser: DataFusion's rules that keep their meaning on unbounded input, in a fixed order.
//!
//! Two phases. The first removes subqueries (`subquery` brings them into a form its rules know); its rules qualify columns with aliases, which is undone right
//! after (`unalias`), because plans have unqualified, globally unique names. The second simplifies and moves
//! filters. What is left out, and why:
//!
//! * `OptimizeProjections`, `PushDownLeafProjections`: columns are pruned in the physical plan, after equal
//!   subplans were shared;
//! * `SingleDistinctToGroupBy`, `EliminateGroupByConstant`: streaming aggregates share distinct state and must
//!   keep their window keys;
//! * `PushDownLimit`: a limit above a filter or window is not a limit below it on unbounded input;
//! * `CommonSubexprEliminate`: the evaluator shares equal subexpressions of a fused calc itself;
//! * `EliminateFilter`, `PropagateEmptyRelation`: they make relations without a source, which nothing would run;
//! * `EliminateCrossJoin`: pushing filters into joins suffices, and it would reorder inputs.

mod subquery;
mod unalias;

#[cfg(test)]
mod tests;

use datafusion_common::config::ConfigOptions;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{DFSchema, DataFusionError, ScalarValue};
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{Expr, Filter, LogicalPlan};
use datafusion_optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion_optimizer::eliminate_outer_join::EliminateOuterJoin;
use datafusion_optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion_optimizer::push_down_filter::PushDownFilter;
use datafusion_optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion_optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion_optimizer::simplify_expressions::{ExprSimplifier, SimplifyExpressions};
use datafusion_optimizer::{Optimizer, OptimizerContext, OptimizerRule};
use headwater_types::{Error, Result};
use std::sync::Arc;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// Optimises a bound plan. The columns of the result are those of the plan, by name and order.
pub fn optimize(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = subquery::arrange(plan).map_err(failed)?;
    let plan = run(subquery_rules(), plan)?;
    check_decorrelated(&plan)?;
    let plan = unalias::unalias(plan).map_err(failed)?;
    let plan = plan.transform_up(subquery::plain_groups).map_err(failed)?.data;
    let plan = run(relational_rules(), plan)?;
    Ok(plan.transform_up(without_true_filter).map_err(failed)?.data)
}

/// Refuses a plan in which a subquery is left that no rule could turn into a join.
fn check_decorrelated(plan: &LogicalPlan) -> Result<()> {
    let left = plan.exists(|node| Ok(node.expressions().iter().any(subquery::has_subquery))).map_err(failed)?;
    if !left {
        return Ok(());
    }
    Err(Error::unsupported(
        "a subquery of this form is not supported yet: conditions between a subquery and the query around it must stand \
         in the WHERE of the subquery, and be equalities where it aggregates; subqueries in ON are not supported",
    ))
}

/// Removes a filter that passes every row.
fn without_true_filter(node: LogicalPlan) -> datafusion_common::Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Filter(Filter {
            predicate: Expr::Literal(ScalarValue::Boolean(Some(true)), _), input, ..
        }) => Ok(Transformed::yes(Arc::unwrap_or_clone(input))),
        other => Ok(Transformed::no(other)),
    }
}

/// Rules that turn subqueries into joins. Scalar ones go first, because simplification may copy expressions.
fn subquery_rules() -> Vec<Rule> {
    vec![
        Arc::new(ScalarSubqueryToJoin::new()),
        Arc::new(SimplifyExpressions::new()),
        Arc::new(DecorrelatePredicateSubquery::new()),
        Arc::new(ScalarSubqueryToJoin::new()),
    ]
}

/// Rules over relational operators and expressions.
fn relational_rules() -> Vec<Rule> {
    vec![
        Arc::new(SimplifyExpressions::new()),
        Arc::new(ReplaceDistinctWithAggregate::new()),
        Arc::new(EliminateOuterJoin::new()),
        Arc::new(PushDownFilter::new()),
        Arc::new(ExtractEquijoinPredicate::new()),
        Arc::new(SimplifyExpressions::new()),
    ]
}

fn run(rules: Vec<Rule>, plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut options = ConfigOptions::default();
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    options.optimizer.skip_failed_rules = false;
    let context = OptimizerContext::new_with_config_options(Arc::new(options)).with_max_passes(3);
    Optimizer::with_rules(rules).optimize(plan, &context, |_, _| {}).map_err(failed)
}

fn failed(error: DataFusionError) -> Error {
    Error::internal(format!("the plan could not be optimised: {}", error.strip_backtrace()))
}

/// The value of an expression without columns, when it can be computed now.
pub fn fold_constant(expr: Expr) -> Option<ScalarValue> {
    let context = SimplifyContext::builder().with_schema(Arc::new(DFSchema::empty())).build();
    match ExprSimplifier::new(context).simplify(expr).ok()? {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}
