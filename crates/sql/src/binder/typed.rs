//! Typed expressions: implicit and explicit casts, function calls.

use super::Binder;
use crate::{SqlError, SqlResult};
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::Expr;
use headwater_data::arrow_type;
use headwater_expressions::udf::{self, Binding};
use headwater_expressions::value::{from_scalar, to_scalar};
use headwater_functions::types::{supports_explicit_cast, supports_implicit_cast};
use headwater_functions::{BindArg, Function};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};

/// An expression with its Flink type, and its value when it is a literal.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub expr: Expr,
    pub ty: LogicalType,
    pub literal: Option<Value>,
}

impl Typed {
    /// A value computed at run time.
    pub fn new(expr: Expr, ty: LogicalType) -> Self {
        Self { expr, ty, literal: None }
    }

    /// A column of the plan.
    pub fn column(unique: &str, ty: LogicalType) -> Self {
        Self::new(Expr::Column(Column::new_unqualified(unique)), ty)
    }

    /// A BOOLEAN value.
    pub fn boolean(expr: Expr, nullable: bool) -> Self {
        Self::new(expr, LogicalType::new(TypeRoot::Boolean, nullable))
    }

    /// The unique name, when the value is a plain column.
    pub fn column_name(&self) -> Option<&str> {
        match &self.expr {
            Expr::Column(column) => Some(&column.name),
            _ => None,
        }
    }

    /// Whether it is a literal NULL.
    pub fn is_null(&self) -> bool {
        matches!(self.literal, Some(Value::Null))
    }

    /// The value under another type of the same representation.
    pub fn relabelled(self, ty: &LogicalType) -> Self {
        let nullable = self.ty.nullable;
        Self { ty: ty.clone().with_nullable(nullable), ..self }
    }
}

impl Binder<'_> {
    /// A literal. NULL gives a nullable type, anything else one that is not.
    pub(super) fn literal(&self, value: Value, root: TypeRoot) -> SqlResult<Typed> {
        let ty = LogicalType::new(root, value.is_null());
        let scalar = to_scalar(&value, &ty)?;
        Ok(Typed { expr: Expr::Literal(scalar, None), ty, literal: Some(value) })
    }

    /// A string literal.
    pub(super) fn string_literal(&self, text: &str) -> SqlResult<Typed> {
        self.literal(Value::String(text.to_owned()), TypeRoot::Char(text.chars().count() as u32))
    }

    /// The value cast to `to` unless it already is of such a type; its nullability stays. The cast is
    /// known to exist.
    pub(super) fn cast(&self, value: Typed, to: &LogicalType) -> SqlResult<Typed> {
        if same_representation(&value.ty, to) {
            return Ok(value.relabelled(to));
        }
        if value.ty.root == TypeRoot::Null {
            return self.null_of(to.root.clone());
        }
        if let Some(folded) = value.literal.as_ref().and_then(|literal| convert_literal(literal, &value.ty, to)) {
            return self.literal(folded, to.root.clone());
        }
        Ok(self.cast_call(value, to, false))
    }

    /// The value cast to `to` as the matrix of implicit casts allows; `None` when it does not.
    pub(super) fn implicit_cast(&self, value: Typed, to: &LogicalType) -> SqlResult<Option<Typed>> {
        let target = to.clone().with_nullable(true);
        match supports_implicit_cast(&value.ty, &target) {
            true => self.cast(value, to).map(Some),
            false => Ok(None),
        }
    }

    /// CAST or TRY_CAST as written.
    pub(super) fn explicit_cast(&self, value: Typed, to: &LogicalType, is_try: bool, span: Span) -> SqlResult<Typed> {
        if !supports_explicit_cast(&value.ty, to) {
            let message = format!("a value of type {} cannot be cast to type {to}", value.ty);
            return Err(SqlError::at("bad-cast", message, span));
        }
        // A change of precision alone changes no value, but how it prints.
        let prints_alike = !value.ty.is_temporal() || value.ty.same_root(to);
        if value.is_null() || (same_representation(&value.ty, to) && prints_alike) {
            let value = self.cast(value, to)?;
            return Ok(Typed { ty: value.ty.with_time_attribute(TimeAttribute::None), ..value });
        }
        Ok(self.cast_call(value, to, is_try))
    }

    /// The value cast to `to`, NULL where it cannot be. The cast is known to exist.
    pub(super) fn try_cast(&self, value: Typed, to: &LogicalType) -> Typed {
        self.cast_call(value, to, true)
    }

    fn cast_call(&self, value: Typed, to: &LogicalType, is_try: bool) -> Typed {
        let nullable = value.ty.nullable || is_try;
        let ty = to.clone().with_nullable(nullable).with_time_attribute(TimeAttribute::None);
        let function = udf::cast(value.ty, ty.clone(), is_try, &self.context);
        Typed::new(function.call(vec![value.expr]), ty)
    }

    /// A call of a function of the registry.
    pub(super) fn call(&self, name: &str, args: Vec<Typed>, span: Span) -> SqlResult<Typed> {
        let function = headwater_functions::lookup(name).ok_or_else(|| unknown_function(name, span))?;
        self.call_function(function, args, span)
    }

    fn call_function(&self, function: &Function, args: Vec<Typed>, span: Span) -> SqlResult<Typed> {
        let given: Vec<_> = args.iter().map(|a| BindArg { ty: a.ty.clone(), literal: a.literal.clone() }).collect();
        let bound = function.bind(&given).map_err(|e| SqlError::from(e).with_span(span))?;
        let mut cast = Vec::with_capacity(args.len());
        for (arg, ty) in args.into_iter().zip(&bound.arg_types) {
            cast.push(self.cast(arg, ty)?);
        }
        let return_type = call_type(function, bound.return_type);
        let binding = Binding {
            arg_types: bound.arg_types,
            literals: cast.iter().map(|a| a.literal.clone()).collect(),
            return_type: return_type.clone(),
        };
        let udf = udf::call(function.name, binding, &self.context, self.streaming)?;
        Ok(Typed::new(udf.call(cast.into_iter().map(|a| a.expr).collect()), return_type))
    }

    /// The value of an expression without columns, when it can be computed now.
    pub(super) fn fold(&self, value: &Typed) -> Option<Value> {
        if value.literal.is_some() {
            return value.literal.clone();
        }
        match crate::optimizer::fold_constant(value.expr.clone()) {
            Some(scalar) => from_scalar(&scalar, &value.ty).ok(),
            None => None,
        }
    }

    /// A literal of DataFusion's for BIGINT counts.
    pub(super) fn count_literal(&self, count: u64) -> Expr {
        Expr::Literal(ScalarValue::Int64(Some(i64::try_from(count).unwrap_or(i64::MAX))), None)
    }
}

