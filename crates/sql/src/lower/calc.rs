//! Projections and filters: one calc per run of them.

use super::physical::{Node, Parallelism};
use super::relation::{Relation, Slot, Window, WindowState};
use super::{Lowering, expr};
use crate::logical;
use datafusion_expr::{Expr as DfExpr, LogicalPlan};
use headwater_plan::operators::{CalcSpec, WindowTime};
use headwater_plan::{Expr, OperatorSpec, Partitioning};
use headwater_types::{Error, Result};

/// An output column of a calc.
pub enum Output {
    /// Computed.
    Expr(Expr),
    /// A column of the pending window, which stays pending.
    Window(headwater_plan::operators::WindowProperty),
}

impl Lowering<'_> {
    /// A projection node.
    pub(super) fn projection(&mut self, exprs: &[DfExpr], input: Relation, plan: &LogicalPlan) -> Result<Relation> {
        let input = if self.needs_window_columns(&input, exprs) { self.materialize(input)? } else { input };
        let names = plan.schema().fields().iter().map(|f| f.name().clone());
        let outputs = exprs.iter().zip(names).map(|(e, name)| Ok((name, self.output(&input, e)?)));
        let outputs = outputs.collect::<Result<Vec<_>>>()?;
        self.calc(input, None, outputs)
    }

    /// A filter node that is not over a rank.
    pub(super) fn filter_rows(&mut self, input: Relation, predicate: &DfExpr) -> Result<Relation> {
        let touches_window = columns_of(predicate).any(|c| matches!(input.slot(c), Some(Slot::Window(_))));
        let input = if touches_window { self.materialize(input)? } else { input };
        let condition = self.lower_expr(&input, predicate)?;
        let outputs = self.pass_through(&input);
        self.calc(input, Some(condition), outputs)
    }

    /// The relation with exactly these physical columns, in this order.
    pub(super) fn select(&mut self, relation: &Relation, names: &[String]) -> Result<Relation> {
        let virtual_column = names.iter().any(|n| matches!(relation.slot(n), Some(Slot::Window(_))));
        let input = if virtual_column { self.materialize(relation.clone())? } else { relation.clone() };
        let input = Relation { window: None, ..input };
        let mut exprs = Vec::with_capacity(names.len());
        for name in names {
            exprs.push(self.physical_column(&input, name)?);
        }
        let columns = names.iter().enumerate().map(|(i, n)| (n.clone(), Slot::Physical(i))).collect();
        let display = names.iter().map(|n| logical::display_name(n).to_owned()).collect();
        let producers = self.calc_node(&input, None, exprs, display);
        Ok(Relation { producers, columns, window: None })
    }

    /// All columns of a relation as outputs of a calc over it.
    pub(super) fn pass_through(&self, input: &Relation) -> Vec<(String, Output)> {
        let types = self.types(input);
        let output = |slot: &Slot| match slot {
            Slot::Physical(i) => Output::Expr(Expr::column(*i, types[*i].clone())),
            Slot::Window(property) => Output::Window(*property),
        };
        input.columns.iter().map(|(name, slot)| (name.clone(), output(slot))).collect()
    }

    fn output(&self, input: &Relation, expr: &DfExpr) -> Result<Output> {
        if let Some(name) = plain_column(expr)
            && let Some(Slot::Window(property)) = input.slot(name)
        {
            return Ok(Output::Window(property));
        }
        Ok(Output::Expr(self.lower_expr(input, expr)?))
    }

    /// Lowers an expression over the physical columns of a relation.
    pub(super) fn lower_expr(&self, input: &Relation, expr: &DfExpr) -> Result<Expr> {
        let types = self.types(input);
        let resolve = |name: &str| match input.slot(name) {
            Some(Slot::Physical(i)) => Some((i, types[i].clone())),
            _ => None,
        };
        expr::lower(expr, &resolve)
    }

    /// A reference to a physical column.
    pub(super) fn physical_column(&self, input: &Relation, name: &str) -> Result<Expr> {
        match input.slot(name) {
            Some(Slot::Physical(i)) => Ok(Expr::column(i, self.types(input)[i].clone())),
            _ => Err(Error::internal(format!("column {name} is not in scope"))),
        }
    }

    /// Whether an expression other than a plain column reads a column of the pending window.
    pub(super) fn needs_window_columns<'e>(
        &self,
        input: &Relation,
        exprs: impl IntoIterator<Item = &'e DfExpr>,
    ) -> bool {
        let computed = exprs.into_iter().filter(|e| plain_column(e).is_none());
        computed.flat_map(columns_of).any(|c| matches!(input.slot(c), Some(Slot::Window(_))))
    }

    /// A calc over `input`. The columns a pending window needs are kept beside the outputs.
    pub(super) fn calc(
        &mut self,
        input: Relation,
        condition: Option<Expr>,
        outputs: Vec<(String, Output)>,
    ) -> Result<Relation> {
        let mut exprs = vec![];
        let mut display = vec![];
        let mut columns = Vec::with_capacity(outputs.len());
        for (name, output) in outputs {
            let slot = match output {
                Output::Window(property) => Slot::Window(property),
                Output::Expr(expr) => {
                    Slot::Physical(position(&mut exprs, &mut display, expr, logical::display_name(&name)))
                }
            };
            columns.push((name, slot));
        }
        let window = input.window.clone().map(|w| self.carry_window(w, &input, &mut exprs, &mut display));
        let producers = self.calc_node(&input, condition, exprs, display);
        Ok(Relation { producers, columns, window })
    }

    /// The window as seen above a calc that computes `exprs`; adds what a pending one needs.
    fn carry_window(
        &self,
        mut window: Window,
        input: &Relation,
        exprs: &mut Vec<Expr>,
        display: &mut Vec<String>,
    ) -> Window {
        let types = self.types(input);
        let names = self.names(input);
        let find = |i: usize, exprs: &[Expr]| {
            exprs.iter().position(|e| matches!(e, Expr::Column { index, .. } if *index == i))
        };
        match &mut window.state {
            WindowState::Attached { start, end } => {
                *start = start.and_then(|i| find(i, exprs));
                *end = end.and_then(|i| find(i, exprs));
            }
            WindowState::Pending => {
                let mut keep = |i: usize| position(exprs, display, Expr::column(i, types[i].clone()), &names[i]);
                if let WindowTime::Rowtime(i) = &mut window.spec.time {
                    *i = keep(*i);
                }
                window.spec.partition_by.iter_mut().for_each(|i| *i = keep(*i));
            }
        }
        window
    }

    /// Adds the calc operator, fused with a calc below it; answers the input where it would do nothing.
    pub(super) fn calc_node(
        &mut self,
        input: &Relation,
        condition: Option<Expr>,
        projection: Vec<Expr>,
        names: Vec<String>,
    ) -> Vec<usize> {
        let width = self.types(input).len();
        let identity = projection.len() == width
            && projection.iter().enumerate().all(|(i, e)| matches!(e, Expr::Column { index, .. } if *index == i));
        if condition.is_none() && identity {
            return input.producers.clone();
        }
        let mut calc = CalcSpec { condition, projection };
        let mut producers = input.producers.clone();
        if let [only] = producers[..]
            && let OperatorSpec::Calc(below) = &self.physical.node(only).spec
            && let Some(fused) = fuse(below, &calc)
        {
            calc = fused;
            producers = self.physical.node(only).inputs[0].producers.clone();
        }
        let below = Relation { producers, columns: vec![], window: None };
        let node = Node {
            types: calc.projection.iter().map(Expr::ty).collect(),
            names,
            spec: OperatorSpec::Calc(calc),
            inputs: vec![below.input(Partitioning::Forward)],
            bounded: self.bounded(&below),
            emits_changes: self.emits_changes(&below),
            parallelism: Parallelism::Inherit,
        };
        vec![self.physical.add(node)]
    }
}

