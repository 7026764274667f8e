//! Registry functions, casts and field access as DataFusion scalar functions.
//!
//! The planner builds DataFusion expressions out of these, so that the optimiser folds constants through
//! the very kernels that run later; afterwards it lowers them back to plan expressions by [`downcast`].
//! Every [`FunctionUdf`] is one bound call: its logical types are part of its identity, because several
//! logical types share an Arrow type.

use crate::{ExprContext, field::FieldKernel};
use arrow::datatypes::DataType;
use chrono_tz::Tz;
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use headwater_data::arrow_type;
use headwater_env::Env;
use headwater_functions::{BuildContext, Determinism, Function, Kernel, Operand};
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Name of the function that stands for CAST.
pub const CAST: &str = "CAST";
/// Name of the function that stands for TRY_CAST.
pub const TRY_CAST: &str = "TRY_CAST";
/// Name of the function that stands for field access on a ROW.
pub const FIELD: &str = "FIELD";

/// What a [`FunctionUdf`] calls.
#[derive(Clone, Copy)]
pub enum Target {
    /// A function of the registry.
    Function(&'static Function),
    /// CAST, or TRY_CAST when `try_cast`.
    Cast {
        /// NULL instead of an error when a value cannot be cast.
        try_cast: bool,
    },
    /// A field of a ROW.
    Field {
        /// Position of the field in the row type.
        index: usize,
    },
}

/// A bound call of a function.
pub struct FunctionUdf {
    name: String,
    target: Target,
    arg_types: Vec<LogicalType>,
    return_type: LogicalType,
    literals: Vec<Option<Value>>,
    zone: Tz,
    env: Env,
    signature: Signature,
    return_arrow_type: DataType,
    kernel: OnceLock<Result<Box<dyn Kernel>>>,
}

/// A bound call, as the binder describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Types of the arguments, after coercion.
    pub arg_types: Vec<LogicalType>,
    /// Values of the arguments that are literals; as many as arguments.
    pub literals: Vec<Option<Value>>,
    /// Type of the result.
    pub return_type: LogicalType,
}

/// A call of the registry function `name`. With `streaming`, functions of the clock are never folded.
pub fn call(name: &str, binding: Binding, context: &ExprContext, streaming: bool) -> Result<Arc<ScalarUDF>> {
    let function = headwater_functions::lookup(name)
        .ok_or_else(|| Error::internal(format!("the plan calls '{name}', which is not in the function registry")))?;
    let volatility = match function.determinism {
        Determinism::Pure => Volatility::Immutable,
        Determinism::Temporal if !streaming => Volatility::Stable,
        Determinism::Temporal | Determinism::Volatile => Volatility::Volatile,
    };
    Ok(wrap(function.name, Target::Function(function), binding, context, volatility))
}

/// A CAST (or TRY_CAST) from `from` to `to`.
pub fn cast(from: LogicalType, to: LogicalType, try_cast: bool, context: &ExprContext) -> Arc<ScalarUDF> {
    let binding = Binding { arg_types: vec![from], literals: vec![None], return_type: to };
    let name = if try_cast { TRY_CAST } else { CAST };
    wrap(name, Target::Cast { try_cast }, binding, context, Volatility::Immutable)
}

/// Access to the field at `index`, of type `ty`, of a value of type `row`.
pub fn field(row: LogicalType, index: usize, ty: LogicalType, context: &ExprContext) -> Arc<ScalarUDF> {
    let binding = Binding { arg_types: vec![row], literals: vec![None], return_type: ty };
    wrap(FIELD, Target::Field { index }, binding, context, Volatility::Immutable)
}

/// The bound call behind a scalar function, if it is one of this module's.
pub fn downcast(udf: &ScalarUDF) -> Option<&FunctionUdf> {
    udf.inner().downcast_ref()
}

