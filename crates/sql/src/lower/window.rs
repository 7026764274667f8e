//! Watermarks, window table functions, and what rides on them: row expansion and unnesting.

use super::calc::plain_column;
use super::physical::{Node, Parallelism};
use super::relation::{Relation, Slot, Window, WindowState};
use super::{Lowering, logical};
use crate::logical::{Expand, Unnest, WatermarkAssigner, WindowTvf};
use headwater_connector_api::Options;
use headwater_connector_api::watermarks::WatermarkOptions;
use headwater_plan::operators::{ExpandSpec, UnnestSpec, WatermarkSpec, WindowProperty, WindowSpec, WindowTime};
use headwater_plan::{Expr, OperatorSpec, Partitioning};
use headwater_types::config;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};
use std::time::Duration;

/// Refuses what has to have all rows of a window before it answers, over windows of processing time: their rows come
/// from several subtasks at different moments, and no watermark tells when all are there.
pub(super) fn wants_event_time(window: &Window, what: &str) -> Result<()> {
    match window.proctime {
        false => Ok(()),
        true => Err(Error::unsupported(format!(
            "{what} over windows of processing time is not supported: nothing tells when all rows of a window have come; \
             use an event time with a watermark"
        ))),
    }
}

impl Lowering<'_> {
    /// In batch mode there are no watermarks but the one at the end of input, so nothing is late.
    pub(super) fn watermark_assigner(&mut self, assigner: &WatermarkAssigner) -> Result<Relation> {
        let input = self.plan(&assigner.input)?;
        if self.final_only(&input) {
            return Ok(input);
        }
        let input = self.flat(input)?;
        let (input, keys) = match self.below_normalize(&input) {
            Some((below, keys)) => (below, Some(keys)),
            None => (input, None),
        };
        let rowtime = self.position_of(&input, &assigner.rowtime)?;
        let expr = self.lower_expr(&input, &assigner.expr)?;
        let mut types = self.types(&input).to_vec();
        types[rowtime] = types[rowtime].clone().with_time_attribute(TimeAttribute::Rowtime);
        let own = self.watermark_options(&input)?;
        let interval = match own.on_event {
            true => Duration::ZERO,
            false => self.context.config.duration(config::AUTO_WATERMARK_INTERVAL)?,
        };
        let idle = match own.idle_timeout {
            Some(timeout) => timeout,
            None => self.context.config.duration(config::SOURCE_IDLE_TIMEOUT)?,
        };
        let spec = WatermarkSpec {
            rowtime,
            expr,
            interval_ms: interval.as_millis() as u64,
            idle_timeout_ms: idle.as_millis() as u64,
        };
        let names = self.names(&input).to_vec();
        let node = self.unary(&input, OperatorSpec::WatermarkAssigner(spec), types, names);
        self.normalized_again(Relation { producers: vec![node], ..input }, keys)
    }

    /// What the table that is scanned below says about its watermarks.
    fn watermark_options(&self, relation: &Relation) -> Result<WatermarkOptions> {
        let mut producers = &relation.producers;
        while let [producer] = producers[..] {
            let node = self.physical.node(producer);
            if let OperatorSpec::Source(scan) = &node.spec {
                return WatermarkOptions::from_options(Options(&scan.table.options));
            }
            let [input] = &node.inputs[..] else { break };
            producers = &input.producers;
        }
        Ok(WatermarkOptions::default())
    }

    /// A window table function stays pending until its columns are needed.
    pub(super) fn window_tvf(&mut self, tvf: &WindowTvf) -> Result<Relation> {
        let input = self.plan(&tvf.input)?;
        let input = self.flat(input)?;
        let proctime = tvf.time_type.time_attribute() == TimeAttribute::Proctime;
        if !proctime {
            self.check_window_time(&input, tvf)?;
        }
        let time =
            if proctime { WindowTime::Proctime } else { WindowTime::Rowtime(self.position_of(&input, &tvf.time)?) };
        let partition_by = tvf.partition_by.iter().map(|c| self.position_of(&input, c)).collect::<Result<_>>()?;
        let zoned = matches!(tvf.time_type.root, TypeRoot::TimestampLtz(..));
        let zone = zoned.then(|| self.context.expressions.zone.name().to_owned());
        let spec = WindowSpec { shape: tvf.shape, offset_ms: tvf.offset_ms, time, partition_by, zone, proctime };
        let window = Window {
            spec,
            state: WindowState::Pending,
            time_type: tvf.time_type.clone(),
            proctime,
            per_group: tvf.per_group,
        };
        let properties = [WindowProperty::Start, WindowProperty::End, WindowProperty::Time];
        let added = tvf.outputs.iter().cloned().zip(properties.map(Slot::Window));
        let columns = input.columns.iter().cloned().chain(added).collect();
        Ok(Relation { columns, window: Some(window), ..input })
    }

    /// Refuses windows over times that watermarks say nothing about: what a regular join puts out, for instance, may
    /// be of any age.
    fn check_window_time(&self, input: &Relation, tvf: &WindowTvf) -> Result<()> {
        let ty = &self.types(input)[self.position_of(input, &tvf.time)?];
        let is_watermark = |id: usize| matches!(self.physical.node(id).spec, OperatorSpec::WatermarkAssigner(_));
        let watermarked = || self.physical.reachable(&input.producers).into_iter().any(is_watermark);
        if ty.time_attribute() != TimeAttribute::None || (self.bounded(input) && !watermarked()) {
            return Ok(());
        }
        let plain = ty.clone().with_nullable(true);
        let message = format!(
            "The window function requires the timecol is a time attribute type, but is {plain}. A join without time \
             bounds and an aggregation without a window make plain timestamps of time attributes"
        );
        Err(Error::user("not-a-time-attribute", message))
    }

    /// Computes the columns of a pending window.
    pub(super) fn materialize(&mut self, relation: Relation) -> Result<Relation> {
        let Some(window) = relation.window.clone().filter(|w| w.state == WindowState::Pending) else {
            return Ok(relation);
        };
        let width = self.types(&relation).len();
        let mut types = self.types(&relation).to_vec();
        types.extend(WindowTvf::output_types(&window.time_type));
        let mut names = self.names(&relation).to_vec();
        names.extend(["window_start", "window_end", "window_time"].map(str::to_owned));
        let session = !window.spec.partition_by.is_empty();
        let keys = window.spec.partition_by.clone();
        let spec = OperatorSpec::WindowTableFunction(window.spec.clone());
        let mut node = self.unary_node(&relation, spec, types, names);
        if session || matches!(window.spec.shape, headwater_plan::operators::WindowShape::Session { .. }) {
            let (partitioning, parallelism) = super::keyed(&keys);
            node.inputs = vec![relation.input(partitioning)];
            node.parallelism = parallelism;
        }
        let producer = self.physical.add(node);
        let slot = |slot: &Slot| match slot {
            Slot::Physical(i) => Slot::Physical(*i),
            Slot::Window(WindowProperty::Start) => Slot::Physical(width),
            Slot::Window(WindowProperty::End) => Slot::Physical(width + 1),
            Slot::Window(WindowProperty::Time) => Slot::Physical(width + 2),
        };
        let columns = relation.columns.iter().map(|(n, s)| (n.clone(), slot(s))).collect();
        let state = WindowState::Attached { start: Some(width), end: Some(width + 1) };
        Ok(Relation { producers: vec![producer], columns, window: Some(Window { state, ..window }) })
    }

    /// A relation all of whose columns are physical.
    pub(super) fn flat(&mut self, relation: Relation) -> Result<Relation> {
        let virtual_column = relation.columns.iter().any(|(_, s)| matches!(s, Slot::Window(_)));
        if virtual_column { self.materialize(relation) } else { Ok(relation) }
    }

    /// The physical position of a column.
    pub(super) fn position_of(&self, relation: &Relation, name: &str) -> Result<usize> {
        match relation.slot(name) {
            Some(Slot::Physical(i)) => Ok(i),
            _ => Err(Error::internal(format!("column {name} is not a physical column here"))),
        }
    }

    /// Row expansion; plain columns of a pending window stay pending.
    pub(super) fn expand(&mut self, expand: &Expand) -> Result<Relation> {
        let input = self.plan(&expand.input)?;
        let input = match self.needs_window_columns(&input, expand.projections.iter().flatten()) {
            true => self.materialize(input)?,
            false => input,
        };
        let width = expand.columns.len();
        let property = |column: usize| {
            let mut of_sets = expand.projections.iter().map(|set| plain_column(&set[column]));
            let first = of_sets.next().flatten()?;
            let same = of_sets.all(|name| name == Some(first));
            if same { input.window_property(first) } else { None }
        };
        let properties: Vec<_> = (0..width).map(property).collect();
        let pending = input.window.as_ref().is_some_and(|w| w.state == WindowState::Pending);
        let is_virtual = |column: usize| pending && properties[column].is_some();
        let physical: Vec<usize> = (0..width).filter(|c| !is_virtual(*c)).collect();
        let mut projections = Vec::with_capacity(expand.projections.len());
        for set in &expand.projections {
            let lowered = physical.iter().map(|c| self.expand_expr(&input, &set[*c], &expand.columns[*c].1));
            projections.push(lowered.collect::<Result<Vec<_>>>()?);
        }
        let mut columns: Vec<(String, Slot)> = Vec::with_capacity(width);
        for (column, (name, _)) in expand.columns.iter().enumerate() {
            let slot = match (is_virtual(column), properties[column]) {
                (true, Some(property)) => Slot::Window(property),
                _ => Slot::Physical(physical.iter().filter(|c| **c < column).count()),
            };
            columns.push((name.clone(), slot));
        }
        let mut types: Vec<LogicalType> = physical.iter().map(|c| expand.columns[*c].1.clone()).collect();
        let mut names: Vec<String> =
            physical.iter().map(|c| logical::display_name(&expand.columns[*c].0).to_owned()).collect();
        let window = self.expand_window(&input, &columns, &properties, &mut projections, &mut types, &mut names);
        let node = self.unary(&input, OperatorSpec::Expand(ExpandSpec { projections }), types, names);
        Ok(Relation { producers: vec![node], columns, window })
    }

    fn expand_expr(&self, input: &Relation, expr: &datafusion_expr::Expr, ty: &LogicalType) -> Result<Expr> {
        Ok(match self.lower_expr(input, expr)? {
            Expr::Literal { value, .. } => Expr::Literal { value, ty: ty.clone() },
            other => other,
        })
    }

    /// The window above an expansion; a pending one keeps its time and partition columns in the row.
    fn expand_window(
        &self,
        input: &Relation,
        columns: &[(String, Slot)],
        properties: &[Option<WindowProperty>],
        projections: &mut [Vec<Expr>],
        types: &mut Vec<LogicalType>,
        names: &mut Vec<String>,
    ) -> Option<Window> {
        let mut window = input.window.clone()?;
        if let WindowState::Attached { start, end } = &mut window.state {
            let find = |wanted: WindowProperty| {
                let column = properties.iter().position(|p| *p == Some(wanted))?;
                if let Slot::Physical(i) = columns[column].1 { Some(i) } else { None }
            };
            (*start, *end) = (find(WindowProperty::Start), find(WindowProperty::End));
            return Some(window);
        }
        let mut keep = |i: usize| {
            let ty = self.types(input)[i].clone();
            projections.iter_mut().for_each(|set| set.push(Expr::column(i, ty.clone())));
            names.push(self.names(input)[i].clone());
            types.push(ty);
            types.len() - 1
        };
        if let WindowTime::Rowtime(i) = &mut window.spec.time {
            *i = keep(*i);
        }
        window.spec.partition_by.iter_mut().for_each(|i| *i = keep(*i));
        Some(window)
    }

    pub(super) fn unnest(&mut self, unnest: &Unnest) -> Result<Relation> {
        let input = self.plan(&unnest.input)?;
        let input = self.flat(input)?;
        let collection = self.lower_expr(&input, &unnest.collection)?;
        let width = self.types(&input).len();
        let mut types = self.types(&input).to_vec();
        types.extend(unnest.added.iter().map(|(_, t)| t.clone()));
        let mut names = self.names(&input).to_vec();
        names.extend(unnest.added.iter().map(|(n, _)| logical::display_name(n).to_owned()));
        let spec = UnnestSpec { collection, left: unnest.left, with_ordinality: unnest.with_ordinality };
        let node = self.unary(&input, OperatorSpec::Unnest(spec), types, names);
        let added = unnest.added.iter().enumerate().map(|(i, (n, _))| (n.clone(), Slot::Physical(width + i)));
        let columns = input.columns.iter().cloned().chain(added).collect();
        Ok(Relation { producers: vec![node], columns, window: input.window })
    }

    /// Adds an operator that is chained to its input and keeps its boundedness and changelog.
    pub(super) fn unary(
        &mut self,
        input: &Relation,
        spec: OperatorSpec,
        types: Vec<LogicalType>,
        names: Vec<String>,
    ) -> usize {
        let node = self.unary_node(input, spec, types, names);
        self.physical.add(node)
    }

    pub(super) fn unary_node(
        &self,
        input: &Relation,
        spec: OperatorSpec,
        types: Vec<LogicalType>,
        names: Vec<String>,
    ) -> Node {
        Node {
            spec,
            inputs: vec![input.input(Partitioning::Forward)],
            types,
            names,
            bounded: self.bounded(input),
            emits_changes: self.emits_changes(input),
            parallelism: Parallelism::Inherit,
        }
    }
}
