//! The syntax tree of the dialect.
//!
//! The tree keeps what the user wrote closely enough to print it back
//! ([`Display`](std::fmt::Display) is implemented by every node, see
//! [`printer`](crate::printer)), and carries a [`Span`](crate::Span) on every node that can
//! be the subject of an error. It knows no catalog and no types: whether `a.b.c` is a
//! column, a table or a nested field is decided by the binder.
//!
//! Parentheses are not kept. Chains of `AND` and of `OR` are flat lists
//! ([`ExprKind::Logical`]), so that generated predicates with thousands of terms neither
//! nest nor overflow a stack; every other nesting is bounded by the parser
//! ([`MAX_NESTING`](crate::MAX_NESTING), [`MAX_HEIGHT`](crate::MAX_HEIGHT)).

mod alter;
mod ddl;
mod expr;
mod function;
mod ident;
mod literal;
mod match_recognize;
mod query;
mod show;
mod statement;
mod table;
mod types;

pub use alter::*;
pub use ddl::*;
pub use expr::*;
pub use function::*;
pub use ident::*;
pub use literal::*;
pub use match_recognize::*;
pub use query::*;
pub use show::*;
pub use statement::*;
pub use table::*;
pub use types::*;
