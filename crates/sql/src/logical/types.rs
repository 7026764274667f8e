//! Flink's types of a logical plan, derived bottom-up.

use super::{
    Expand, FromChangelog, InlineValues, MatchRecognize, Over, Rank, Scan, Snapshot, StateTtl, ToChangelog, Unnest,
    WatermarkAssigner, WindowTvf,
};
use crate::logical::aggregate::FlinkAggregate;
use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::{Expr, JoinType, LogicalPlan};
use headwater_types::{Error, LogicalType, Result, RowField, TimeAttribute, TypeRoot};

/// The types of a plan's output columns, in schema order.
pub fn column_types(plan: &LogicalPlan) -> Result<Vec<LogicalType>> {
    match plan {
        LogicalPlan::Projection(p) => expression_types(&p.expr, &p.input),
        LogicalPlan::Filter(f) => column_types(&f.input),
        LogicalPlan::Sort(s) => column_types(&s.input),
        LogicalPlan::Limit(l) => column_types(&l.input),
        LogicalPlan::Distinct(d) => column_types(d.input()),
        LogicalPlan::Union(u) => union_types(u.inputs.iter().map(AsRef::as_ref)),
        LogicalPlan::Join(j) => join_types(&column_types(&j.left)?, &column_types(&j.right)?, j.join_type),
        LogicalPlan::Aggregate(a) => {
            let exprs: Vec<Expr> = a.group_expr.iter().chain(&a.aggr_expr).cloned().collect();
            expression_types(&exprs, &a.input)
        }
        LogicalPlan::Extension(e) => extension_types(e.node.as_ref()),
        LogicalPlan::EmptyRelation(e) => Ok(e.schema.fields().iter().map(|f| from_arrow(f.data_type())).collect()),
        other => Err(Error::unsupported(format!("{} is not supported yet", other.display()))),
    }
}

/// The type of a plan's column, by unique name.
pub fn column_type(plan: &LogicalPlan, name: &str) -> Result<LogicalType> {
    let index = plan.schema().index_of_column_by_name(None, name);
    let index = index.ok_or_else(|| Error::internal(format!("the plan has no column {name}")))?;
    Ok(column_types(plan)?.swap_remove(index))
}

fn expression_types(exprs: &[Expr], input: &LogicalPlan) -> Result<Vec<LogicalType>> {
    let types = column_types(input)?;
    let lookup = |name: &str| input.schema().index_of_column_by_name(None, name).map(|i| types[i].clone());
    exprs.iter().map(|e| expression_type(e, &lookup)).collect()
}

/// The type of an expression, given the types of columns by unique name.
pub fn expression_type(expr: &Expr, lookup: &dyn Fn(&str) -> Option<LogicalType>) -> Result<LogicalType> {
    match expr {
        Expr::Column(c) => lookup(&c.name).ok_or_else(|| Error::internal(format!("unknown column {}", c.name))),
        Expr::Alias(a) => expression_type(&a.expr, lookup),
        Expr::Literal(value, _) => Ok(from_arrow(&value.data_type()).with_nullable(value.is_null())),
        Expr::ScalarFunction(call) => match headwater_expressions::udf::downcast(&call.func) {
            Some(function) => Ok(function.return_type().clone()),
            None => Err(Error::internal(format!("{} is not a function of Flink", call.func.name()))),
        },
        Expr::AggregateFunction(AggregateFunction { func, .. }) => match FlinkAggregate::downcast(func) {
            Some(function) => Ok(function.return_type.clone()),
            None => Err(Error::internal(format!("{} is not an aggregate of Flink", func.name()))),
        },
        Expr::Case(case) => case_type(case, lookup),
        Expr::Cast(cast) => Ok(from_arrow(cast.field.data_type())),
        Expr::TryCast(cast) => Ok(from_arrow(cast.field.data_type())),
        Expr::ScalarSubquery(subquery) => Ok(column_types(&subquery.subquery)?.swap_remove(0).with_nullable(true)),
        Expr::OuterReferenceColumn(field, _) => Ok(from_arrow(field.data_type())),
        Expr::BinaryExpr(binary) if is_arithmetic(binary.op) => expression_type(&binary.left, lookup),
        Expr::Negative(inner) => expression_type(inner, lookup),
        Expr::IsNull(_) | Expr::IsNotNull(_) => Ok(LogicalType::new(TypeRoot::Boolean, false)),
        _ => Ok(TypeRoot::Boolean.into()),
    }
}