/// The result of a function is no time attribute; PROCTIME() is where processing time comes from.
fn call_type(function: &Function, bound: LogicalType) -> LogicalType {
    let attribute = if function.name == "PROCTIME" { TimeAttribute::Proctime } else { TimeAttribute::None };
    bound.with_time_attribute(attribute)
}

/// Functions of Flink that need an operator of their own, or state of the runtime.
const PLANNED_FUNCTIONS: &[&str] = &["ML_PREDICT"];

/// The error of a function that is not in the registry.
pub(super) fn unknown_function(name: &str, span: Span) -> SqlError {
    if PLANNED_FUNCTIONS.contains(&name) {
        return SqlError::unsupported(format!("the function {name}"), Some(span));
    }
    let known = headwater_functions::all().map(|f| f.name).filter(|n| n.starts_with(|c: char| c.is_ascii_alphabetic()));
    let known: Vec<_> = known.chain(super::aggregate::FUNCTIONS.iter().copied()).collect();
    let near = headwater_types::config::nearest(name, known.iter().copied());
    let error = SqlError::at("unknown-function", format!("unknown function '{name}'"), span);
    match near {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// Whether every value of `from` is, unchanged, a value of `to`; nullability and time attributes aside.
pub(super) fn same_representation(from: &LogicalType, to: &LogicalType) -> bool {
    use TypeRoot as T;
    match (&from.root, &to.root) {
        (T::Char(a) | T::VarChar(a), T::VarChar(b)) | (T::Binary(a) | T::VarBinary(a), T::VarBinary(b)) => a <= b,
        (T::Timestamp(a, _), T::Timestamp(b, _)) | (T::TimestampLtz(a, _), T::TimestampLtz(b, _)) => {
            a <= b && arrow_type(from) == arrow_type(to)
        }
        (T::Time(a), T::Time(b)) => a <= b,
        (T::Array(a), T::Array(b)) | (T::Multiset(a), T::Multiset(b)) => same_representation(a, b),
        (T::Map(ak, av), T::Map(bk, bv)) => same_representation(ak, bk) && same_representation(av, bv),
        (T::Row(a), T::Row(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && same_representation(&a.ty, &b.ty))
        }
        (a, b) => a == b,
    }
}

/// A literal in another type, where that is exact and cheap; other casts are left to the cast kernels.
pub(super) fn convert_literal(value: &Value, from: &LogicalType, to: &LogicalType) -> Option<Value> {
    match (value, &to.root) {
        (Value::Null, _) => Some(Value::Null),
        (Value::Int(i), TypeRoot::TinyInt) if from.is_integer() => i8::try_from(*i).ok().map(|_| Value::Int(*i)),
        (Value::Int(i), TypeRoot::SmallInt) if from.is_integer() => i16::try_from(*i).ok().map(|_| Value::Int(*i)),
        (Value::Int(i), TypeRoot::Int) if from.is_integer() => i32::try_from(*i).ok().map(|_| Value::Int(*i)),
        (Value::Int(i), TypeRoot::BigInt) if from.is_integer() => Some(Value::Int(*i)),
        (Value::Int(i), TypeRoot::Float | TypeRoot::Double) if from.is_integer() => Some(Value::Float(*i as f64)),
        (Value::Int(i), TypeRoot::Decimal(precision, scale)) if from.is_integer() => {
            let unscaled = i128::from(*i).checked_mul(10_i128.checked_pow(u32::from(*scale))?)?;
            fits(unscaled, *precision).then_some(Value::Decimal(unscaled))
        }
        (Value::Decimal(unscaled), TypeRoot::Decimal(precision, scale)) => {
            let (_, from_scale) = from.as_decimal()?;
            let added = u32::from(scale.checked_sub(from_scale)?);
            let unscaled = unscaled.checked_mul(10_i128.checked_pow(added)?)?;
            fits(unscaled, *precision).then_some(Value::Decimal(unscaled))
        }
        _ => None,
    }
}

fn fits(unscaled: i128, precision: u8) -> bool {
    10_u128.checked_pow(u32::from(precision)).is_none_or(|bound| unscaled.unsigned_abs() < bound)
}
