//! COALESCE: an argument is evaluated only for the rows where all before it are NULL.

use crate::case::{Assembly, select_rows};
use crate::node::Node;
use crate::scope::Scope;
use arrow::array::BooleanArray;
use headwater_functions::Operand;
use headwater_functions::kernel::operand_nulls;
use headwater_types::{Error, Result};

pub(crate) struct CoalesceNode {
    /// The arguments, all of one type.
    pub(crate) args: Vec<Node>,
}

impl CoalesceNode {
    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        let (first, rest) = self.args.split_first().ok_or_else(|| Error::internal("COALESCE has no arguments"))?;
        let found = first.eval(scope)?;
        if rest.is_empty() || operand_nulls(&found, scope.rows()).is_none() {
            return Ok(found);
        }
        let rows: Vec<u32> = (0..scope.rows() as u32).collect();
        let mut assembly = Assembly::of(rows.len());
        fill(found, rest, scope, &rows, &mut assembly)?;
        assembly.finish(scope.rows())
    }
}

/// Puts the values of `found`, and for those of its rows that are NULL the first value of `rest`. The rows of
/// `scope` are `rows` of the outermost scope.
fn fill(found: Operand, rest: &[Node], scope: &Scope<'_>, rows: &[u32], assembly: &mut Assembly) -> Result<()> {
    let valid = operand_nulls(&found, scope.rows());
    let next = rest.split_first();
    let (Some(valid), Some((next, rest))) = (valid, next) else {
        assembly.put(rows, found);
        return Ok(());
    };
    if valid.null_count() == scope.rows() {
        return fill(next.eval(scope)?, rest, scope, rows, assembly);
    }
    assembly.put(rows, found);
    let missing = BooleanArray::new(!valid.inner(), None);
    let selected = Scope::select(scope, &missing);
    fill(next.eval(&selected)?, rest, &selected, &select_rows(rows, &missing), assembly)
}