/// Position of an expression among the outputs, added if it is new.
fn position(exprs: &mut Vec<Expr>, display: &mut Vec<String>, expr: Expr, name: &str) -> usize {
    if let Some(found) = exprs.iter().position(|e| *e == expr && matches!(e, Expr::Column { .. })) {
        return found;
    }
    exprs.push(expr);
    display.push(name.to_owned());
    exprs.len() - 1
}

/// One calc that does what `upper` over `lower` does, or `None` where that would repeat work: a computed
/// column is inlined only where it is read once.
fn fuse(lower: &CalcSpec, upper: &CalcSpec) -> Option<CalcSpec> {
    let mut reads = vec![0usize; lower.projection.len()];
    upper.condition.iter().chain(&upper.projection).for_each(|e| count_reads(e, &mut reads));
    let repeated = reads.iter().zip(&lower.projection).any(|(n, e)| *n > 1 && !is_cheap(e));
    if repeated {
        return None;
    }
    let inline = |expr: &Expr| inlined(expr, &lower.projection);
    let condition = match (&lower.condition, &upper.condition) {
        (None, None) => None,
        (Some(c), None) => Some(c.clone()),
        (None, Some(c)) => Some(inline(c)),
        (Some(a), Some(b)) => Some(conjunction(a.clone(), inline(b))),
    };
    Some(CalcSpec { condition, projection: upper.projection.iter().map(inline).collect() })
}

fn conjunction(a: Expr, b: Expr) -> Expr {
    let operands = |e| if let Expr::And(operands) = e { operands } else { vec![e] };
    Expr::And([operands(a), operands(b)].concat())
}

fn count_reads(expr: &Expr, reads: &mut [usize]) {
    if let Expr::Column { index, .. } = expr {
        reads[*index] += 1;
    }
    expr.children().into_iter().for_each(|c| count_reads(c, reads));
}

/// Costs nothing to evaluate twice.
fn is_cheap(expr: &Expr) -> bool {
    match expr {
        Expr::Column { .. } | Expr::Literal { .. } => true,
        Expr::Field { input, .. } => is_cheap(input),
        _ => false,
    }
}

fn inlined(expr: &Expr, definitions: &[Expr]) -> Expr {
    if let Expr::Column { index, .. } = expr {
        return definitions[*index].clone();
    }
    let mut expr = expr.clone();
    expr.children_mut().into_iter().for_each(|c| *c = inlined(c, definitions));
    expr
}

/// The column an expression is, if it is nothing else.
pub fn plain_column(expr: &DfExpr) -> Option<&str> {
    match expr {
        DfExpr::Column(column) => Some(&column.name),
        DfExpr::Alias(alias) => plain_column(&alias.expr),
        _ => None,
    }
}

/// Names of the columns an expression reads.
pub fn columns_of(expr: &DfExpr) -> impl Iterator<Item = &str> {
    expr.column_refs().into_iter().map(|c| c.name.as_str())
}
