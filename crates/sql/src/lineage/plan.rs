//! The walk over a plan.

use super::Context;
use super::aggregate::aggregate;
use super::dataset::dataset;
use super::expr::{column_names, conjuncts, over};
use super::join::join;
use super::origin::{Kinds, Origin, Rows, Sources, Use, add, merge};
use super::{changelog, pattern, window};
use crate::logical::{
    Expand, FromChangelog, InlineValues, MatchRecognize, Over, Rank, Scan, Snapshot, StateTtl, ToChangelog, Unnest,
    WatermarkAssigner, WindowTvf, display_name,
};
use datafusion_expr::{Expr as DfExpr, LogicalPlan, UserDefinedLogicalNode};
use headwater_lineage::{Input, Kind};
use headwater_types::LogicalType;
use std::collections::BTreeMap;

/// One walk per job: inputs are shared by its sinks.
pub(super) struct Walk<'a> {
    context: &'a Context<'a>,
    /// Whether literals are hidden.
    pub mask: bool,
    pub(super) inputs: Vec<Input>,
}

impl<'a> Walk<'a> {
    /// A walk that has seen nothing.
    pub fn new(context: &'a Context<'a>, mask: bool) -> Self {
        Self { context, mask, inputs: vec![] }
    }

    /// The inputs seen so far.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What the rows of a plan are made of.
    pub fn rows(&mut self, plan: &LogicalPlan) -> Rows {
        match plan {
            LogicalPlan::Projection(p) => {
                let names = p.schema.fields().iter().map(|f| f.name().clone());
                let input = self.rows(&p.input);
                self.projected(names.zip(&p.expr), input)
            }
            LogicalPlan::Filter(f) => {
                let input = self.rows(&f.input);
                self.filtered(&f.predicate, input)
            }
            LogicalPlan::Sort(s) => {
                let mut rows = self.rows(&s.input);
                for key in &s.expr {
                    self.decided(&key.expr, Kind::Sort, &mut rows);
                }
                rows
            }
            LogicalPlan::Limit(l) => self.rows(&l.input),
            LogicalPlan::SubqueryAlias(a) => self.rows(&a.input),
            LogicalPlan::Distinct(d) => self.distinct(d.input()),
            LogicalPlan::Union(u) => self.union(u),
            LogicalPlan::Join(j) => {
                let (left, right) = (self.rows(&j.left), self.rows(&j.right));
                join(j, left, right, self.mask)
            }
            LogicalPlan::Aggregate(a) => {
                let input = self.rows(&a.input);
                aggregate(a, input, self.mask)
            }
            LogicalPlan::Extension(e) => self.extension(e.node.as_ref(), plan),
            other => self.unknown(other, other.expressions()),
        }
    }

    fn extension(&mut self, node: &dyn UserDefinedLogicalNode, plan: &LogicalPlan) -> Rows {
        let any = node.as_any();
        if let Some(scan) = any.downcast_ref::<Scan>() {
            return self.scan(scan);
        }
        if any.is::<InlineValues>() {
            return Rows::default();
        }
        if let Some(hint) = any.downcast_ref::<StateTtl>() {
            return self.rows(&hint.input);
        }
        if let Some(assigner) = any.downcast_ref::<WatermarkAssigner>() {
            let input = self.rows(&assigner.input);
            return window::watermark(assigner, input, self.mask);
        }
        if let Some(tvf) = any.downcast_ref::<WindowTvf>() {
            return window::table_function(tvf, self.rows(&tvf.input));
        }
        if let Some(rank) = any.downcast_ref::<Rank>() {
            return window::rank(rank, self.rows(&rank.input));
        }
        if let Some(node) = any.downcast_ref::<Over>() {
            return window::over_calls(node, self.rows(&node.input));
        }
        if let Some(expand) = any.downcast_ref::<Expand>() {
            return self.expand(expand);
        }
        if let Some(unnest) = any.downcast_ref::<Unnest>() {
            return self.unnest(unnest);
        }
        if let Some(snapshot) = any.downcast_ref::<Snapshot>() {
            return self.snapshot(snapshot);
        }
        if let Some(node) = any.downcast_ref::<MatchRecognize>() {
            let input = self.rows(&node.input);
            return pattern::matched(node, input, self.mask);
        }
        if let Some(node) = any.downcast_ref::<ToChangelog>() {
            return changelog::to_rows(node, self.rows(&node.input));
        }
        if let Some(node) = any.downcast_ref::<FromChangelog>() {
            return changelog::from_rows(node, self.rows(&node.input));
        }
        self.unknown(plan, node.expressions())
    }

    /// A table, which is one input however often and with whichever columns it is scanned.
    fn scan(&mut self, scan: &Scan) -> Rows {
        let input = self.input(scan);
        let mut rows = Rows::default();
        rows.inputs.insert(input);
        for (unique, column) in &scan.columns {
            let kinds = Kinds::from([((Kind::Identity, false), String::new())]);
            let sources = Sources::from([((input, column.name.clone()), kinds)]);
            let (text, ty) = (column.name.clone(), column.ty.clone());
            rows.columns.insert(unique.clone(), Origin { sources, text, ty, ..Origin::default() });
        }
        rows
    }

