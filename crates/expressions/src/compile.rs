//! Compiling plan expressions into nodes.

use crate::case::CaseNode;
use crate::coalesce::CoalesceNode;
use crate::compare::{self, CompareNode};
use crate::evaluator::{Evaluator, EvaluatorSet};
use crate::field::FieldKernel;
use crate::in_list::InListNode;
use crate::logical::LogicalNode;
use crate::node::{CallNode, Node};
use crate::render::render;
use crate::{ExprContext, value};
use headwater_data::arrow_type;
use headwater_functions::{BuildContext, Determinism, Function, Kernel};
use headwater_plan::{Expr, Value};
use headwater_types::{Error, LogicalType, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Functions that cannot fail and cost next to nothing, so that laziness would cost more than it saves.
const TOTAL: &[&str] = &[
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "IS NULL",
    "IS NOT NULL",
    "IS TRUE",
    "IS NOT TRUE",
    "IS FALSE",
    "IS NOT FALSE",
    "IS UNKNOWN",
    "IS NOT UNKNOWN",
    "NOT",
    "IS DISTINCT FROM",
    "IS NOT DISTINCT FROM",
];

/// Compiles one expression over rows of these types.
pub fn compile(expr: &Expr, input: &[LogicalType], context: &ExprContext) -> Result<Evaluator> {
    let mut compiler = Compiler { width: input.len(), context, shared: HashMap::new() };
    Ok(Evaluator::new(compiler.node(expr)?))
}

/// Compiles a filter and projections that are evaluated together. What occurs more than once among them
/// is evaluated once.
pub fn compile_all(
    condition: Option<&Expr>,
    projection: &[Expr],
    input: &[LogicalType],
    context: &ExprContext,
) -> Result<EvaluatorSet> {
    let shared = shared_slots(condition.into_iter().chain(projection));
    let slots = shared.len();
    let mut compiler = Compiler { width: input.len(), context, shared };
    let condition = condition.map(|c| compiler.node(c)).transpose()?;
    let projection = projection.iter().map(|e| compiler.node(e)).collect::<Result<_>>()?;
    Ok(EvaluatorSet::new(condition, projection, slots))
}

/// The value of an expression without columns.
pub fn evaluate_constant(expr: &Expr, context: &ExprContext) -> Result<Value> {
    let array = compile(expr, &[], context)?.evaluate_rows(&[], 1)?;
    value::value_at(&array, 0, &expr.ty())
}

/// A result slot for every expensive expression that occurs more than once, by its textual identity.
fn shared_slots<'a>(exprs: impl Iterator<Item = &'a Expr>) -> HashMap<String, (usize, Option<Arc<Node>>)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    exprs.for_each(|expr| count(expr, &mut counts));
    let repeated = counts.into_iter().filter(|(_, n)| *n > 1);
    repeated.enumerate().map(|(slot, (key, _))| (key, (slot, None))).collect()
}

fn count(expr: &Expr, counts: &mut HashMap<String, usize>) {
    if is_sharable(expr) {
        let seen = counts.entry(identity(expr)).or_default();
        *seen += 1;
        if *seen > 1 {
            return;
        }
    }
    expr.children().into_iter().for_each(|child| count(child, counts));
}

fn is_sharable(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { .. } | Expr::Cast { .. } | Expr::Case { .. }) && !is_volatile(expr)
}

fn is_volatile(expr: &Expr) -> bool {
    let own = match expr {
        Expr::Call { function, .. } => {
            headwater_functions::lookup(function).is_none_or(|f| f.determinism == Determinism::Volatile)
        }
        _ => false,
    };
    own || expr.children().into_iter().any(is_volatile)
}

fn identity(expr: &Expr) -> String {
    format!("{expr:?}")
}

struct Compiler<'a> {
    width: usize,
    context: &'a ExprContext,
    /// Slot of every shared expression, with its node once compiled.
    shared: HashMap<String, (usize, Option<Arc<Node>>)>,
}

