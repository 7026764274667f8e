//! From DataFusion expressions to plan expressions.

use crate::logical::types::{expression_type, from_arrow};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::InList;
use datafusion_expr::{BinaryExpr, Case, Expr as DfExpr, Operator};
use headwater_expressions::udf::{self, Target};
use headwater_expressions::{ExprContext, value};
use headwater_plan::{Expr, Value};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// Finds the position and type of a column by its unique name.
pub type Resolve<'a> = dyn Fn(&str) -> Option<(usize, LogicalType)> + 'a;

/// Lowers an expression whose columns `resolve` knows.
pub fn lower(expr: &DfExpr, resolve: &Resolve<'_>) -> Result<Expr> {
    match expr {
        DfExpr::Column(column) => match resolve(&column.name) {
            Some((index, ty)) => Ok(Expr::Column { index, ty }),
            None => Err(Error::internal(format!("column {} is not in scope", column.name))),
        },
        DfExpr::Alias(alias) => lower(&alias.expr, resolve),
        DfExpr::Literal(scalar, _) => literal(scalar),
        DfExpr::BinaryExpr(binary) => lower_binary(binary, resolve),
        DfExpr::Not(inner) => call("NOT", vec![lower(inner, resolve)?], None),
        DfExpr::IsNull(inner) => call("IS NULL", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsNotNull(inner) => call("IS NOT NULL", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsTrue(inner) => call("IS TRUE", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsFalse(inner) => call("IS FALSE", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsUnknown(inner) => call("IS UNKNOWN", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsNotTrue(inner) => call("IS NOT TRUE", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsNotFalse(inner) => call("IS NOT FALSE", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::IsNotUnknown(inner) => call("IS NOT UNKNOWN", vec![lower(inner, resolve)?], Some(false)),
        DfExpr::Between(between) => lower_between(between, resolve),
        DfExpr::InList(list) => lower_in_list(list, resolve),
        DfExpr::Case(case) => lower_case(case, resolve),
        DfExpr::ScalarFunction(function) => lower_function(function, resolve),
        DfExpr::Cast(cast) => lower_cast(&cast.expr, from_arrow(cast.field.data_type()), false, resolve),
        DfExpr::TryCast(cast) => lower_cast(&cast.expr, from_arrow(cast.field.data_type()), true, resolve),
        other => Err(Error::unsupported(format!("the expression {other} is not supported here yet"))),
    }
}

/// The value of an expression without columns, as a value of type `ty`.
pub fn constant(expr: &DfExpr, ty: &LogicalType, context: &ExprContext) -> Result<Value> {
    let lowered = lower(expr, &|_| None)?;
    if let Expr::Literal { value, .. } = lowered {
        return Ok(value);
    }
    let typed = Expr::Cast { input: Box::new(lowered.clone()), ty: ty.clone(), try_cast: false };
    let expr = if lowered.ty().same_root(ty) { &lowered } else { &typed };
    headwater_expressions::evaluate_constant(expr, context)
}

fn literal(scalar: &ScalarValue) -> Result<Expr> {
    let ty = from_arrow(&scalar.data_type()).with_nullable(scalar.is_null());
    let array = scalar.to_array().map_err(|e| Error::internal(format!("a literal could not be read: {e}")))?;
    let value = value::value_at(array.as_ref(), 0, &ty)?;
    Ok(Expr::Literal { value, ty })
}

fn boolean(nullable: bool) -> LogicalType {
    LogicalType::new(TypeRoot::Boolean, nullable)
}

/// A call of a Boolean function; nullable as its arguments unless told.
fn call(function: &str, args: Vec<Expr>, nullable: Option<bool>) -> Result<Expr> {
    let nullable = nullable.unwrap_or_else(|| args.iter().any(|a| a.ty().nullable));
    Ok(Expr::Call { function: function.to_owned(), args, ty: boolean(nullable) })
}

fn lower_binary(binary: &BinaryExpr, resolve: &Resolve<'_>) -> Result<Expr> {
    if matches!(binary.op, Operator::And | Operator::Or) {
        return lower_connective(binary, resolve);
    }
    let args = vec![lower(&binary.left, resolve)?, lower(&binary.right, resolve)?];
    let function = match binary.op {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        Operator::IsDistinctFrom => return call("IS DISTINCT FROM", args, Some(false)),
        Operator::IsNotDistinctFrom => return call("IS NOT DISTINCT FROM", args, Some(false)),
        op @ (Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo) => {
            let nullable = args.iter().any(|a| a.ty().nullable);
            let ty = args[0].ty().with_nullable(nullable);
            return Ok(Expr::Call { function: op.to_string(), args, ty });
        }
        other => return Err(Error::unsupported(format!("the operator {other} is not supported here yet"))),
    };
    call(function, args, None)
}

/// A chain of one connective becomes one node, without recursion along the chain.
fn lower_connective(binary: &BinaryExpr, resolve: &Resolve<'_>) -> Result<Expr> {
    let mut operands = vec![];
    let mut pending = vec![binary.right.as_ref(), binary.left.as_ref()];
    while let Some(expr) = pending.pop() {
        match expr {
            DfExpr::BinaryExpr(inner) if inner.op == binary.op => {
                pending.push(&inner.right);
                pending.push(&inner.left);
            }
            other => operands.push(lower(other, resolve)?),
        }
    }
    Ok(if binary.op == Operator::And { Expr::And(operands) } else { Expr::Or(operands) })
}

fn lower_between(between: &datafusion_expr::Between, resolve: &Resolve<'_>) -> Result<Expr> {
    let value = lower(&between.expr, resolve)?;
    let low = call(">=", vec![value.clone(), lower(&between.low, resolve)?], None)?;
    let high = call("<=", vec![value, lower(&between.high, resolve)?], None)?;
    let both = Expr::And(vec![low, high]);
    if between.negated { call("NOT", vec![both], None) } else { Ok(both) }
}

fn lower_in_list(list: &InList, resolve: &Resolve<'_>) -> Result<Expr> {
    let input = lower(&list.expr, resolve)?;
    let items = list.list.iter().map(|e| lower(e, resolve)).collect::<Result<Vec<_>>>()?;
    if items.iter().all(|e| matches!(e, Expr::Literal { .. })) {
        return Ok(Expr::InList { input: Box::new(input), list: items, negated: list.negated });
    }
    let equals = items.into_iter().map(|e| call("=", vec![input.clone(), e], None)).collect::<Result<Vec<_>>>()?;
    let any = Expr::Or(equals);
    if list.negated { call("NOT", vec![any], None) } else { Ok(any) }
}

fn lower_case(case: &Case, resolve: &Resolve<'_>) -> Result<Expr> {
    let ty = expression_type(&DfExpr::Case(case.clone()), &|name| resolve(name).map(|(_, t)| t))?;
    let operand = case.expr.as_deref().map(|e| lower(e, resolve)).transpose()?;
    let mut branches = Vec::with_capacity(case.when_then_expr.len());
    for (when, then) in &case.when_then_expr {
        let when = lower(when, resolve)?;
        let condition = match &operand {
            Some(operand) => call("=", vec![operand.clone(), when], None)?,
            None => when,
        };
        branches.push((condition, retyped_null(lower(then, resolve)?, &ty)));
    }
    let otherwise = case.else_expr.as_deref().map(|e| lower(e, resolve)).transpose()?;
    let otherwise = otherwise.map(|e| Box::new(retyped_null(e, &ty)));
    Ok(Expr::Case { branches, otherwise, ty })
}

/// A NULL literal takes the type of its context.
fn retyped_null(expr: Expr, ty: &LogicalType) -> Expr {
    match expr {
        Expr::Literal { value: Value::Null, .. } => {
            Expr::Literal { value: Value::Null, ty: ty.clone().with_nullable(true) }
        }
        other => other,
    }
}

fn lower_cast(input: &DfExpr, ty: LogicalType, try_cast: bool, resolve: &Resolve<'_>) -> Result<Expr> {
    Ok(Expr::Cast { input: Box::new(lower(input, resolve)?), ty, try_cast })
}

fn lower_function(function: &datafusion_expr::expr::ScalarFunction, resolve: &Resolve<'_>) -> Result<Expr> {
    let Some(bound) = udf::downcast(&function.func) else {
        return Err(Error::internal(format!("{} is not a function of Flink", function.func.name())));
    };
    let args = function.args.iter().map(|a| lower(a, resolve)).collect::<Result<Vec<_>>>()?;
    let typed = |(arg, ty): (Expr, &LogicalType)| literal_as(arg, ty);
    let mut args: Vec<Expr> = args.into_iter().zip(bound.arg_types()).map(typed).collect();
    let ty = bound.return_type().clone();
    Ok(match bound.target() {
        Target::Function(f) => Expr::Call { function: f.name.to_owned(), args, ty },
        Target::Cast { try_cast } => Expr::Cast { input: Box::new(args.remove(0)), ty, try_cast },
        Target::Field { index } => Expr::Field { input: Box::new(args.remove(0)), index, ty },
    })
}

/// Gives a literal back the exact Flink type that the call was bound with, which Arrow does not hold.
fn literal_as(arg: Expr, ty: &LogicalType) -> Expr {
    match arg {
        Expr::Literal { value, ty: had } if headwater_data::arrow_type(&had) == headwater_data::arrow_type(ty) => {
            Expr::Literal { value, ty: ty.clone() }
        }
        Expr::Literal { value: Value::Null, .. } => Expr::Literal { value: Value::Null, ty: ty.clone() },
        other => other,
    }
}
