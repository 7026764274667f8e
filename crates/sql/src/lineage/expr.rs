//! What an expression makes of the columns it is over.

use super::origin::{Origin, Rows, Sources, Use, add, shortened};
use crate::lower::expr as lowering;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::Expr as DfExpr;
use headwater_expressions::render;
use headwater_lineage::Kind;
use headwater_plan::{Expr, Value};
use headwater_types::{LogicalType, TypeRoot};

/// Functions whose result does not show the value.
const MASKING: &[&str] =
    &["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA2", "HASH_CODE", "$HASH_CODE", "MASK"];

/// An expression over the columns of a relation.
pub(super) struct Over<'a> {
    rows: &'a Rows,
    /// Columns by the positions that the expression has for them.
    columns: Vec<String>,
    expr: Option<Expr>,
    /// The text of the expression.
    pub text: String,
}

/// The expression, ready to be asked. `mask` hides its literals.
pub(super) fn over<'a>(expr: &DfExpr, rows: &'a Rows, mask: bool) -> Over<'a> {
    let columns: Vec<String> = expr.column_refs().into_iter().map(|column| column.name.clone()).collect();
    let resolve = |name: &str| {
        let position = columns.iter().position(|column| column == name)?;
        let ty = rows.columns.get(name).map_or_else(|| TypeRoot::Null.into(), |origin| origin.ty.clone());
        Some((position, ty))
    };
    let lowered = lowering::lower(expr, &resolve).ok();
    let text = lowered.as_ref().map(|lowered| {
        let name = |at: usize| rows.text(&columns[at]);
        match mask {
            true => render::render(&without_literals(lowered.clone()), &name),
            false => render::render(lowered, &name),
        }
    });
    Over { rows, columns, expr: lowered, text: shortened(&unwrapped(text.unwrap_or_default())) }
}

/// A text without the parentheses that are around all of it.
fn unwrapped(text: String) -> String {
    let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return text };
    let mut depth = 0i32;
    for c in inner.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth < 0 {
            return text;
        }
    }
    inner.to_owned()
}

impl Over<'_> {
    /// The origin of the expression's value.
    pub fn origin(&self) -> Origin {
        let mut sources = Sources::new();
        self.used(Use::new(Kind::Identity, &self.text), &mut sources);
        let mut origin = Origin { sources, text: self.text.clone(), ..Origin::default() };
        if let Some(expr) = &self.expr {
            origin.ty = expr.ty();
        }
        if let Some(Expr::Column { index, .. }) = &self.expr
            && let Some(column) = self.rows.columns.get(&self.columns[*index])
        {
            return column.clone();
        }
        origin
    }

    /// What a use of the expression's value is a use of.
    pub fn used(&self, how: Use<'_>, to: &mut Sources) {
        match &self.expr {
            Some(expr) => self.visit(expr, how, to),
            None => {
                self.columns.iter().for_each(|column| self.column(column, how.then(Kind::Transformation, false), to))
            }
        }
    }

    fn column(&self, unique: &str, how: Use<'_>, to: &mut Sources) {
        if let Some(origin) = self.rows.columns.get(unique) {
            add(to, &origin.sources, how);
        }
    }

    fn visit(&self, expr: &Expr, how: Use<'_>, to: &mut Sources) {
        let transformed = how.then(Kind::Transformation, false);
        match expr {
            Expr::Literal { .. } => {}
            Expr::Column { index, .. } => self.column(&self.columns[*index], how, to),
            Expr::Field { input, .. } => self.visit(input, transformed, to),
            Expr::Cast { input, ty, .. } if keeps_value(&input.ty(), ty) => self.visit(input, how, to),
            Expr::Cast { input, .. } => self.visit(input, transformed, to),
            Expr::And(all) | Expr::Or(all) => all.iter().for_each(|e| self.visit(e, transformed, to)),
            Expr::InList { input, list, .. } => {
                list.iter().chain([input.as_ref()]).for_each(|e| self.visit(e, transformed, to));
            }
            Expr::Case { branches, otherwise, .. } => {
                for (condition, result) in branches {
                    self.visit(condition, how.then(Kind::Conditional, false), to);
                    self.visit(result, how, to);
                }
                otherwise.iter().for_each(|result| self.visit(result, how, to));
            }
            Expr::Call { function, args, .. } => self.call(function, args, how, to),
        }
    }

    fn call(&self, function: &str, args: &[Expr], how: Use<'_>, to: &mut Sources) {
        match (function, args) {
            ("IF", [condition, results @ ..]) => {
                self.visit(condition, how.then(Kind::Conditional, false), to);
                results.iter().for_each(|result| self.visit(result, how, to));
            }
            _ => {
                let inner = how.then(Kind::Transformation, MASKING.contains(&function));
                args.iter().for_each(|arg| self.visit(arg, inner, to));
            }
        }
    }
}