impl Compiler<'_> {
    fn node(&mut self, expr: &Expr) -> Result<Node> {
        if self.shared.is_empty() || !is_sharable(expr) {
            return self.build(expr);
        }
        let key = identity(expr);
        match self.shared.get(&key) {
            None => self.build(expr),
            Some((slot, Some(node))) => Ok(Node::Shared(*slot, node.clone())),
            Some((slot, None)) => {
                let slot = *slot;
                let node = Arc::new(self.build(expr)?);
                self.shared.insert(key, (slot, Some(node.clone())));
                Ok(Node::Shared(slot, node))
            }
        }
    }

    fn nodes(&mut self, exprs: &[Expr]) -> Result<Vec<Node>> {
        exprs.iter().map(|e| self.node(e)).collect()
    }

    fn build(&mut self, expr: &Expr) -> Result<Node> {
        match expr {
            Expr::Column { index, .. } if *index < self.width => Ok(Node::Column(*index)),
            Expr::Column { index, .. } => {
                Err(Error::internal(format!("column {index} was read from rows of {} columns", self.width)))
            }
            Expr::Literal { value, ty } => Ok(Node::Literal(value::array_of_one(value, ty)?)),
            Expr::Field { input, index, .. } => {
                let kernel = Box::new(FieldKernel { index: *index });
                let args = vec![self.node(input)?];
                Ok(self.kernel_call(expr, kernel, args, false, true))
            }
            Expr::Call { function, args, .. } => self.call(expr, function, args),
            Expr::Cast { input, ty, try_cast } => {
                let kernel = headwater_functions::cast::kernel(&input.ty(), ty, *try_cast, self.context.zone)?;
                let args = vec![self.node(input)?];
                Ok(self.kernel_call(expr, kernel, args, false, false))
            }
            Expr::And(operands) => self.logical(true, operands),
            Expr::Or(operands) => self.logical(false, operands),
            Expr::Case { branches, otherwise, ty } => self.case(branches, otherwise.as_deref(), ty),
            Expr::InList { input, list, negated } => self.in_list(input, list, *negated),
        }
    }

    fn call(&mut self, expr: &Expr, name: &str, args: &[Expr]) -> Result<Node> {
        if let [left, right] = args {
            let (left_type, right_type) = (arrow_type(&left.ty()), arrow_type(&right.ty()));
            if left_type == right_type
                && let Some(kernel) = compare::kernel(name, &left_type)
            {
                return Ok(Node::Compare(CompareNode::new(kernel, self.node(left)?, self.node(right)?)));
            }
        }
        match (name, args) {
            ("IF", [condition, result, otherwise]) => {
                let branches = vec![(self.node(condition)?, self.node(result)?)];
                return Ok(Node::Case(CaseNode { branches, otherwise: Box::new(self.node(otherwise)?) }));
            }
            ("COALESCE" | "IFNULL", _) => return Ok(Node::Coalesce(CoalesceNode { args: self.nodes(args)? })),
            _ => {}
        }
        let function = headwater_functions::lookup(name).ok_or_else(|| {
            Error::internal(format!("the plan calls '{name}', which is not in the function registry"))
        })?;
        let kernel = self.build_kernel(function, args, &expr.ty())?;
        let args = self.nodes(args)?;
        let volatile = function.determinism == Determinism::Volatile;
        Ok(self.kernel_call(expr, kernel, args, volatile, TOTAL.contains(&function.name)))
    }

    fn build_kernel(&self, function: &Function, args: &[Expr], ty: &LogicalType) -> Result<Box<dyn Kernel>> {
        let arg_types: Vec<_> = args.iter().map(Expr::ty).collect();
        let literal = |e: &Expr| if let Expr::Literal { value, .. } = e { Some(value.clone()) } else { None };
        let literals: Vec<_> = args.iter().map(literal).collect();
        function.build(&BuildContext {
            arg_types: &arg_types,
            literals: &literals,
            return_type: ty,
            zone: self.context.zone,
            env: &self.context.env,
        })
    }

    fn kernel_call(&self, expr: &Expr, kernel: Box<dyn Kernel>, args: Vec<Node>, volatile: bool, total: bool) -> Node {
        let label = render(expr, &|index| format!("${index}"));
        Node::Call(CallNode { kernel, args, data_type: arrow_type(&expr.ty()), label, volatile, total })
    }

    fn logical(&mut self, conjunction: bool, operands: &[Expr]) -> Result<Node> {
        Ok(Node::Logical(LogicalNode { conjunction, operands: self.nodes(operands)? }))
    }

    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>, ty: &LogicalType) -> Result<Node> {
        let pair = |(condition, result): &(Expr, Expr)| Ok((self.node(condition)?, self.node(result)?));
        let branches = branches.iter().map(pair).collect::<Result<_>>()?;
        let otherwise = match otherwise {
            Some(expr) => self.node(expr)?,
            None => Node::Literal(value::array_of_one(&Value::Null, ty)?),
        };
        Ok(Node::Case(CaseNode { branches, otherwise: Box::new(otherwise) }))
    }

    fn in_list(&mut self, input: &Expr, list: &[Expr], negated: bool) -> Result<Node> {
        let literal = |e: &'_ Expr| if let Expr::Literal { value, .. } = e { Some(value.clone()) } else { None };
        if let Some(values) = list.iter().map(literal).collect::<Option<Vec<_>>>() {
            let data_type = arrow_type(&input.ty());
            let values: Vec<&Value> = values.iter().collect();
            if let Ok(node) = InListNode::new(self.node(input)?, &data_type, &values, negated) {
                return Ok(Node::InList(node));
            }
        }
        let function = if negated { "<>" } else { "=" };
        let compare = |item: &Expr| Expr::Call {
            function: function.to_owned(),
            args: vec![input.clone(), item.clone()],
            ty: Expr::InList { input: Box::new(input.clone()), list: vec![item.clone()], negated }.ty(),
        };
        let operands: Vec<Expr> = list.iter().map(compare).collect();
        self.logical(negated, &operands)
    }
}
