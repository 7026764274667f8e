//! FOR SYSTEM_TIME AS OF: a table as of the times of what it is joined with.

use super::context::{ExprEnv, QueryEnv};
use super::from::Source;
use super::scope::Scope;
use super::table_function::{Signature, arranged};
use super::{Binder, OutputColumn};
use crate::logical::Snapshot;
use crate::logical::nodes::extension;
use crate::{SqlError, SqlResult};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Expr, Function, FunctionArg, FunctionArgValue, NamedTable, TableRef};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};

impl Binder<'_> {
    /// The right side of a temporal join: its versions valid at a time attribute of `left`.
    pub(super) fn versioned(
        &self,
        left: &Source,
        table: &NamedTable,
        time: &Expr,
        item: &TableRef,
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        let scope = Scope::new(left.1.clone(), None);
        let moment = self.expr(time, ExprEnv::rows(&scope, env.uncorrelated(), "FOR SYSTEM_TIME AS OF"))?;
        let attribute = moment.ty.time_attribute();
        let (Some(column), false) = (moment.column_name(), attribute == TimeAttribute::None) else {
            let message = "Temporal table join currently only supports 'FOR SYSTEM_TIME AS OF' left table's time \
                           attribute field";
            return Err(SqlError::at("not-a-time-attribute", message, time.span));
        };
        let bound = self.named_relation(&table.name, &table.hints, env)?;
        self.note_alias(item, bound.path.last().map_or("", String::as_str));
        let proctime = attribute == TimeAttribute::Proctime;
        let version = if proctime { None } else { Some(version_column(&bound.query.columns, item.span)?) };
        let (input, relations) = self.aliased(bound.query, bound.path, item.alias.as_ref())?;
        let version = version.map(|position| relations[0].columns[position].unique.clone());
        Ok((extension(Snapshot { input, time: column.to_owned(), proctime, version, load_until_ms: None }), relations))
    }

    /// The right side of a join with `LATERAL TABLE(SNAPSHOT(..))`: the rows that a table holds, once it is loaded.
    pub(super) fn loaded(&self, call: &Function, item: &TableRef, env: QueryEnv<'_>) -> SqlResult<Source> {
        let args = arranged(&SNAPSHOT, call)?;
        let Some(data) = args[0] else { return Err(SqlError::internal("a required argument is not there")) };
        let input = self.data_arg(data, env)?;
        let condition = match args[1] {
            None => COMPILE_TIME.to_owned(),
            Some(arg) => match self.argument(arg, env)? {
                (Value::String(text), _) => text.trim().to_lowercase(),
                _ => String::new(),
            },
        };
        let load_until_ms = match (condition.as_str(), args[2]) {
            (COMPILE_TIME, None) => self.context.env.now_ms(),
            ("user_time", Some(arg)) => self.instant_ms(arg, env)?,
            ("user_time", None) => {
                let message = "the condition 'user_time' needs the argument load_completed_time";
                return Err(SqlError::at("bad-table-argument", message, call.span));
            }
            (COMPILE_TIME, Some(arg)) => {
                let message = "load_completed_time belongs to load_completed_condition => 'user_time'";
                return Err(SqlError::at("bad-table-argument", message, arg.span));
            }
            _ => {
                let message = "the argument load_completed_condition is 'compile_time' or 'user_time'";
                return Err(SqlError::at("bad-table-argument", message, call.span));
            }
        };
        if !input.partition_by.is_empty() || !input.order_by.is_empty() {
            let message = "SNAPSHOT takes no PARTITION BY and no ORDER BY: the condition of the join finds its rows";
            return Err(SqlError::at("bad-table-argument", message, data.span));
        }
        let (input, relations) = self.aliased(input.rows, vec![], item.alias.as_ref())?;
        let node =
            Snapshot { input, time: String::new(), proctime: false, version: None, load_until_ms: Some(load_until_ms) };
        Ok((extension(node), relations))
    }

    /// A constant instant, in milliseconds since the epoch.
    fn instant_ms(&self, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<i64> {
        let (value, ty) = self.argument(arg, env)?;
        let ticks_per_ms = match ty.root {
            TypeRoot::TimestampLtz(0..=3, _) => 1,
            TypeRoot::TimestampLtz(4..=6, _) => 1_000,
            TypeRoot::TimestampLtz(..) => 1_000_000,
            _ => 0,
        };
        match value {
            Value::Int(ticks) if ticks_per_ms > 0 => Ok(ticks.div_euclid(ticks_per_ms)),
            _ => {
                let message = "the argument load_completed_time is a constant TIMESTAMP_LTZ";
                Err(SqlError::at("bad-table-argument", message, arg.span))
            }
        }
    }

    fn argument(&self, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<(Value, LogicalType)> {
        let constant = || SqlError::at("not-constant", "the argument must be a constant", arg.span);
        let FunctionArgValue::Expr(expr) = &arg.value else { return Err(constant()) };
        let value = self.constant_expr(expr, env)?;
        Ok((self.fold(&value).ok_or_else(constant)?, value.ty))
    }
}

/// Whether a function in FROM is `SNAPSHOT`.
pub(super) fn is_snapshot(call: &Function) -> bool {
    call.name.as_single().is_some_and(|name| name.value.eq_ignore_ascii_case(SNAPSHOT.name))
}

const SNAPSHOT: Signature =
    Signature { name: "SNAPSHOT", params: &["INPUT", "LOAD_COMPLETED_CONDITION", "LOAD_COMPLETED_TIME"], required: 1 };

/// The table is loaded when its event time has come to the time at which the statement was planned.
const COMPILE_TIME: &str = "compile_time";

/// Position of the rowtime attribute of a versioned table.
fn version_column(columns: &[OutputColumn], span: Span) -> SqlResult<usize> {
    let position = columns.iter().position(|c| c.ty.time_attribute() == TimeAttribute::Rowtime);
    position.ok_or_else(|| {
        let message = "Event-Time Temporal Table Join requires both primary key and row time attribute in versioned \
                       table, but no row time attribute can be found";
        SqlError::at("not-a-time-attribute", message, span).with_hint("declare a WATERMARK in the versioned table")
    })
}