fn is_arithmetic(op: datafusion_expr::Operator) -> bool {
    use datafusion_expr::Operator::{Divide, Minus, Modulo, Multiply, Plus};
    matches!(op, Plus | Minus | Multiply | Divide | Modulo)
}

fn case_type(case: &datafusion_expr::Case, lookup: &dyn Fn(&str) -> Option<LogicalType>) -> Result<LogicalType> {
    let results = case.when_then_expr.iter().map(|(_, then)| then).chain(case.else_expr.as_ref());
    let types = results.map(|e| expression_type(e, lookup)).collect::<Result<Vec<_>>>()?;
    let nullable = case.else_expr.is_none() || types.iter().any(|t| t.nullable);
    let known = types.iter().find(|t| t.root != TypeRoot::Null).unwrap_or(&types[0]);
    Ok(known.clone().with_time_attribute(TimeAttribute::None).with_nullable(nullable))
}

fn union_types<'a>(inputs: impl Iterator<Item = &'a LogicalPlan>) -> Result<Vec<LogicalType>> {
    let mut merged: Option<Vec<LogicalType>> = None;
    for input in inputs {
        let types = column_types(input)?;
        merged = Some(match merged {
            None => types,
            Some(seen) => seen.into_iter().zip(types).map(|(a, b)| merge_union(a, &b)).collect(),
        });
    }
    merged.ok_or_else(|| Error::internal("a union without inputs"))
}

/// A time attribute survives a union only when every input has it.
fn merge_union(a: LogicalType, b: &LogicalType) -> LogicalType {
    let nullable = a.nullable || b.nullable;
    let keeps = a.time_attribute() == b.time_attribute();
    let a = if keeps { a } else { a.with_time_attribute(TimeAttribute::None) };
    a.with_nullable(nullable)
}

fn join_types(left: &[LogicalType], right: &[LogicalType], kind: JoinType) -> Result<Vec<LogicalType>> {
    let padded = |types: &[LogicalType], pad: bool| -> Vec<LogicalType> {
        types.iter().map(|t| if pad { t.clone().with_nullable(true) } else { t.clone() }).collect()
    };
    let both = |l: bool, r: bool| Ok([padded(left, l), padded(right, r)].concat());
    match kind {
        JoinType::Inner => both(false, false),
        JoinType::Left => both(false, true),
        JoinType::Right => both(true, false),
        JoinType::Full => both(true, true),
        JoinType::LeftSemi | JoinType::LeftAnti => Ok(left.to_vec()),
        JoinType::RightSemi | JoinType::RightAnti => Ok(right.to_vec()),
        JoinType::LeftMark => Ok([left.to_vec(), vec![TypeRoot::Boolean.into()]].concat()),
        JoinType::RightMark => Ok([right.to_vec(), vec![TypeRoot::Boolean.into()]].concat()),
    }
}

