//! Evaluating expressions over a one-row table by running a query.

use crate::outcome::Stop;
use headwater_connectors::values::{Row, Store};
use headwater_data::ChangeBatch;
use headwater_embedded::Engine;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::{ParseError, parse_statement};
use headwater_types::{LogicalType, RowKind, TypeRoot};
use std::sync::atomic::{AtomicU64, Ordering};

static NEXT_ROW: AtomicU64 = AtomicU64::new(0);

/// What a query over one row gave.
pub(super) struct Evaluated {
    /// Types of the columns.
    pub(super) types: Vec<LogicalType>,
    /// A batch with the row.
    pub(super) batch: ChangeBatch,
}

/// The row that expressions are evaluated over: fields f0, f1, ...
pub(super) struct InputRow {
    data_id: String,
    has_fields: bool,
}

impl InputRow {
    /// Registers the row and declares its table, called as in Flink's own tests.
    pub(super) fn declare(
        engine: &mut Engine,
        fields: Vec<(headwater_plan::Value, LogicalType)>,
    ) -> Result<Self, Stop> {
        let data_id = format!("function-{}", NEXT_ROW.fetch_add(1, Ordering::Relaxed));
        let has_fields = !fields.is_empty();
        let columns: Vec<String> = fields.iter().enumerate().map(|(i, (_, ty))| format!("f{i} {ty}")).collect();
        let row: Row = (RowKind::Insert, fields.into_iter().map(|(value, _)| value).collect());
        Store::register(&data_id, vec![row]);
        let declared = Self { data_id, has_fields };
        if has_fields {
            let options = format!("'connector' = 'values', 'data-id' = '{}'", declared.data_id);
            let ddl = format!("CREATE TABLE testTable ({}) WITH ({options})", columns.join(", "));
            run(engine, &ddl)?;
        }
        Ok(declared)
    }

    /// Evaluates an expression list over the row.
    pub(super) fn select(&self, engine: &mut Engine, expressions: &str) -> Result<Evaluated, Stop> {
        let from = if self.has_fields { " FROM testTable" } else { "" };
        let sql = format!("SELECT {expressions}{from}");
        let statement = parse_statement(&sql).map_err(syntax_error)?;
        let StatementResult::Query(query) = engine.execute(&statement, &sql)? else {
            return Err(Stop::failed("the case is no expression"));
        };
        let running = engine.start_query(*query)?;
        let types = running.columns().iter().map(|(_, ty)| ty.clone()).collect();
        let (batches, result) = running.collect();
        result.into_result()?;
        let mut rows = batches.into_iter().filter(|batch| batch.num_rows() > 0);
        match (rows.next(), rows.next()) {
            (Some(batch), None) if batch.num_rows() == 1 => Ok(Evaluated { types, batch }),
            _ => Err(Stop::failed("the query over one row did not give one row")),
        }
    }
}

impl Drop for InputRow {
    fn drop(&mut self) {
        Store::remove(&self.data_id);
    }
}

fn run(engine: &mut Engine, sql: &str) -> Result<(), Stop> {
    let statement = parse_statement(sql).map_err(syntax_error)?;
    engine.execute(&statement, sql)?;
    Ok(())
}

/// The numbers of the fields `f0`, `f1`, .. in an expression.
pub(super) fn referenced_fields(sql: &str) -> Vec<usize> {
    let tokens = headwater_sql_parser::tokens(sql);
    let number = |token: &headwater_sql_parser::Token| token.span.text(sql).strip_prefix('f')?.parse().ok();
    tokens.iter().filter_map(number).collect()
}

/// What stands for a field that nobody refers to.
pub(super) fn absent_field() -> (headwater_plan::Value, LogicalType) {
    (headwater_plan::Value::Null, TypeRoot::Boolean.into())
}

pub(super) fn syntax_error(error: ParseError) -> Stop {
    Stop::failed(format!("syntax error: {error}"))
}
