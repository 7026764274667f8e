//! Cases about functions and operators: expressions over one row.

mod evaluate;
mod expression;
mod group;
mod java_type;
mod test_rows;

pub(crate) use expression::ExpressionCase;
pub(crate) use group::FunctionGroup;
pub(crate) use test_rows::TestRows;
