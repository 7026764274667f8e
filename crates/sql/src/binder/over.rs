//! OVER: windows of rows, and the calls over them that are no ranks.
//!
//! Calls over one window become columns that one [`Over`] node appends below the select list.

use super::aggregate::is_aggregate;
use super::context::{ExprEnv, QueryEnv};
use super::rank::OrderKey;
use super::{Binder, Typed, plan_error};
use crate::logical::nodes::extension;
use crate::logical::{Over, OverCall, RankOrder};
use crate::{SqlError, SqlResult};
use datafusion_expr::LogicalPlan;
use headwater_functions::types::aggregate_type;
use headwater_plan::Value;
use headwater_plan::operators::OverFrame;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{
    self, FrameBound, FrameUnit, Function, FunctionArgValue, NamedWindow, OrderByExpr, SetQuantifier, WindowFrame,
    WindowRef,
};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};
use std::cell::RefCell;

/// Functions that exist with OVER only, besides ranks.
const OVER_FUNCTIONS: &[&str] = &["LAG", "LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"];

/// How many windows may refine each other.
const REFINEMENTS_MAX: usize = 16;

/// Whether a function needs OVER.
pub(super) fn needs_over(name: &str) -> bool {
    OVER_FUNCTIONS.contains(&name)
}

/// A window as written, with what it takes over from the windows it refines.
pub(super) struct WindowParts<'a> {
    pub partition_by: &'a [ast::Expr],
    pub order_by: &'a [OrderByExpr],
    pub frame: Option<&'a WindowFrame>,
    pub span: Span,
}

/// The window of a call.
pub(super) fn window_parts<'a>(call: &'a Function, windows: &'a [NamedWindow]) -> SqlResult<WindowParts<'a>> {
    let named = |name: &ast::Ident| {
        windows.iter().find(|w| w.name.value == name.value).map(|w| &w.spec).ok_or_else(|| {
            let known = windows.iter().map(|w| w.name.value.as_str());
            SqlError::unknown("unknown-window", "window", &name.value, Some(name.span), known)
        })
    };
    let mut spec = match &call.over {
        Some(WindowRef::Spec(spec)) => spec,
        Some(WindowRef::Named(name)) => named(name)?,
        None => return Err(SqlError::internal("a call without OVER")),
    };
    let span = spec.span;
    let mut parts = WindowParts { partition_by: &[], order_by: &[], frame: None, span };
    for _ in 0..REFINEMENTS_MAX {
        parts.frame = parts.frame.or(spec.frame.as_ref());
        if !parts.partition_by.is_empty() && !spec.partition_by.is_empty() {
            return Err(refined_twice("PARTITION BY", span));
        }
        if !parts.order_by.is_empty() && !spec.order_by.is_empty() {
            return Err(refined_twice("ORDER BY", span));
        }
        if parts.partition_by.is_empty() {
            parts.partition_by = &spec.partition_by;
        }
        if parts.order_by.is_empty() {
            parts.order_by = &spec.order_by;
        }
        match &spec.base {
            Some(base) => spec = named(base)?,
            None => return Ok(parts),
        }
    }
    Err(SqlError::at("bad-window", "the windows refer to each other in a circle", span))
}

fn refined_twice(clause: &str, span: Span) -> SqlError {
    SqlError::at("bad-window", format!("a window cannot replace the {clause} of the window it refines"), span)
}

/// The calls over one window.
pub(super) struct OverWindow {
    pub partition: Vec<(Typed, Span)>,
    pub order: Vec<OrderKey>,
    frame: OverFrame,
    pub calls: Vec<BoundCall>,
}

/// A call over a window.
#[derive(Clone)]
pub(super) struct BoundCall {
    function: String,
    pub args: Vec<(Typed, Span)>,
    pub filter: Option<(Typed, Span)>,
    distinct: bool,
    parameters: Vec<Value>,
    ty: LogicalType,
    pub output: String,
}

/// The columns, the parameters and the result type of a call.
type AnalyticArgs = (Vec<(Typed, Span)>, Vec<Value>, LogicalType);

/// The windows of a query, collected while its expressions are bound.
#[derive(Default)]
pub(super) struct OverWindows(RefCell<Vec<OverWindow>>);

impl OverWindows {
    /// The collected windows.
    pub fn into_windows(self) -> Vec<OverWindow> {
        self.0.into_inner()
    }

