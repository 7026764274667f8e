//! NOT NULL columns of sinks: rows that would break the constraint fail the job or are dropped, as
//! `table.exec.sink.not-null-enforcer` says.

use super::Lowering;
use super::relation::Relation;
use headwater_functions::conditional::not_null::REQUIRE_NOT_NULL;
use headwater_plan::{Expr, SinkSpec, Value};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// What happens to a NULL for a NOT NULL column: `ERROR` or `DROP`.
const ENFORCER: Key = Key { name: "table.exec.sink.not-null-enforcer", default: "ERROR" };

impl Lowering<'_> {
    /// Puts the check in front of a sink whose NOT NULL columns get nullable values.
    pub(super) fn enforce_not_null(&mut self, relation: Relation, sink: &SinkSpec) -> Result<Relation> {
        let types = self.types(&relation).to_vec();
        let breaks = |i: &usize| sink.table.columns.get(*i).is_some_and(|(_, ty)| !ty.nullable) && types[*i].nullable;
        let checked: Vec<usize> = (0..types.len()).filter(breaks).collect();
        if checked.is_empty() {
            return Ok(relation);
        }
        let column = |i: usize| Expr::column(i, types[i].clone());
        let mut projection: Vec<Expr> = (0..types.len()).map(column).collect();
        let mut condition = None;
        match drops_nulls(self.context.config)? {
            true => condition = Some(Expr::And(checked.iter().map(|i| is_not_null(column(*i))).collect())),
            false => checked.iter().for_each(|i| projection[*i] = require(column(*i), &sink.table.columns[*i].0)),
        }
        let names = self.names(&relation).to_vec();
        let producers = self.calc_node(&relation, condition, projection, names);
        Ok(Relation { producers, ..relation })
    }
}

/// Whether rows with a NULL where none may be are dropped; otherwise they fail the job.
pub(super) fn drops_nulls(config: &Configuration) -> Result<bool> {
    match config.text(ENFORCER).to_ascii_uppercase().as_str() {
        "DROP" => Ok(true),
        "ERROR" => Ok(false),
        other => {
            let message = format!("'{other}' is not a value of '{}': expected ERROR or DROP", ENFORCER.name);
            Err(Error::user("bad-config-value", message))
        }
    }
}

fn is_not_null(value: Expr) -> Expr {
    let ty = LogicalType::new(TypeRoot::Boolean, false);
    Expr::Call { function: "IS NOT NULL".to_owned(), args: vec![value], ty }
}

fn require(value: Expr, column: &str) -> Expr {
    let ty = value.ty().not_null();
    let name = Expr::Literal { value: Value::String(column.to_owned()), ty: LogicalType::string().not_null() };
    Expr::Call { function: REQUIRE_NOT_NULL.to_owned(), args: vec![value, name], ty }
}
