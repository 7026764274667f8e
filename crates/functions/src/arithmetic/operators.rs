//! The arithmetic operators: typing, and the choice of the kernel by the operands' types.

use super::{decimals, numbers, temporal};
use crate::types::{decimal, least_restrictive};
use crate::{Bound, BuildContext, Call, Function, Kernel};
use headwater_types::{LogicalType, Result, TimeAttribute, TypeRoot};

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("+", "<NUMERIC> + <NUMERIC>, <DATETIME> + <INTERVAL>, + <NUMERIC>", bind_plus, build_plus),
    Function::new(
        "-",
        "<NUMERIC> - <NUMERIC>, <DATETIME> - <INTERVAL>, <DATETIME> - <DATETIME>, - <NUMERIC>",
        bind_minus,
        build_minus,
    ),
    Function::new("*", "<NUMERIC> * <NUMERIC>, <INTERVAL> * <NUMERIC>", bind_times, |c| build(c, Op::Times)),
    Function::new("/", "<NUMERIC> / <NUMERIC>, <INTERVAL> / <NUMERIC>", bind_divide, |c| build(c, Op::Divide)),
    Function::new("%", "<NUMERIC> % <NUMERIC>", bind_modulo, |c| build(c, Op::Modulo)).aliases(&["MOD"]),
];

fn bind_plus(call: &Call<'_>) -> Result<Bound> {
    if call.len() == 1 { bind_sign(call) } else { bind_additive(call, Op::Plus) }
}

fn bind_minus(call: &Call<'_>) -> Result<Bound> {
    if call.len() == 1 { bind_sign(call) } else { bind_additive(call, Op::Minus) }
}

fn bind_sign(call: &Call<'_>) -> Result<Bound> {
    let ty = call.matching(0, TypeRoot::Int, |t| t.is_numeric() || t.is_interval())?;
    call.returns(vec![ty.clone()], ty.root)
}

fn bind_additive(call: &Call<'_>, op: Op) -> Result<Bound> {
    call.arity(2..=2)?;
    let (left, right) = without_nulls(call);
    match (&left, &right) {
        (l, r) if l.is_numeric() && r.is_numeric() => bind_numbers(call, op, l, r),
        (l, r) if l.is_temporal() && r.is_interval() => {
            let root = l.clone().with_time_attribute(TimeAttribute::None).root;
            call.returns(vec![left, right], root)
        }
        (l, r) if op == Op::Plus && l.is_interval() && r.is_temporal() => {
            let root = r.clone().with_time_attribute(TimeAttribute::None).root;
            call.returns(vec![left, right], root)
        }
        (l, r) if l.is_interval() && l.root == r.root => {
            let root = l.root.clone();
            call.returns(vec![left, right], root)
        }
        (l, r) if op == Op::Minus && l.is_temporal() && r.is_temporal() => bind_difference(call, l, r),
        _ => Err(call.error()),
    }
}

/// The distance of two points in time, in milliseconds.
fn bind_difference(call: &Call<'_>, left: &LogicalType, right: &LogicalType) -> Result<Bound> {
    let same_kind = std::mem::discriminant(&left.root) == std::mem::discriminant(&right.root);
    let common = |t: &LogicalType| match t.root {
        _ if same_kind => t.clone(),
        _ => LogicalType::new(TypeRoot::Timestamp(3, TimeAttribute::None), t.nullable),
    };
    call.returns(vec![common(left), common(right)], TypeRoot::IntervalDayTime)
}

fn bind_times(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let (left, right) = without_nulls(call);
    if left.is_interval() && right.is_numeric() {
        let root = left.root.clone();
        call.returns(vec![left, interval_factor(&right)], root)
    } else if left.is_numeric() && right.is_interval() {
        let root = right.root.clone();
        call.returns(vec![interval_factor(&left), right], root)
    } else {
        bind_numeric(call, Op::Times, &left, &right)
    }
}

fn bind_divide(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let (left, right) = without_nulls(call);
    if left.is_interval() && right.is_numeric() {
        let root = left.root.clone();
        call.returns(vec![left, interval_factor(&right)], root)
    } else {
        bind_numeric(call, Op::Divide, &left, &right)
    }
}

