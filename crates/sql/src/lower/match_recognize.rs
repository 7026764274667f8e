//! MATCH_RECOGNIZE.

use super::changelog_codes::positions;
use super::physical::Node;
use super::relation::{Relation, Slot};
use super::{Lowering, expr, keyed};
use crate::logical::match_recognize::{Element, Place, Reference};
use crate::logical::{MatchRecognize, display_name};
use datafusion_expr::Expr as DfExpr;
use headwater_plan::operators::{AggregateCall, MatchRecognizeSpec, PatternElement, RowPlace, RowReference, SortKey};
use headwater_plan::{Expr, OperatorSpec};
use headwater_types::{LogicalType, Result};

impl Lowering<'_> {
    pub(super) fn match_recognize(&mut self, pattern: &MatchRecognize) -> Result<Relation> {
        let input = self.whole(&pattern.input)?;
        let keys = positions(&input, &pattern.partition_by)?;
        let order = pattern.order_by.iter().map(|key| {
            let column = position(&input, &key.column)?;
            Ok(SortKey { column, ascending: key.ascending, nulls_first: key.nulls_first })
        });
        let read = |expr: &DfExpr| lower_over_references(expr, &pattern.references);
        let measures = pattern.measures.iter().map(|(measure, (_, ty))| typed(read(measure)?, ty));
        let spec = MatchRecognizeSpec {
            rowtime: pattern.rowtime.as_ref().map(|name| position(&input, name)).transpose()?,
            order: order.collect::<Result<_>>()?,
            elements: pattern.elements.iter().map(|e| element(e, &read)).collect::<Result<_>>()?,
            references: pattern.references.iter().map(|r| reference(&input, r)).collect::<Result<_>>()?,
            measures: measures.collect::<Result<_>>()?,
            skip: pattern.skip,
            within_ms: pattern.within_ms,
            keys,
        };
        let names = pattern.columns.iter().map(|(name, _)| display_name(name).to_owned()).collect();
        let types = pattern.columns.iter().map(|(_, ty)| ty.clone()).collect();
        let (partitioning, parallelism) = keyed(&spec.keys);
        let node = self.unary_node(&input, OperatorSpec::MatchRecognize(spec), types, names);
        let node = Node { inputs: vec![input.input(partitioning)], parallelism, emits_changes: false, ..node };
        let slots = pattern.columns.iter().enumerate().map(|(i, (name, _))| (name.clone(), Slot::Physical(i)));
        Ok(Relation::new(self.physical.add(node), slots.collect()))
    }
}

fn position(input: &Relation, name: &String) -> Result<usize> {
    Ok(positions(input, std::slice::from_ref(name))?[0])
}

fn lower_over_references(expr: &DfExpr, references: &[Reference]) -> Result<Expr> {
    let resolve = |name: &str| {
        let position = references.iter().position(|reference| reference.name == name)?;
        Some((position, references[position].ty.clone()))
    };
    expr::lower(expr, &resolve)
}

/// An expression with the type its column is declared with.
fn typed(expr: Expr, ty: &LogicalType) -> Result<Expr> {
    Ok(match expr.ty().root == ty.root {
        true => expr,
        false => Expr::Cast { input: Box::new(expr), ty: ty.clone(), try_cast: false },
    })
}

fn element(element: &Element, read: &impl Fn(&DfExpr) -> Result<Expr>) -> Result<PatternElement> {
    Ok(PatternElement {
        variable: element.variable.clone(),
        min: element.min,
        max: element.max,
        greedy: element.greedy,
        condition: element.condition.as_ref().map(read).transpose()?,
    })
}

fn reference(input: &Relation, reference: &Reference) -> Result<RowReference> {
    let place = match &reference.place {
        Place::Last(offset, column) => RowPlace::Last { offset: *offset, column: position(input, column)? },
        Place::First(offset, column) => RowPlace::First { offset: *offset, column: position(input, column)? },
        Place::Previous(offset, column) => RowPlace::Previous { offset: *offset, column: position(input, column)? },
        Place::Aggregate { function, args, parameters } => RowPlace::Aggregate(AggregateCall {
            function: function.clone(),
            args: positions(input, args)?,
            distinct: false,
            filter: None,
            parameters: parameters.clone(),
            ty: reference.ty.clone(),
        }),
    };
    Ok(RowReference { variable: reference.variable, place })
}