    /// Adds a call, or finds the one that computes the same. Answers its column.
    fn add(&self, window: OverWindow) -> Option<Typed> {
        let mut windows = self.0.borrow_mut();
        let position = windows.iter().position(|w| w.is_same(&window)).unwrap_or(windows.len());
        let call = window.calls.first()?.clone();
        if position == windows.len() {
            windows.push(OverWindow { calls: vec![], ..window });
        }
        let calls = &mut windows[position].calls;
        let output = match calls.iter().find(|c| c.is_same(&call)) {
            Some(known) => known.output.clone(),
            None => {
                calls.push(call.clone());
                call.output
            }
        };
        Some(Typed::column(&output, call.ty))
    }
}

impl OverWindow {
    fn is_same(&self, other: &Self) -> bool {
        let same_order = |a: &OrderKey, b: &OrderKey| {
            a.value.expr == b.value.expr && a.ascending == b.ascending && a.nulls_first == b.nulls_first
        };
        self.frame == other.frame
            && same_values(self.partition.iter(), other.partition.iter())
            && self.order.len() == other.order.len()
            && self.order.iter().zip(&other.order).all(|(a, b)| same_order(a, b))
    }
}

impl BoundCall {
    fn is_same(&self, other: &Self) -> bool {
        self.function == other.function
            && self.distinct == other.distinct
            && self.parameters == other.parameters
            && same_values(self.args.iter(), other.args.iter())
            && same_values(self.filter.iter(), other.filter.iter())
    }
}

fn same_values<'v>(
    mut a: impl ExactSizeIterator<Item = &'v (Typed, Span)>,
    mut b: impl ExactSizeIterator<Item = &'v (Typed, Span)>,
) -> bool {
    a.len() == b.len() && a.by_ref().zip(b.by_ref()).all(|((a, _), (b, _))| a.expr == b.expr)
}

