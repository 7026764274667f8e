//! Flink's aggregate functions as DataFusion sees them: names and types only.
//!
//! They are evaluated by the operators of `headwater-sql-operators`; DataFusion's planner rules need no
//! more than their result type.

use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, TypeSignature, Volatility};
use headwater_data::arrow_type;
use headwater_plan::Value;
use headwater_types::LogicalType;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// An aggregate function with its Flink result type.
#[derive(Debug, Clone)]
pub struct FlinkAggregate {
    /// Canonical upper-case name, as in [`headwater_plan::operators::AggregateCall`].
    pub name: String,
    /// Result type.
    pub return_type: LogicalType,
    /// Literal arguments after the columns.
    pub parameters: Vec<Value>,
    signature: Signature,
}

impl FlinkAggregate {
    /// The function as a DataFusion aggregate.
    pub fn udf(name: &str, return_type: LogicalType, parameters: Vec<Value>) -> Arc<AggregateUDF> {
        let arguments = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        let signature = Signature::one_of(arguments, Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Self { name: name.to_owned(), return_type, parameters, signature }))
    }

    /// The Flink side of a DataFusion aggregate made by [`FlinkAggregate::udf`].
    pub fn downcast(udf: &AggregateUDF) -> Option<&Self> {
        (udf.inner().as_ref() as &dyn std::any::Any).downcast_ref()
    }
}

impl PartialEq for FlinkAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.return_type == other.return_type && self.parameters == other.parameters
    }
}

impl Eq for FlinkAggregate {}

impl Hash for FlinkAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.return_type.hash(state);
    }
}

impl AggregateUDFImpl for FlinkAggregate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(arrow_type(&self.return_type))
    }

    /// The result over no rows: decorrelation puts it where a subquery finds none.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.name.as_str() {
            "COUNT" | "SUM0" | "APPROX_COUNT_DISTINCT" => ScalarValue::new_zero(data_type),
            _ => ScalarValue::try_from(data_type),
        }
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        datafusion_common::internal_err!("aggregates are evaluated by streaming operators")
    }
}