fn bind_modulo(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let (left, right) = without_nulls(call);
    bind_numeric(call, Op::Modulo, &left, &right)
}

/// Intervals are multiplied by whole numbers exactly, by others as doubles.
fn interval_factor(ty: &LogicalType) -> LogicalType {
    let root = if ty.is_integer() { TypeRoot::BigInt } else { TypeRoot::Double };
    LogicalType::new(root, ty.nullable)
}

fn bind_numeric(call: &Call<'_>, op: Op, left: &LogicalType, right: &LogicalType) -> Result<Bound> {
    if left.is_numeric() && right.is_numeric() { bind_numbers(call, op, left, right) } else { Err(call.error()) }
}

fn bind_numbers(call: &Call<'_>, op: Op, left: &LogicalType, right: &LogicalType) -> Result<Bound> {
    use TypeRoot as T;
    let decimal = |t: &LogicalType| matches!(t.root, T::Decimal(..));
    let any = |root: &T| left.root == *root || right.root == *root;
    let to = |root: T| vec![left, right].into_iter().map(|t| LogicalType::new(root.clone(), t.nullable)).collect();
    if any(&T::Double) || any(&T::Float) {
        let root = least_restrictive(&[left.clone(), right.clone()]).map_or(T::Double, |ty| ty.root);
        return call.returns(to(root.clone()), root);
    }
    let (Some(l), Some(r)) = (left.as_decimal(), right.as_decimal()) else { return Err(call.error()) };
    if decimal(left) || decimal(right) {
        let arg_types =
            vec![LogicalType::new(decimal::root(l), left.nullable), LogicalType::new(decimal::root(r), right.nullable)];
        return call.returns(arg_types, decimal::root(decimal_result(op, l, r)));
    }
    let wider = if l.0 >= r.0 { left } else { right }.root.clone();
    // The remainder fits the type of the divisor, and has it.
    let result = if op == Op::Modulo { right.root.clone() } else { wider.clone() };
    call.returns(to(wider), result)
}

fn decimal_result(op: Op, left: (u8, u8), right: (u8, u8)) -> (u8, u8) {
    match op {
        Op::Plus | Op::Minus => decimal::plus(left, right),
        Op::Times => decimal::times(left, right),
        Op::Divide => decimal::divide(left, right),
        Op::Modulo => decimal::modulo(left, right),
    }
}

/// The argument types, a bare NULL taken as the type that fits the other side.
fn without_nulls(call: &Call<'_>) -> (LogicalType, LogicalType) {
    let (left, right) = (call.ty(0), call.ty(1));
    let like = |other: &LogicalType| match other.root {
        TypeRoot::Null => TypeRoot::Int.into(),
        _ if other.is_temporal() => TypeRoot::IntervalDayTime.into(),
        _ => other.clone().with_nullable(true),
    };
    match (&left.root, &right.root) {
        (TypeRoot::Null, _) => (like(right), if right.root == TypeRoot::Null { like(left) } else { right.clone() }),
        (_, TypeRoot::Null) => (left.clone(), like(left)),
        _ => (left.clone(), right.clone()),
    }
}

fn build_plus(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    match context.arg_types {
        [_] => crate::kernel::kernel(|args, _| Ok(args[0].array().clone())),
        _ => build(context, Op::Plus),
    }
}

fn build_minus(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    match context.arg_types {
        [_] => numbers::negate(),
        _ => build(context, Op::Minus),
    }
}

fn build(context: &BuildContext<'_>, op: Op) -> Result<Box<dyn Kernel>> {
    let [left, right] = context.arg_types else { unreachable!("binary operators are bound with two arguments") };
    if left.is_temporal() || right.is_temporal() || left.is_interval() || right.is_interval() {
        return temporal::build(context, op, left, right);
    }
    match (&left.root, &right.root) {
        (TypeRoot::Decimal(..), TypeRoot::Decimal(..)) => decimals::build(context, op),
        _ => numbers::build(context, op),
    }
}
