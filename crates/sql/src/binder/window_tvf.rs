//! The window functions of FROM: TUMBLE, HOP, CUMULATE, SESSION.

use super::context::QueryEnv;
use super::select_list::unique_names;
use super::table_function::{Signature, arranged, descriptor_column, find_column, missing};
use super::{Binder, BoundQuery, OutputColumn, plan_error};
use crate::logical::nodes::extension;
use crate::logical::{Scan, WindowTvf};
use crate::{SqlError, SqlResult};
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::LogicalPlan;
use headwater_plan::Value;
use headwater_plan::operators::WindowShape;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Expr, Function, FunctionArg, FunctionArgValue};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};

/// Names of the columns a window function adds.
pub(super) const WINDOW_COLUMNS: [&str; 3] = ["window_start", "window_end", "window_time"];

/// The window functions.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { name: "TUMBLE", params: &["DATA", "TIMECOL", "SIZE", "OFFSET"], required: 3 },
    Signature { name: "HOP", params: &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"], required: 4 },
    Signature { name: "CUMULATE", params: &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"], required: 4 },
    Signature { name: "SESSION", params: &["DATA", "TIMECOL", "GAP"], required: 3 },
];

/// A window over the columns of its input.
pub(super) struct Window {
    pub shape: WindowShape,
    pub offset_ms: i64,
    pub partition_by: Vec<String>,
    /// Whether it stands in GROUP BY, where sessions are cut per group.
    pub per_group: bool,
}

impl Binder<'_> {
    /// A window function in FROM.
    pub(super) fn window_function(
        &self,
        signature: &Signature,
        call: &Function,
        env: QueryEnv<'_>,
    ) -> SqlResult<BoundQuery> {
        let args = arranged(signature, call)?;
        let arg = |param: &str| signature.params.iter().position(|p| *p == param).and_then(|i| args[i]);
        let data = arg("DATA").ok_or_else(|| missing(signature, "DATA", call.span))?;
        let input = self.data_arg(data, env)?;
        if let Some(order) = input.order_by.first() {
            let message = "a window function takes no ORDER BY on its table";
            return Err(SqlError::at("bad-window", message, order.expr.span));
        }
        let partition_by = match (input.partition_by.first(), signature.name) {
            (None, _) => vec![],
            (Some(_), "SESSION") => self.partition_columns(&input, env)?,
            (Some(first), name) => {
                let message = format!("{name} windows do not depend on keys: PARTITION BY belongs to SESSION");
                return Err(SqlError::at("bad-window", message, first.span));
            }
        };
        let input = input.rows;
        let time = self.time_column(signature, arg("TIMECOL"), &input, call.span)?;
        let offset_ms = arg("OFFSET").map(|a| self.interval_arg("OFFSET", a, env)).transpose()?.unwrap_or(0);
        let duration = |param: &str| match arg(param) {
            Some(a) => self.duration_arg(param, a, env),
            None => Err(missing(signature, param, call.span)),
        };
        let shape = shape(signature.name, duration, call.span)?;
        self.windowed(input, &time, Window { shape, offset_ms, partition_by, per_group: false })
    }

    /// The time attribute that a DESCRIPTOR names.
    fn time_column(
        &self,
        signature: &Signature,
        arg: Option<&FunctionArg>,
        input: &BoundQuery,
        span: Span,
    ) -> SqlResult<OutputColumn> {
        let Some(arg) = arg else { return Err(missing(signature, "TIMECOL", span)) };
        let name = descriptor_column(signature.name, "TIMECOL", arg)?;
        let column = find_column(input, name)?;
        time_attribute(column, &input.plan, name.span)
    }

    fn interval_arg(&self, param: &str, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<i64> {
        let FunctionArgValue::Expr(expr) = &arg.value else {
            let message = format!("the argument {param} must be an INTERVAL");
            return Err(SqlError::at("bad-window", message, arg.span));
        };
        self.interval_ms(param, expr, env)
    }

    /// A constant interval of days to seconds, in milliseconds.
    pub(super) fn interval_ms(&self, param: &str, expr: &Expr, env: QueryEnv<'_>) -> SqlResult<i64> {
        let value = self.constant_expr(expr, env)?;
        match (self.fold(&value), &value.ty.root) {
            (Some(Value::Int(ms)), TypeRoot::IntervalDayTime) => Ok(ms),
            _ => {
                let message =
                    format!("the argument {param} of a window must be a constant INTERVAL of days to seconds");
                Err(SqlError::at("bad-window", message, expr.span).with_hint("for instance INTERVAL '10' MINUTE"))
            }
        }
    }

    fn duration_arg(&self, param: &str, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<i64> {
        let ms = self.interval_arg(param, arg, env)?;
        positive(param, ms, arg.span)
    }

    /// The input with window columns.
    pub(super) fn windowed(&self, input: BoundQuery, time: &OutputColumn, window: Window) -> SqlResult<BoundQuery> {
        let outputs = WINDOW_COLUMNS.map(|name| self.fresh(name));
        let schema = WindowTvf::schema_over(&input.plan, &outputs, &time.ty).map_err(plan_error)?;
        let types = WindowTvf::output_types(&time.ty);
        let mut columns = input.columns;
        for ((name, unique), ty) in WINDOW_COLUMNS.iter().zip(&outputs).zip(types) {
            columns.push(OutputColumn { name: (*name).to_owned(), unique: unique.clone(), ty });
        }
        let names = unique_names(columns.iter().map(|c| c.name.clone()));
        for (column, name) in columns.iter_mut().zip(names) {
            column.name = name;
        }
        let plan = extension(WindowTvf {
            input: input.plan,
            shape: window.shape,
            offset_ms: window.offset_ms,
            time: time.unique.clone(),
            time_type: time.ty.clone(),
            partition_by: window.partition_by,
            per_group: window.per_group,
            outputs,
            schema,
        });
        Ok(BoundQuery { plan, columns })
    }
}

/// The window of a function whose durations `duration` gives by name.
pub(super) fn shape(name: &str, duration: impl Fn(&str) -> SqlResult<i64>, span: Span) -> SqlResult<WindowShape> {
    match name {
        "TUMBLE" => Ok(WindowShape::Tumble { size_ms: duration("SIZE")? }),
        "HOP" => {
            let (slide_ms, size_ms) = (duration("SLIDE")?, duration("SIZE")?);
            Ok(WindowShape::Hop { slide_ms, size_ms })
        }
        "CUMULATE" => {
            let (step_ms, max_ms) = (duration("STEP")?, duration("SIZE")?);
            multiple("CUMULATE", ("maxSize", max_ms), ("step", step_ms), span)?;
            Ok(WindowShape::Cumulate { step_ms, max_ms })
        }
        _ => Ok(WindowShape::Session { gap_ms: duration("GAP")? }),
    }
}

fn multiple(function: &str, whole: (&str, i64), part: (&str, i64), span: Span) -> SqlResult<()> {
    if whole.1 % part.1 == 0 {
        return Ok(());
    }
    let message = format!(
        "{function} table function based aggregate requires {} must be an integral multiple of {}, but got {} {} ms and {} {} ms",
        whole.0, part.0, whole.0, whole.1, part.0, part.1
    );
    Err(SqlError::at("bad-window", message, span))
}

/// A duration of windows, which is positive.
pub(super) fn positive(param: &str, ms: i64, span: Span) -> SqlResult<i64> {
    match ms > 0 {
        true => Ok(ms),
        false => Err(SqlError::at("bad-window", format!("the argument {param} of a window must be positive"), span)),
    }
}

/// The column as a time attribute. Over bounded input every timestamp is one: its windows end when the input does.
pub(super) fn time_attribute(column: &OutputColumn, plan: &LogicalPlan, span: Span) -> SqlResult<OutputColumn> {
    if column.ty.time_attribute() != TimeAttribute::None {
        return Ok(column.clone());
    }
    if column.ty.is_timestamp() && is_bounded(plan) {
        return Ok(OutputColumn {
            ty: column.ty.clone().with_time_attribute(TimeAttribute::Rowtime),
            ..column.clone()
        });
    }
    let message =
        format!("The window function requires the timecol is a time attribute type, but is {}.", plain(&column.ty));
    let hint = format!("declare WATERMARK FOR `{0}` AS `{0}` - INTERVAL '5' SECOND in the table", column.name);
    let error = SqlError::at("not-a-time-attribute", message, span);
    Err(if column.ty.is_timestamp() { error.with_hint(hint) } else { error })
}

fn plain(ty: &LogicalType) -> LogicalType {
    ty.clone().with_nullable(true)
}

/// Whether all sources of a plan end.
pub(super) fn is_bounded(plan: &LogicalPlan) -> bool {
    let mut bounded = true;
    // The visitor never fails.
    let _ = plan.apply(|node| {
        if let LogicalPlan::Extension(e) = node
            && let Some(scan) = e.node.as_any().downcast_ref::<Scan>()
        {
            bounded &= scan.bounded;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    bounded
}
