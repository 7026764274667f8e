//! CASE.

use super::super::{Binder, Typed};
use super::compare::disjunction;
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use datafusion_expr::{Case, Expr, Operator};
use headwater_functions::types::least_restrictive;
use headwater_plan::Value;
use headwater_sql_parser::ast;
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};

impl Binder<'_> {
    /// A CASE as a searched one, all results in their common type.
    pub(super) fn case(&self, case: &ast::Case, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let operand = case.operand.as_ref().map(|o| self.expr(o, env)).transpose()?;
        let mut conditions = Vec::with_capacity(case.branches.len());
        let mut results = Vec::with_capacity(case.branches.len() + 1);
        for branch in &case.branches {
            conditions.push(self.branch_condition(operand.as_ref(), branch, env)?);
            results.push((self.expr(&branch.result, env)?, branch.result.span));
        }
        match &case.otherwise {
            Some(otherwise) => results.push((self.expr(otherwise, env)?, otherwise.span)),
            None => results.push((self.literal(Value::Null, TypeRoot::Null)?, case.branches[0].result.span)),
        }
        let ty = case_type(&results)?;
        let mut values = Vec::with_capacity(results.len());
        for (result, _) in results {
            values.push(Box::new(self.cast(result, &ty)?.expr));
        }
        let otherwise = values.pop();
        let branches = conditions.into_iter().map(|c| Box::new(c.expr)).zip(values).collect();
        Ok(Typed::new(Expr::Case(Case::new(None, branches, otherwise)), ty))
    }

    fn branch_condition(
        &self,
        operand: Option<&Typed>,
        branch: &ast::CaseBranch,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let condition = |written: &ast::Expr| match operand {
            None => self.condition(written, env),
            Some(operand) => {
                let value = self.expr(written, env)?;
                self.compare(operand.clone(), Operator::Eq, value, written.span)
            }
        };
        let conditions = branch.conditions.iter().map(condition).collect::<SqlResult<Vec<_>>>()?;
        Ok(disjunction(conditions))
    }
}

/// The common type of the results of a CASE.
fn case_type(results: &[(Typed, headwater_sql_parser::Span)]) -> SqlResult<LogicalType> {
    let types: Vec<_> = results.iter().map(|(r, _)| r.ty.clone()).collect();
    if types.iter().all(|t| t.root == TypeRoot::Null) {
        return Ok(TypeRoot::Null.into());
    }
    if let Some(ty) = least_restrictive(&types) {
        return Ok(ty.with_time_attribute(TimeAttribute::None));
    }
    let odd = (2..=types.len()).find(|n| least_restrictive(&types[..*n]).is_none()).unwrap_or(types.len());
    let before = least_restrictive(&types[..odd - 1]).unwrap_or_else(|| types[0].clone());
    let message = format!("the results of CASE have no common type: {} after {before}", types[odd - 1]);
    Err(SqlError::at("no-common-type", message, results[odd - 1].1))
}