    fn input(&mut self, scan: &Scan) -> usize {
        let dataset = dataset(&scan.table, self.context);
        if let Some(known) = self.inputs.iter().position(|input| input.dataset == dataset) {
            return known;
        }
        self.inputs.push(Input { dataset, bounded: scan.bounded, lookup: false });
        self.inputs.len() - 1
    }

    fn projected<'e>(&self, exprs: impl Iterator<Item = (String, &'e DfExpr)>, mut input: Rows) -> Rows {
        let columns = exprs.map(|(name, expr)| (name, over(expr, &input, self.mask).origin())).collect();
        input.columns = columns;
        input
    }

    fn filtered(&self, predicate: &DfExpr, mut rows: Rows) -> Rows {
        for conjunct in conjuncts(predicate) {
            self.decided(conjunct, Kind::Filter, &mut rows);
        }
        rows
    }

    /// An expression decides about rows.
    fn decided(&self, expr: &DfExpr, kind: Kind, rows: &mut Rows) {
        let mut added = Sources::new();
        let over = over(expr, rows, self.mask);
        over.used(Use::new(kind, &over.text), &mut added);
        merge(&mut rows.decisive, added);
    }

    fn distinct(&mut self, input: &LogicalPlan) -> Rows {
        let mut rows = self.rows(input);
        for field in input.schema().fields() {
            rows.decide(field.name(), Use::new(Kind::GroupBy, "DISTINCT"));
        }
        rows
    }

    fn union(&mut self, union: &datafusion_expr::Union) -> Rows {
        let mut all = Rows::default();
        for input in &union.inputs {
            let mut rows = self.rows(input);
            for (out, field) in union.schema.fields().iter().zip(input.schema().fields()) {
                let Some(origin) = rows.columns.remove(field.name()) else { continue };
                let known = all.columns.entry(out.name().clone()).or_insert_with(|| Origin {
                    text: origin.text.clone(),
                    ty: origin.ty.clone(),
                    ..Origin::default()
                });
                merge(&mut known.sources, origin.sources);
                merge(&mut known.watermark, origin.watermark);
            }
            merge(&mut all.decisive, rows.decisive);
            all.inputs.extend(rows.inputs);
        }
        all
    }

    fn expand(&mut self, expand: &Expand) -> Rows {
        let mut input = self.rows(&expand.input);
        let mut columns = BTreeMap::new();
        for projection in &expand.projections {
            for ((name, ty), expr) in expand.columns.iter().zip(projection) {
                let origin = over(expr, &input, self.mask).origin();
                let known =
                    columns.entry(name.clone()).or_insert_with(|| Origin { ty: ty.clone(), ..Origin::default() });
                if known.text.is_empty() && !origin.sources.is_empty() {
                    known.text.clone_from(&origin.text);
                }
                merge(&mut known.sources, origin.sources);
            }
        }
        input.columns = columns.into_iter().collect();
        input
    }

    fn unnest(&mut self, unnest: &Unnest) -> Rows {
        let mut rows = self.rows(&unnest.input);
        let mut sources = Sources::new();
        let collection = over(&unnest.collection, &rows, self.mask);
        let text = format!("UNNEST({})", collection.text);
        collection.used(Use::new(Kind::Transformation, &text), &mut sources);
        for (name, ty) in &unnest.added {
            let origin = Origin { sources: sources.clone(), text: text.clone(), ty: ty.clone(), ..Origin::default() };
            rows.columns.insert(name.clone(), origin);
        }
        rows
    }

    fn snapshot(&mut self, snapshot: &Snapshot) -> Rows {
        let mut rows = self.rows(&snapshot.input);
        // SNAPSHOT(..) stands for all present rows: no time of the other side asks for versions.
        rows.as_of = snapshot.load_until_ms.is_none().then(|| snapshot.time.clone());
        if let Some(version) = &snapshot.version {
            rows.decide_by_time(version, Use::new(Kind::Join, "FOR SYSTEM_TIME AS OF"));
        }
        if snapshot.proctime {
            for input in rows.inputs.clone() {
                self.inputs[input].lookup = true;
            }
        }
        rows
    }

    /// A node whose meaning is unknown here: what is new comes from all that it looks at.
    fn unknown(&mut self, plan: &LogicalPlan, exprs: Vec<DfExpr>) -> Rows {
        let inputs: Vec<Rows> = plan.inputs().into_iter().map(|input| self.rows(input)).collect();
        let mut rows = inputs.into_iter().reduce(Rows::joined).unwrap_or_default();
        let mut used: Vec<String> = exprs.iter().flat_map(column_names).collect();
        if used.is_empty() {
            used = rows.columns.keys().cloned().collect();
        }
        let mut sources = Sources::new();
        for column in &used {
            if let Some(origin) = rows.columns.get(column) {
                add(&mut sources, &origin.sources, Use::new(Kind::Transformation, ""));
            }
        }
        let before = std::mem::take(&mut rows.columns);
        for field in plan.schema().fields() {
            let new = || Origin {
                sources: sources.clone(),
                text: display_name(field.name()).to_owned(),
                ty: LogicalType::from(headwater_types::TypeRoot::Null),
                ..Origin::default()
            };
            let origin = before.get(field.name()).cloned().unwrap_or_else(new);
            rows.columns.insert(field.name().clone(), origin);
        }
        rows
    }
}
