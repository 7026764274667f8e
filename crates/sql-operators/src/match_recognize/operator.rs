//! The operator: takes rows in their order, key by key.

use super::runs::{Pattern, Run, Runs};
use super::tables::Tables;
use super::values::{AtHand, Program, truths};
use crate::arrow_error;
use crate::columns::{record_batch, relabelled, schema_of, timestamps_ms, types_of};
use crate::mirror::{Position, push_bigint};
use crate::row_values::{KeyColumns, StoredRows};
use crate::sort::sorted_indices;
use crate::temporal_join::take_due;
use arrow::array::{ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, take, take_record_batch};
use arrow::datatypes::SchemaRef;
use hashbrown::{HashMap, HashSet};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_expressions::ExprContext;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{MatchRecognizeSpec, SortKey, look_back};
use headwater_state::{EncodedRows, Snapshot};
use headwater_types::{Error, MIN_WATERMARK, Result};

/// The operator.
pub(super) struct MatchRecognize {
    pattern: Pattern,
    keys: KeyColumns,
    rowtime: Option<usize>,
    /// The whole order of rows with event time.
    order: Vec<SortKey>,
    row: RowType,
    rows: StoredRows,
    conditions: Vec<Option<Program>>,
    measures: Vec<Program>,
    /// Rows before the first one of a run that conditions and measures read.
    look_back: u64,
    output: SchemaRef,
    tables: Option<Tables>,
    progress: i64,
    /// Arrival number of the next row that waits.
    next: u64,
    position: Position,
    context: Option<OpenContext>,
}

/// Rows of a key that are taken now.
struct Taken {
    rows: RecordBatch,
    times: Vec<i64>,
    /// The time until which runs have waited behind them.
    now_ms: i64,
}

impl MatchRecognize {
    pub(super) fn new(spec: &MatchRecognizeSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let row = node.inputs[0].clone();
        let types = types_of(&row);
        let program = |expr| Program::new(expr, spec, &types, context);
        let time = spec.rowtime.map(|column| SortKey { column, ascending: true, nulls_first: true });
        Ok(Self {
            keys: KeyColumns::new(&row, &spec.keys)?,
            rowtime: spec.rowtime,
            order: time.into_iter().chain(spec.order.iter().cloned()).collect(),
            rows: StoredRows::new(&row, 0)?,
            row,
            conditions: spec
                .elements
                .iter()
                .map(|element| element.condition.as_ref().map(program).transpose())
                .collect::<Result<_>>()?,
            measures: spec.measures.iter().map(program).collect::<Result<_>>()?,
            look_back: look_back(&spec.references),
            output: schema_of(&node.output),
            pattern: Pattern { elements: spec.elements.clone(), skip: spec.skip, within_ms: spec.within_ms },
            tables: None,
            progress: MIN_WATERMARK,
            next: 0,
            position: Position::default(),
            context: None,
        })
    }

    fn tables(&mut self) -> Result<&mut Tables> {
        self.tables.as_mut().ok_or_else(|| Error::internal("a pattern was used before it was opened"))
    }

