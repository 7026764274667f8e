//! Scalar expressions of a plan.

use crate::Value;
use headwater_types::LogicalType;
use serde::{Deserialize, Serialize};

/// A typed scalar expression over the columns of one input row.
///
/// All implicit casts are explicit here, and every node knows its logical type. Functions, operators
/// and comparisons are [`Expr::Call`]s by registry name (`+`, `=`, `IS NULL`, `UPPER`); only what is
/// evaluated lazily or touches no value has a node of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// Column of the input.
    Column {
        /// Position in the input row.
        index: usize,
        /// Its type.
        ty: LogicalType,
    },
    /// A constant.
    Literal {
        /// The value.
        value: Value,
        /// Its type.
        ty: LogicalType,
    },
    /// Field of a ROW value; NULL when the row is NULL.
    Field {
        /// The row.
        input: Box<Expr>,
        /// Position of the field within the row type of `input`.
        index: usize,
        /// Type of the field.
        ty: LogicalType,
    },
    /// A function of the registry applied to arguments of exactly its bound types.
    Call {
        /// Canonical registry name.
        function: String,
        /// The arguments.
        args: Vec<Expr>,
        /// The result type.
        ty: LogicalType,
    },
    /// CAST or TRY_CAST.
    Cast {
        /// What is cast.
        input: Box<Expr>,
        /// Target type.
        ty: LogicalType,
        /// NULL instead of an error when the value cannot be cast.
        try_cast: bool,
    },
    /// Three-valued conjunction; evaluated left to right, a later operand only where still undecided.
    And(Vec<Expr>),
    /// Three-valued disjunction; evaluated like [`Expr::And`].
    Or(Vec<Expr>),
    /// Searched CASE; a branch is evaluated only for the rows that reach it.
    Case {
        /// Conditions with their results.
        branches: Vec<(Expr, Expr)>,
        /// Result when no condition is true; NULL when absent.
        otherwise: Option<Box<Expr>>,
        /// The common type of all results.
        ty: LogicalType,
    },
    /// `input IN (list)` over literals of the type of `input`, with SQL's NULL semantics.
    InList {
        /// The needle.
        input: Box<Expr>,
        /// The haystack.
        list: Vec<Expr>,
        /// `NOT IN`.
        negated: bool,
    },
}

impl Expr {
    /// A column reference.
    pub fn column(index: usize, ty: LogicalType) -> Self {
        Self::Column { index, ty }
    }

    /// The type of the expression.
    pub fn ty(&self) -> LogicalType {
        match self {
            Self::Column { ty, .. }
            | Self::Literal { ty, .. }
            | Self::Field { ty, .. }
            | Self::Call { ty, .. }
            | Self::Cast { ty, .. }
            | Self::Case { ty, .. } => ty.clone(),
            Self::And(operands) | Self::Or(operands) => boolean(operands.iter().any(|o| o.ty().nullable)),
            Self::InList { input, list, .. } => boolean(input.ty().nullable || list.iter().any(|e| e.ty().nullable)),
        }
    }

    /// The direct sub-expressions.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Column { .. } | Self::Literal { .. } => vec![],
            Self::Field { input, .. } | Self::Cast { input, .. } => vec![input],
            Self::Call { args, .. } | Self::And(args) | Self::Or(args) => args.iter().collect(),
            Self::Case { branches, otherwise, .. } => {
                let pairs = branches.iter().flat_map(|(c, r)| [c, r]);
                pairs.chain(otherwise.as_deref()).collect()
            }
            Self::InList { input, list, .. } => std::iter::once(input.as_ref()).chain(list).collect(),
        }
    }

    /// The direct sub-expressions, mutable.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Column { .. } | Self::Literal { .. } => vec![],
            Self::Field { input, .. } | Self::Cast { input, .. } => vec![input],
            Self::Call { args, .. } | Self::And(args) | Self::Or(args) => args.iter_mut().collect(),
            Self::Case { branches, otherwise, .. } => {
                let pairs = branches.iter_mut().flat_map(|(c, r)| [c, r]);
                pairs.chain(otherwise.as_deref_mut()).collect()
            }
            Self::InList { input, list, .. } => std::iter::once(input.as_mut()).chain(list).collect(),
        }
    }
}

fn boolean(nullable: bool) -> LogicalType {
    LogicalType::new(headwater_types::TypeRoot::Boolean, nullable)
}