/// Whether a cast leaves every value as it is: to the same kind of type with as much room or more.
fn keeps_value(from: &LogicalType, to: &LogicalType) -> bool {
    use TypeRoot::{
        BigInt, Binary, Char, Decimal, Double, Float, Int, SmallInt, Timestamp, TimestampLtz, TinyInt, VarBinary,
        VarChar,
    };
    let rank = |root: &TypeRoot| [TinyInt, SmallInt, Int, BigInt].iter().position(|known| known == root);
    match (&from.root, &to.root) {
        (a, b) if a == b => true,
        (Char(a) | VarChar(a), VarChar(b)) | (Binary(a) | VarBinary(a), VarBinary(b)) => a <= b,
        (Float, Double) => true,
        (Decimal(p, s), Decimal(q, t)) => s <= t && p.saturating_sub(*s) <= q.saturating_sub(*t),
        (Timestamp(a, _), Timestamp(b, _)) | (TimestampLtz(a, _), TimestampLtz(b, _)) => a <= b,
        (a, b) => matches!((rank(a), rank(b)), (Some(a), Some(b)) if a <= b),
    }
}

/// The same expression with question marks for literals.
fn without_literals(expr: Expr) -> Expr {
    let boxed = |e: Box<Expr>| Box::new(without_literals(*e));
    let all = |list: Vec<Expr>| list.into_iter().map(without_literals).collect();
    match expr {
        Expr::Literal { ty, .. } => Expr::Literal { value: Value::String("?".into()), ty },
        Expr::Field { input, index, ty } => Expr::Field { input: boxed(input), index, ty },
        Expr::Cast { input, ty, try_cast } => Expr::Cast { input: boxed(input), ty, try_cast },
        Expr::And(list) => Expr::And(all(list)),
        Expr::Or(list) => Expr::Or(all(list)),
        Expr::InList { input, list, negated } => Expr::InList { input: boxed(input), list: all(list), negated },
        Expr::Call { function, args, ty } => Expr::Call { function, args: all(args), ty },
        Expr::Case { branches, otherwise, ty } => {
            let branch = |(when, then): (Expr, Expr)| (without_literals(when), without_literals(then));
            let branches = branches.into_iter().map(branch).collect();
            Expr::Case { branches, otherwise: otherwise.map(boxed), ty }
        }
        column @ Expr::Column { .. } => column,
    }
}

/// The parts of a condition that must all hold.
pub(super) fn conjuncts(expr: &DfExpr) -> Vec<&DfExpr> {
    datafusion_expr::utils::split_conjunction(expr)
}

/// All columns that an expression of unknown form is over.
pub(super) fn column_names(expr: &DfExpr) -> Vec<String> {
    let mut names = vec![];
    let collected = expr.apply(|e| {
        if let DfExpr::Column(column) = e {
            names.push(column.name.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(collected.is_ok(), "collecting names cannot fail");
    names
}