    /// Keeps rows until the watermark passes them.
    fn wait(&mut self, rows: &RecordBatch, rowtime: usize) -> Result<()> {
        let (mut keys, mut bytes) = (EncodedKeys::new(), EncodedRows::new());
        self.keys.encode(rows, &mut keys)?;
        self.rows.encode(rows, &mut bytes)?;
        let times = timestamps_ms(rows.column(rowtime))?;
        let (mut late, mut map_key) = (0, vec![]);
        for row in 0..rows.num_rows() {
            let missing = times.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            if missing || times.ms[row] <= self.progress {
                late += 1;
                continue;
            }
            map_key.clear();
            push_bigint(&mut map_key, times.ms[row]);
            push_bigint(&mut map_key, self.next as i64);
            self.next += 1;
            let tables = self.tables()?;
            tables.waiting.put(keys.key(row), &map_key, bytes.row(row))?;
            tables.timers.register(times.ms[row], keys.key(row));
        }
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late);
        }
        Ok(())
    }

    /// Takes rows as they arrive.
    fn arrive(&mut self, rows: &RecordBatch, found: &mut Vec<RecordBatch>) -> Result<()> {
        let now_ms = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let mut keys = EncodedKeys::new();
        self.keys.encode(rows, &mut keys)?;
        let mut of_key: HashMap<&[u8], Vec<u32>> = HashMap::new();
        let mut order: Vec<&[u8]> = vec![];
        for (row, key) in keys.iter().enumerate() {
            let rows = of_key.entry(key).or_default();
            if rows.is_empty() {
                order.push(key);
            }
            rows.push(row as u32);
        }
        for key in order {
            let positions = UInt32Array::from(of_key.remove(key).unwrap_or_default());
            let times = vec![now_ms; positions.len()];
            let rows = take_record_batch(rows, &positions).map_err(arrow_error)?;
            self.advance(key, &Taken { rows, times, now_ms }, found)?;
        }
        Ok(())
    }

    /// The rows of a key that the watermark has passed, in their order.
    fn due(&mut self, key: &[u8]) -> Result<Taken> {
        let (progress, rowtime) = (self.progress, self.rowtime);
        let due = take_due(&mut self.tables()?.waiting, key, progress)?;
        let bytes: Vec<&[u8]> = due.iter().map(|(_, _, row)| row.as_slice()).collect();
        let rows = self.rows.decode(&bytes)?;
        let order = sorted_indices(&rows, &self.order, None)?;
        let rows = take_record_batch(&rows, &order).map_err(arrow_error)?;
        let times = match rowtime {
            Some(column) => timestamps_ms(rows.column(column))?.ms.to_vec(),
            None => vec![],
        };
        Ok(Taken { rows, times, now_ms: progress })
    }

    /// Takes rows of a key, and lets time pass behind them.
    fn advance(&mut self, key: &[u8], taken: &Taken, found: &mut Vec<RecordBatch>) -> Result<()> {
        let variables = self.pattern.elements.len();
        let (mut runs, stored) = self.tables()?.runs(key, variables)?;
        let arrived_at = runs.next;
        let codec = self.rows.clone();
        let (first, rows) = match self.tables()?.rows(key, &codec)? {
            None => (arrived_at, taken.rows.clone()),
            Some((first, kept)) => {
                let rows = concat_batches(&kept.schema(), [&kept, &taken.rows]).map_err(arrow_error)?;
                (first, rows)
            }
        };
        let at_hand = AtHand { rows: &rows, first };
        let matches = self.matches(&mut runs, taken, &at_hand)?;
        if !matches.is_empty() {
            found.push(self.results(&matches, &at_hand)?);
        }
        let needed = runs.first_needed().saturating_sub(self.look_back);
        let deadline = self.pattern.within_ms.and_then(|within| Some(runs.oldest_ms()?.saturating_add(within)));
        let keeps = !runs.is_idle() || self.look_back > 0;
        let tables = self.tables()?;
        tables.forget(key, first..needed.min(arrived_at))?;
        let skipped = needed.saturating_sub(arrived_at).min(taken.rows.num_rows() as u64) as usize;
        let kept = taken.rows.slice(skipped, taken.rows.num_rows() - skipped);
        tables.keep(key, &kept, arrived_at + skipped as u64, &codec)?;
        tables.set_runs(key, keeps.then_some(&runs), stored)?;
        if let Some(deadline) = deadline {
            tables.timers.register(deadline, key);
        }
        Ok(())
    }

    /// Moves the runs of a key on; the matches, in the order in which they are found.
    fn matches(&self, runs: &mut Runs, taken: &Taken, at_hand: &AtHand<'_>) -> Result<Vec<Run>> {
        let mut local = Vec::with_capacity(self.conditions.len());
        for (variable, condition) in self.conditions.iter().enumerate() {
            local.push(match condition.as_ref().filter(|condition| condition.is_local(variable)) {
                Some(condition) => Some(truths(&condition.by_row(&taken.rows)?)),
                None => None,
            });
        }
        let mut found = vec![];
        for (row, time_ms) in taken.times.iter().enumerate() {
            runs.pass(&self.pattern, *time_ms, &mut found)?;
            let mut satisfies =
                |variable: usize, candidates: &[Run]| match (&self.conditions[variable], &local[variable]) {
                    (None, _) => Ok(vec![true; candidates.len()]),
                    (_, Some(answers)) => Ok(vec![answers[row]; candidates.len()]),
                    (Some(condition), None) => Ok(truths(&condition.by_run(candidates, at_hand)?)),
                };
            runs.step(&self.pattern, *time_ms, &mut satisfies, &mut found)?;
        }
        runs.pass(&self.pattern, taken.now_ms, &mut found)?;
        Ok(found)
    }

    /// The output rows of matches.
    fn results(&self, matches: &[Run], at_hand: &AtHand<'_>) -> Result<RecordBatch> {
        let firsts: UInt64Array = matches.iter().map(|found| Some(found.start - at_hand.first)).collect();
        let key = |column: &usize| take(at_hand.rows.column(*column), &firsts, None).map_err(arrow_error);
        let mut columns = self.keys.columns().iter().map(key).collect::<Result<Vec<ArrayRef>>>()?;
        for measure in &self.measures {
            columns.push(measure.by_run(matches, at_hand)?);
        }
        record_batch(&self.output, columns, matches.len())
    }

    /// Takes what is due of the keys whose time has come.
    fn take_keys(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        let limit = self.batch_rows();
        let (mut found, mut seen) = (vec![], HashSet::<Box<[u8]>>::new());
        let mut progress = Progress::Done;
        while let Some((_, key)) = self.tables()?.timers.pop_due(now_ms) {
            if !seen.contains(&key) {
                let taken = match self.rowtime {
                    Some(_) => self.due(&key)?,
                    None => Taken { rows: self.rows.decode(&[])?, times: vec![], now_ms },
                };
                self.advance(&key, &taken, &mut found)?;
                seen.insert(key);
            }
            if found.iter().map(RecordBatch::num_rows).sum::<usize>() >= limit {
                progress = Progress::More;
                break;
            }
        }
        self.emit(&found, out)?;
        Ok(progress)
    }

    fn emit(&self, found: &[RecordBatch], out: &mut dyn Collector) -> Result<()> {
        let rows = concat_batches(&self.output, found).map_err(arrow_error)?;
        let limit = self.batch_rows();
        for start in (0..rows.num_rows()).step_by(limit) {
            out.emit(ChangeBatch::append(rows.slice(start, limit.min(rows.num_rows() - start))));
        }
        Ok(())
    }

    fn batch_rows(&self) -> usize {
        self.context.as_ref().map_or(4096, |context| context.batch_rows.max(1))
    }
}

impl Operator for MatchRecognize {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        (self.progress, self.next) = self.position.open(&context.state)?;
        self.tables = Some(Tables::open(&context.state, &self.row, self.keys.columns())?);
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("a pattern over rows that change"));
        }
        let rows = relabelled(batch.into_parts().0, self.rows.schema())?;
        if let Some(rowtime) = self.rowtime {
            return self.wait(&rows, rowtime);
        }
        let mut found = vec![];
        self.arrive(&rows, &mut found)?;
        self.emit(&found, out)
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(watermark);
        match self.rowtime {
            Some(_) => self.take_keys(watermark, out),
            None => Ok(Progress::Done),
        }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        if self.rowtime.is_some() {
            return None;
        }
        self.tables.as_ref()?.timers.first_ms()
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        match self.rowtime {
            Some(_) => Ok(Progress::Done),
            None => self.take_keys(now_ms, out),
        }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(tables) = &mut self.tables {
            tables.snapshot(snapshot);
        }
        self.position.snapshot(self.progress, self.next, snapshot);
        Ok(())
    }
}
