//! Typing a call site.

use crate::types::supports_implicit_cast;
use crate::{BindArg, Bound};
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::ops::RangeInclusive;

/// A call to be typed.
///
/// The methods that take an argument position answer the type that this argument is to be cast to, or
/// the error that names the function, the types given and the signature.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Name of the function as registered.
    pub name: &'a str,
    /// Its signature.
    pub signature: &'a str,
    /// The arguments.
    pub args: &'a [BindArg],
}

impl Call<'_> {
    /// Number of arguments.
    pub fn len(&self) -> usize {
        self.args.len()
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty()
    }

    /// Type of argument `index`.
    pub fn ty(&self, index: usize) -> &LogicalType {
        &self.args[index].ty
    }

    /// Value of argument `index` when it is a literal.
    pub fn literal(&self, index: usize) -> Option<&Value> {
        self.args.get(index)?.literal.as_ref()
    }

    /// Text of argument `index` when it is a non-NULL string literal.
    pub fn text(&self, index: usize) -> Option<&str> {
        match self.literal(index)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether any argument can be NULL.
    pub fn any_nullable(&self) -> bool {
        self.args.iter().any(|a| a.ty.nullable)
    }

    /// The error for arguments the function does not take.
    pub fn error(&self) -> Error {
        let given: Vec<_> = self.args.iter().map(|a| a.ty.to_string()).collect();
        let message = format!(
            "Cannot apply '{}' to arguments of types ({}). Supported signature: {}",
            self.name,
            given.join(", "),
            self.signature
        );
        Error::user("bad-function-call", message)
    }

    /// The error with the reason put first.
    pub fn error_because(&self, reason: &str) -> Error {
        self.error().context(reason)
    }

    /// Checks the number of arguments.
    pub fn arity(&self, expected: RangeInclusive<usize>) -> Result<()> {
        if expected.contains(&self.len()) { Ok(()) } else { Err(self.error()) }
    }

    /// Argument `index` as it is when `accepts` its type; a bare NULL becomes `default`.
    pub fn matching(
        &self,
        index: usize,
        default: TypeRoot,
        accepts: impl Fn(&LogicalType) -> bool,
    ) -> Result<LogicalType> {
        let ty = self.ty(index);
        match ty.root {
            TypeRoot::Null => Ok(default.into()),
            _ if accepts(ty) => Ok(ty.clone()),
            _ => Err(self.error()),
        }
    }

    /// A CHAR or VARCHAR argument, unchanged.
    pub fn string(&self, index: usize) -> Result<LogicalType> {
        self.matching(index, LogicalType::string().root, LogicalType::is_character)
    }

    /// A BINARY or VARBINARY argument, unchanged.
    pub fn binary(&self, index: usize) -> Result<LogicalType> {
        self.matching(index, TypeRoot::VarBinary(headwater_types::logical_type::LENGTH_MAX), LogicalType::is_binary)
    }

    /// An argument of any integer type, unchanged.
    pub fn any_integer(&self, index: usize) -> Result<LogicalType> {
        self.matching(index, TypeRoot::Int, LogicalType::is_integer)
    }

    /// An argument of any numeric type, unchanged.
    pub fn any_numeric(&self, index: usize) -> Result<LogicalType> {
        self.matching(index, TypeRoot::Int, LogicalType::is_numeric)
    }

    /// An argument cast to INT; TINYINT and SMALLINT widen.
    pub fn int(&self, index: usize) -> Result<LogicalType> {
        self.implicit(index, TypeRoot::Int)
    }

    /// An argument cast to BIGINT; smaller integers widen.
    pub fn bigint(&self, index: usize) -> Result<LogicalType> {
        self.implicit(index, TypeRoot::BigInt)
    }

    /// A numeric argument cast to DOUBLE.
    pub fn double(&self, index: usize) -> Result<LogicalType> {
        self.implicit(index, TypeRoot::Double)
    }

    /// A BOOLEAN argument.
    pub fn boolean(&self, index: usize) -> Result<LogicalType> {
        self.implicit(index, TypeRoot::Boolean)
    }

    /// An argument that casts implicitly to `root`, with the nullability it has.
    pub fn implicit(&self, index: usize, root: TypeRoot) -> Result<LogicalType> {
        let wanted = LogicalType::new(root, self.ty(index).nullable);
        if supports_implicit_cast(self.ty(index), &wanted) { Ok(wanted) } else { Err(self.error()) }
    }

    /// The outcome whose result is NULL exactly when an argument is.
    pub fn returns(&self, arg_types: Vec<LogicalType>, root: TypeRoot) -> Result<Bound> {
        let return_type = LogicalType::new(root, self.any_nullable());
        Ok(Bound { arg_types, return_type })
    }

    /// The outcome whose result may be NULL for any arguments.
    pub fn returns_nullable(&self, arg_types: Vec<LogicalType>, root: TypeRoot) -> Result<Bound> {
        Ok(Bound { arg_types, return_type: root.into() })
    }

    /// The outcome whose result is never NULL.
    pub fn returns_not_null(&self, arg_types: Vec<LogicalType>, root: TypeRoot) -> Result<Bound> {
        Ok(Bound { arg_types, return_type: LogicalType::from(root).not_null() })
    }

    /// Types a call whose arguments are all strings.
    pub fn all_strings(&self, arity: RangeInclusive<usize>) -> Result<Vec<LogicalType>> {
        self.arity(arity)?;
        (0..self.len()).map(|i| self.string(i)).collect()
    }
}
