//! Makes the operators of SQL, and fails to when a simulation wants it.

use crate::connector::Troubles;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_runtime::{BuildContext, OperatorFactory};
use headwater_types::Result;
use std::sync::Arc;

/// The operators of a process.
pub(crate) struct Operators {
    pub(crate) troubles: Arc<Troubles>,
}

impl OperatorFactory for Operators {
    fn build(&self, node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
        self.troubles.build.call("building an operator")?;
        let context = headwater_sql_operators::BuildContext {
            config: context.config,
            env: context.env.clone(),
            input_changes: context.input_changes,
        };
        headwater_sql_operators::build(node, &context)
    }
}