fn extension_types(node: &dyn datafusion_expr::UserDefinedLogicalNode) -> Result<Vec<LogicalType>> {
    let any = node.as_any();
    if let Some(scan) = any.downcast_ref::<Scan>() {
        return Ok(scan.columns.iter().map(|(_, c)| c.ty.clone()).collect());
    }
    if let Some(values) = any.downcast_ref::<InlineValues>() {
        return Ok(values.columns.iter().map(|(_, t)| t.clone()).collect());
    }
    if let Some(assigner) = any.downcast_ref::<WatermarkAssigner>() {
        return watermark_types(assigner);
    }
    if let Some(tvf) = any.downcast_ref::<WindowTvf>() {
        return Ok([column_types(&tvf.input)?, WindowTvf::output_types(&tvf.time_type).to_vec()].concat());
    }
    if let Some(expand) = any.downcast_ref::<Expand>() {
        return Ok(expand.columns.iter().map(|(_, t)| t.clone()).collect());
    }
    if let Some(rank) = any.downcast_ref::<Rank>() {
        return Ok([column_types(&rank.input)?, vec![Rank::output_type()]].concat());
    }
    if let Some(unnest) = any.downcast_ref::<Unnest>() {
        let added = unnest.added.iter().map(|(_, t)| t.clone()).collect();
        return Ok([column_types(&unnest.input)?, added].concat());
    }
    if let Some(over) = any.downcast_ref::<Over>() {
        let added = over.calls.iter().map(|c| c.ty.clone()).collect();
        return Ok([column_types(&over.input)?, added].concat());
    }
    if let Some(hint) = any.downcast_ref::<StateTtl>() {
        return column_types(&hint.input);
    }
    if let Some(snapshot) = any.downcast_ref::<Snapshot>() {
        return column_types(&snapshot.input);
    }
    if let Some(codes) = any.downcast_ref::<ToChangelog>() {
        return Ok(types_of(codes.columns()?));
    }
    if let Some(codes) = any.downcast_ref::<FromChangelog>() {
        return Ok(types_of(codes.columns()?));
    }
    if let Some(pattern) = any.downcast_ref::<MatchRecognize>() {
        return Ok(types_of(pattern.columns.clone()));
    }
    Err(Error::internal(format!("unknown plan node {}", node.name())))
}

fn types_of(columns: Vec<super::nodes::NamedType>) -> Vec<LogicalType> {
    columns.into_iter().map(|(_, ty)| ty).collect()
}

fn watermark_types(assigner: &WatermarkAssigner) -> Result<Vec<LogicalType>> {
    let mut types = column_types(&assigner.input)?;
    let schema = assigner.input.schema();
    let index = schema.index_of_column_by_name(None, &assigner.rowtime);
    let index = index.ok_or_else(|| Error::internal(format!("unknown rowtime column {}", assigner.rowtime)))?;
    types[index] = types[index].clone().with_time_attribute(TimeAttribute::Rowtime);
    Ok(types)
}

/// The widest Flink type of an Arrow type: for values that optimiser rules made and whose declared Flink
/// type is gone (folded literals).
pub fn from_arrow(data_type: &DataType) -> LogicalType {
    let root = match data_type {
        DataType::Boolean => TypeRoot::Boolean,
        DataType::Int8 => TypeRoot::TinyInt,
        DataType::Int16 => TypeRoot::SmallInt,
        DataType::Int32 => TypeRoot::Int,
        DataType::Int64 => TypeRoot::BigInt,
        DataType::Float32 => TypeRoot::Float,
        DataType::Float64 => TypeRoot::Double,
        DataType::Decimal128(p, s) => TypeRoot::Decimal(*p, *s as u8),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => LogicalType::string().root,
        DataType::Binary => TypeRoot::VarBinary(headwater_types::logical_type::LENGTH_MAX),
        DataType::Date32 => TypeRoot::Date,
        DataType::Time32(_) => TypeRoot::Time(3),
        DataType::Timestamp(unit, None) => TypeRoot::Timestamp(precision(unit), TimeAttribute::None),
        DataType::Timestamp(unit, Some(_)) => TypeRoot::TimestampLtz(precision(unit), TimeAttribute::None),
        DataType::Interval(_) => TypeRoot::IntervalYearMonth,
        DataType::Duration(_) => TypeRoot::IntervalDayTime,
        DataType::List(item) => TypeRoot::Array(Box::new(from_field(item))),
        DataType::Struct(fields) => {
            TypeRoot::Row(fields.iter().map(|f| RowField::new(f.name(), from_field(f))).collect())
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(kv) => TypeRoot::Map(Box::new(from_field(&kv[0])), Box::new(from_field(&kv[1]))),
            _ => TypeRoot::Null,
        },
        _ => TypeRoot::Null,
    };
    root.into()
}

fn from_field(field: &Field) -> LogicalType {
    from_arrow(field.data_type())
}

fn precision(unit: &TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second | TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}