impl Binder<'_> {
    /// An aggregate or an analytic function over a window.
    pub(super) fn over_call(
        &self,
        name: &str,
        call: &Function,
        windows: (&[NamedWindow], &OverWindows),
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if !needs_over(name) && !is_aggregate(name) {
            let message = format!("'{name}' is no function over a window of rows");
            let hint = "OVER takes aggregate functions, ranks, LAG, LEAD, NTILE, CUME_DIST and PERCENT_RANK";
            return Err(SqlError::at("misplaced-over", message, call.span).with_hint(hint));
        }
        let parts = window_parts(call, windows.0)?;
        let env = ExprEnv { ranks: None, ..env };
        let bound = match needs_over(name) {
            true => self.analytic_call(name, call, env)?,
            false => self.over_aggregate(name, call, env)?,
        };
        let frame = self.frame(name, &parts, env.query)?;
        let partition = parts.partition_by.iter().map(|p| Ok((self.expr(p, env)?, p.span)));
        let partition = partition.collect::<SqlResult<Vec<_>>>()?;
        let order = parts.order_by.iter().map(|o| self.order_key(o, env)).collect::<SqlResult<Vec<_>>>()?;
        let window = OverWindow { partition, order, frame, calls: vec![bound] };
        windows.1.add(window).ok_or_else(|| SqlError::internal("a window without a call"))
    }

    fn over_aggregate(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<BoundCall> {
        if !call.order_by.is_empty() || !call.within_group.is_empty() {
            return Err(SqlError::unsupported(format!("ORDER BY inside {name}"), Some(call.span)));
        }
        if call.null_treatment.is_some() {
            return Err(SqlError::unsupported(format!("IGNORE and RESPECT NULLS of {name}"), Some(call.span)));
        }
        let (args, parameters) = self.aggregate_args(name, call, env)?;
        let filter = call.filter.as_ref().map(|f| Ok::<_, SqlError>((self.condition(f, env)?, f.span))).transpose()?;
        let ty = match args.first() {
            None => LogicalType::from(TypeRoot::BigInt).not_null(),
            Some(arg) => aggregate_type(name, &arg.ty).map_err(|e| SqlError::from(e).with_span(call.span))?,
        };
        let counts = matches!(name, "COUNT" | "APPROX_COUNT_DISTINCT" | "SUM0" | "$SUM0" | "COLLECT");
        let nullable = ty.nullable || (!counts && filter.is_some());
        Ok(BoundCall {
            function: name.to_owned(),
            args: args.into_iter().map(|a| (a, call.span)).collect(),
            filter,
            distinct: call.quantifier == Some(SetQuantifier::Distinct) && !matches!(name, "MIN" | "MAX"),
            parameters,
            ty: ty.with_nullable(nullable),
            output: self.fresh("w0$o"),
        })
    }

    /// LAG, LEAD, NTILE, CUME_DIST, PERCENT_RANK.
    fn analytic_call(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<BoundCall> {
        let plain = call.quantifier.is_none() && call.filter.is_none() && call.null_treatment.is_none();
        if !plain || !call.order_by.is_empty() || !call.within_group.is_empty() {
            let message = format!("DISTINCT, FILTER and ORDER BY belong to aggregates, not to {name}");
            return Err(SqlError::at("bad-function-call", message, call.span));
        }
        let args = call.args.iter().map(|arg| match &arg.value {
            FunctionArgValue::Expr(expr) => Ok((self.expr(expr, env)?, expr.span)),
            _ => Err(SqlError::at("bad-function-call", format!("{name} takes values"), arg.span)),
        });
        let args = args.collect::<SqlResult<Vec<_>>>()?;
        let (args, parameters, ty) = match (name, args.as_slice()) {
            ("LAG" | "LEAD", [_] | [_, _] | [_, _, _]) => self.shifted_args(name, args)?,
            ("NTILE", [buckets]) => {
                let count = self.positive_literal(name, buckets)?;
                (vec![], vec![count], LogicalType::from(TypeRoot::Int).not_null())
            }
            ("CUME_DIST" | "PERCENT_RANK", []) => (vec![], vec![], LogicalType::from(TypeRoot::Double).not_null()),
            _ => {
                let takes = match name {
                    "LAG" | "LEAD" => "a value, and optionally an offset and a default",
                    "NTILE" => "one positive number",
                    _ => "no arguments",
                };
                return Err(SqlError::at("bad-function-call", format!("{name} takes {takes}"), call.span));
            }
        };
        let output = self.fresh("w0$o");
        Ok(BoundCall { function: name.to_owned(), args, filter: None, distinct: false, parameters, ty, output })
    }

    /// The value of LAG and LEAD; offset and default become parameters.
    fn shifted_args(&self, name: &str, mut args: Vec<(Typed, Span)>) -> SqlResult<AnalyticArgs> {
        let default = if args.len() > 2 { args.pop() } else { None };
        let offset = if args.len() > 1 { args.pop() } else { None };
        let ty = args[0].0.ty.clone().with_time_attribute(TimeAttribute::None);
        let offset = offset.map(|o| self.positive_literal(name, &o)).transpose()?;
        let mut parameters = vec![offset.unwrap_or(Value::Int(1))];
        let Some((default, span)) = default else { return Ok((args, parameters, ty.with_nullable(true))) };
        let default = self.implicit_cast(default, &ty)?.ok_or_else(|| {
            let message = format!("the default of {name} must be of the type of its value, {ty}");
            SqlError::at("bad-function-call", message, span)
        })?;
        let folded = self.fold(&default);
        let folded = folded
            .ok_or_else(|| SqlError::unsupported(format!("a default of {name} other than a literal"), Some(span)))?;
        let nullable = ty.nullable || folded.is_null();
        parameters.push(folded);
        Ok((args, parameters, ty.with_nullable(nullable)))
    }

    fn positive_literal(&self, name: &str, (value, span): &(Typed, Span)) -> SqlResult<Value> {
        match self.fold(value) {
            Some(Value::Int(n)) if n > 0 && value.ty.is_integer() => Ok(Value::Int(n)),
            Some(Value::Int(0)) if name != "NTILE" && value.ty.is_integer() => Ok(Value::Int(0)),
            _ => {
                let what = if name == "NTILE" { "number of buckets" } else { "offset" };
                let message = format!("the {what} of {name} must be a positive whole number");
                Err(SqlError::at("bad-function-call", message, *span))
            }
        }
    }

    /// The rows of a window that a call sees: those up to the current one.
    fn frame(&self, name: &str, parts: &WindowParts<'_>, env: QueryEnv<'_>) -> SqlResult<OverFrame> {
        let Some(frame) = parts.frame else {
            return Ok(if needs_over(name) { OverFrame::RowsUnbounded } else { OverFrame::RangeUnbounded });
        };
        if needs_over(name) {
            let message = format!("{name} takes no frame (ROWS or RANGE)");
            return Err(SqlError::at("bad-window", message, frame.span));
        }
        if parts.order_by.is_empty() {
            let message = "a frame (ROWS or RANGE) needs ORDER BY in its window";
            return Err(SqlError::at("bad-window", message, frame.span));
        }
        if !matches!(frame.end, None | Some(FrameBound::CurrentRow)) {
            let message = "a frame that does not end at CURRENT ROW (FOLLOWING)";
            return Err(SqlError::unsupported(message, Some(frame.span)));
        }
        match (frame.unit, &frame.start) {
            (FrameUnit::Rows, FrameBound::UnboundedPreceding) => Ok(OverFrame::RowsUnbounded),
            (FrameUnit::Range, FrameBound::UnboundedPreceding) => Ok(OverFrame::RangeUnbounded),
            (FrameUnit::Rows, FrameBound::CurrentRow) => Ok(OverFrame::Rows(0)),
            (FrameUnit::Range, FrameBound::CurrentRow) => Ok(OverFrame::Range(0)),
            (unit, FrameBound::Preceding(distance)) => self.preceding(unit, distance, env),
            _ => Err(SqlError::unsupported("a frame that begins after the current row", Some(frame.span))),
        }
    }

    fn preceding(&self, unit: FrameUnit, distance: &ast::Expr, env: QueryEnv<'_>) -> SqlResult<OverFrame> {
        let value = self.constant_expr(distance, env)?;
        match (unit, self.fold(&value)) {
            (FrameUnit::Rows, Some(Value::Int(n))) if n >= 0 && value.ty.is_integer() => Ok(OverFrame::Rows(n as u64)),
            (FrameUnit::Range, Some(Value::Int(ms))) if ms >= 0 && value.ty.root == TypeRoot::IntervalDayTime => {
                Ok(OverFrame::Range(ms))
            }
            (FrameUnit::Rows, _) => {
                let message = "ROWS … PRECEDING takes a constant number of rows, not negative";
                Err(SqlError::at("bad-window", message, distance.span))
            }
            (FrameUnit::Range, _) => {
                let message = "RANGE … PRECEDING takes a constant INTERVAL of days to seconds, not negative";
                Err(SqlError::at("bad-window", message, distance.span))
            }
        }
    }

    /// Adds the nodes of windows, whose expressions are over `plan`.
    pub(super) fn over_nodes(&self, mut plan: LogicalPlan, windows: Vec<OverWindow>) -> SqlResult<LogicalPlan> {
        for window in windows {
            plan = self.over_node(plan, window)?;
        }
        Ok(plan)
    }

    fn over_node(&self, plan: LogicalPlan, window: OverWindow) -> SqlResult<LogicalPlan> {
        let (input, names) = self.with_columns(plan, window.values())?;
        let mut names = names.into_iter();
        let partition_by = names.by_ref().take(window.partition.len()).collect();
        let columns: Vec<String> = names.by_ref().take(window.order.len()).collect();
        let order_by = window.order.iter().zip(columns).map(|(key, column)| RankOrder {
            column,
            ascending: key.ascending,
            nulls_first: key.nulls_first,
        });
        let order_by = order_by.collect();
        let calls = window.calls.into_iter().map(|call| OverCall {
            args: names.by_ref().take(call.args.len()).collect(),
            filter: call.filter.and_then(|_| names.next()),
            function: call.function,
            distinct: call.distinct,
            parameters: call.parameters,
            ty: call.ty,
            output: call.output,
        });
        let calls: Vec<OverCall> = calls.collect();
        let schema = Over::schema_over(&input, &calls).map_err(plan_error)?;
        Ok(extension(Over { input, partition_by, order_by, frame: window.frame, calls, schema }))
    }
}

impl OverWindow {
    /// Everything computed from rows: partition keys, sort keys, then arguments and filter of each call.
    pub fn values(&self) -> impl Iterator<Item = &Typed> {
        let order = self.order.iter().map(|o| &o.value);
        let calls = self.calls.iter().flat_map(|c| c.args.iter().chain(&c.filter).map(|(v, _)| v));
        self.partition.iter().map(|(v, _)| v).chain(order).chain(calls)
    }

    /// The same, to be rewritten, each with where it was written.
    pub fn values_mut(&mut self) -> impl Iterator<Item = (&mut Typed, Span)> {
        let order = self.order.iter_mut().map(|o| (&mut o.value, o.span));
        let calls = self.calls.iter_mut().flat_map(|c| c.args.iter_mut().chain(&mut c.filter));
        let calls = calls.map(|(v, span)| (v, *span));
        self.partition.iter_mut().map(|(v, span)| (v, *span)).chain(order).chain(calls)
    }
}
