//! Constraints of sinks besides NOT NULL columns: lengths of strings (`table.exec.sink.type-length-enforcer`), and both
//! inside of rows and collections (`table.exec.sink.nested-constraint-enforcer`).

use super::Lowering;
use super::not_null::drops_nulls;
use super::relation::Relation;
use headwater_functions::conditional::constraint::{CONSTRAIN, Depth, Lengths, Rules, SATISFIES};
use headwater_plan::{Expr, SinkSpec, Value};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// What happens to strings of another length than declared.
pub const LENGTHS: Key = Key { name: "table.exec.sink.type-length-enforcer", default: "IGNORE" };
/// How deep constraints are checked.
pub const NESTED: Key = Key { name: "table.exec.sink.nested-constraint-enforcer", default: "IGNORE" };

impl Lowering<'_> {
    /// Puts the checks in front of a sink.
    pub(super) fn enforce_constraints(&mut self, relation: Relation, sink: &SinkSpec) -> Result<Relation> {
        let config = self.context.config;
        let depth = depth(config)?;
        let rules = Rules { lengths: lengths(config)?, depth, nulls: depth != Depth::Columns };
        let columns = &sink.table.columns;
        if columns.iter().any(|(_, ty)| rules.fits_collections(ty)) {
            let message = "Trimming and/or padding is not supported if constraint checking is enabled on types nested \
                           in collections.";
            return Err(Error::user("bad-config-value", message));
        }
        let types = self.types(&relation).to_vec();
        let column = |i: usize| Expr::column(i, types[i].clone());
        let mut projection: Vec<Expr> = (0..types.len()).map(column).collect();
        let mut conditions = vec![];
        let drop = rules.nulls && drops_nulls(config)?;
        let only_nulls = Rules { lengths: Lengths::Ignore, ..rules };
        for (i, (name, declared)) in columns.iter().enumerate().take(types.len()) {
            let mut rules = rules;
            if drop && only_nulls.concern(declared) {
                conditions.push(satisfies(column(i), declared, rules));
            }
            rules.nulls &= !drop;
            if rules.concern(declared) {
                projection[i] = constrain(column(i), declared, name, rules);
            }
        }
        let condition = (!conditions.is_empty()).then_some(Expr::And(conditions));
        let names = self.names(&relation).to_vec();
        let producers = self.calc_node(&relation, condition, projection, names);
        Ok(Relation { producers, ..relation })
    }
}

fn lengths(config: &Configuration) -> Result<Lengths> {
    match config.text(LENGTHS).to_ascii_uppercase().as_str() {
        "IGNORE" => Ok(Lengths::Ignore),
        "TRIM_PAD" => Ok(Lengths::Fit),
        "ERROR" => Ok(Lengths::Fail),
        other => Err(bad_value(LENGTHS.name, other, "IGNORE, TRIM_PAD or ERROR")),
    }
}

fn depth(config: &Configuration) -> Result<Depth> {
    match config.text(NESTED).to_ascii_uppercase().as_str() {
        "IGNORE" => Ok(Depth::Columns),
        "ROWS" => Ok(Depth::Rows),
        "ROWS_AND_COLLECTIONS" => Ok(Depth::Collections),
        other => Err(bad_value(NESTED.name, other, "IGNORE, ROWS or ROWS_AND_COLLECTIONS")),
    }
}

fn bad_value(key: &str, value: &str, expected: &str) -> Error {
    Error::user("bad-config-value", format!("'{value}' is not a value of '{key}': expected {expected}"))
}

fn text(value: Value) -> Expr {
    Expr::Literal { value, ty: LogicalType::string().not_null() }
}

/// A NULL that carries a type.
fn of_type(ty: &LogicalType) -> Expr {
    Expr::Literal { value: Value::Null, ty: ty.clone() }
}

fn satisfies(value: Expr, declared: &LogicalType, rules: Rules) -> Expr {
    let args = vec![value, of_type(declared), text(rules.encode())];
    Expr::Call { function: SATISFIES.to_owned(), args, ty: LogicalType::new(TypeRoot::Boolean, false) }
}

fn constrain(value: Expr, declared: &LogicalType, column: &str, rules: Rules) -> Expr {
    let ty = value.ty();
    let args = vec![value, of_type(declared), text(Value::String(column.to_owned())), text(rules.encode())];
    Expr::Call { function: CONSTRAIN.to_owned(), args, ty }
}