fn wrap(name: &str, target: Target, binding: Binding, context: &ExprContext, volatility: Volatility) -> Arc<ScalarUDF> {
    let arity = match binding.arg_types.len() {
        0 => TypeSignature::Nullary,
        n => TypeSignature::Any(n),
    };
    let udf = FunctionUdf {
        name: name.to_owned(),
        target,
        return_arrow_type: arrow_type(&binding.return_type),
        arg_types: binding.arg_types,
        return_type: binding.return_type,
        literals: binding.literals,
        zone: context.zone,
        env: context.env.clone(),
        signature: Signature::new(arity, volatility),
        kernel: OnceLock::new(),
    };
    Arc::new(ScalarUDF::new_from_impl(udf))
}

impl FunctionUdf {
    /// Canonical registry name, [`CAST`], [`TRY_CAST`] or [`FIELD`].
    pub fn function(&self) -> &str {
        &self.name
    }

    /// What it calls.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Types of the arguments.
    pub fn arg_types(&self) -> &[LogicalType] {
        &self.arg_types
    }

    /// Type of the result.
    pub fn return_type(&self) -> &LogicalType {
        &self.return_type
    }

    fn kernel(&self) -> Result<&dyn Kernel> {
        match self.kernel.get_or_init(|| self.build()) {
            Ok(kernel) => Ok(kernel.as_ref()),
            Err(error) => Err(error.clone()),
        }
    }

    fn build(&self) -> Result<Box<dyn Kernel>> {
        match self.target {
            Target::Function(function) => function.build(&BuildContext {
                arg_types: &self.arg_types,
                literals: &self.literals,
                return_type: &self.return_type,
                zone: self.zone,
                env: &self.env,
            }),
            Target::Cast { try_cast } => {
                headwater_functions::cast::kernel(&self.arg_types[0], &self.return_type, try_cast, self.zone)
            }
            Target::Field { index } => Ok(Box::new(FieldKernel { index })),
        }
    }

    fn invoke(&self, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        let operands = args.args.iter().map(to_operand).collect::<Result<Vec<_>>>()?;
        let all_scalar = operands.iter().all(|o| matches!(o, Operand::Scalar(_)));
        let volatile = matches!(self.target, Target::Function(f) if f.determinism == Determinism::Volatile);
        if all_scalar && !volatile {
            let array = self.kernel()?.eval(&operands, 1)?;
            let scalar = ScalarValue::try_from_array(&array, 0).map_err(internal)?;
            return Ok(ColumnarValue::Scalar(scalar));
        }
        Ok(ColumnarValue::Array(self.kernel()?.eval(&operands, args.number_rows)?))
    }
}

fn to_operand(value: &ColumnarValue) -> Result<Operand> {
    match value {
        ColumnarValue::Array(array) => Ok(Operand::Array(array.clone())),
        ColumnarValue::Scalar(scalar) => Ok(Operand::Scalar(scalar.to_array().map_err(internal)?)),
    }
}

fn internal(error: DataFusionError) -> Error {
    Error::internal(format!("a scalar could not be converted: {error}"))
}

impl ScalarUDFImpl for FunctionUdf {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> datafusion_common::Result<DataType> {
        Ok(self.return_arrow_type.clone())
    }

    /// Arguments that are evaluated only for some rows must not be evaluated ahead of the call.
    fn short_circuits(&self) -> bool {
        matches!(self.name.as_str(), "IF" | "COALESCE" | "IFNULL")
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> datafusion_common::Result<ColumnarValue> {
        self.invoke(&args).map_err(|e| DataFusionError::External(Box::new(e)))
    }
}

/// Identity of the call; literals are arguments of the call expression and compared there.
impl PartialEq for FunctionUdf {
    fn eq(&self, other: &Self) -> bool {
        let field = |target| match target {
            Target::Field { index } => Some(index),
            _ => None,
        };
        self.name == other.name
            && field(self.target) == field(other.target)
            && self.arg_types == other.arg_types
            && self.return_type == other.return_type
            && self.zone == other.zone
    }
}

impl Eq for FunctionUdf {}

impl Hash for FunctionUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.arg_types.hash(state);
        self.return_type.hash(state);
        if let Target::Field { index } = self.target {
            index.hash(state);
        }
    }
}

impl fmt::Debug for FunctionUdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionUdf")
            .field("name", &self.name)
            .field("arg_types", &self.arg_types)
            .field("return_type", &self.return_type)
            .finish_non_exhaustive()
    }
}
