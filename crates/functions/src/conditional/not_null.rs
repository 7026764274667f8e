//! The check that a sink's NOT NULL column holds no NULL.
//!
//! Not a function of SQL: the planner puts it in front of sinks (`table.exec.sink.not-null-enforcer`).

use crate::kernel::Call;
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef};
use headwater_plan::Value;
use headwater_types::{Error, Result};

/// Name of the check: `(value, column name)`.
pub const REQUIRE_NOT_NULL: &str = "$REQUIRE_NOT_NULL";

/// The functions of this group.
pub const FUNCTIONS: &[Function] =
    &[Function::new(REQUIRE_NOT_NULL, "$REQUIRE_NOT_NULL(value <ANY>, column <CHARACTER_STRING>)", bind, build)];

fn bind(call: &Call<'_>) -> Result<Bound> {
    Err(call.error())
}

fn build(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let column = match context.literals.get(1) {
        Some(Some(Value::String(name))) => name.clone(),
        _ => return Err(Error::internal("the column of a NOT NULL check is a literal")),
    };
    Ok(Box::new(RequireNotNull { column }))
}

struct RequireNotNull {
    column: String,
}

impl Kernel for RequireNotNull {
    fn eval(&self, args: &[Operand], rows: usize) -> Result<ArrayRef> {
        let array = args[0].array();
        if array.null_count() > 0 {
            let message = format!(
                "Column '{}' is NOT NULL, however, a null value is being written into it. You can set job \
                 configuration 'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such \
                 records silently.",
                self.column
            );
            return Err(Error::user("null-in-not-null-column", message));
        }
        match &args[0] {
            Operand::Array(array) => Ok(array.clone()),
            Operand::Scalar(value) => {
                let repeated = arrow::array::UInt32Array::from(vec![0; rows]);
                let taken = arrow::compute::take(value.as_ref(), &repeated, None);
                taken.map_err(|e| Error::internal(format!("a value could not be repeated: {e}")))
            }
        }
    }
}
