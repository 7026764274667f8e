//! Operators from closures.

use crate::deploy::{BuildContext, OperatorFactory};
use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_operator_api::{Collector, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A batch of inserts of `(n, k)` rows.
pub fn batch(rows: impl IntoIterator<Item = (i64, i64)>) -> ChangeBatch {
    let (n, k): (Vec<i64>, Vec<i64>) = rows.into_iter().unzip();
    let row_type = super::row_type();
    let schema = arrow_schema(row_type.iter().map(|(name, ty)| (name.as_str(), ty)));
    let columns = vec![Arc::new(Int64Array::from(n)) as _, Arc::new(Int64Array::from(k)) as _];
    ChangeBatch::append(RecordBatch::try_new(schema, columns).expect("two columns of the same length"))
}

/// A batch with every row replaced by `f(n, k)`.
pub fn map(rows: &ChangeBatch, f: impl Fn(i64, i64) -> (i64, i64)) -> ChangeBatch {
    let column = |index: usize| rows.rows().column(index).as_primitive::<Int64Type>().values().clone();
    batch(column(0).iter().zip(column(1).iter()).map(|(n, k)| f(*n, *k)))
}

type OnBatch = Box<dyn FnMut(u8, ChangeBatch, &mut dyn Collector) -> Result<()> + Send>;
type OnTime = Box<dyn FnMut(i64, &mut dyn Collector) -> Result<Progress> + Send>;

/// An operator made of closures; without them it passes rows on.
#[derive(Default)]
pub struct FnOperator {
    /// Called with every batch.
    pub on_batch: Option<OnBatch>,
    /// Called with every watermark.
    pub on_watermark: Option<OnTime>,
    /// Called with the end of every input.
    pub on_end: Option<OnTime>,
    /// Called at every processing-time timer.
    pub on_timer: Option<OnTime>,
    /// The next processing-time timer.
    pub timer: Option<Box<dyn Fn() -> Option<i64> + Send>>,
    /// Whether no more input is needed.
    pub satisfied: Option<Box<dyn Fn() -> bool + Send>>,
    /// Whether the operator emits watermarks itself.
    pub generates_watermarks: bool,
}

impl FnOperator {
    /// An operator that calls `f` with every batch of input 0 or 1.
    pub fn new(f: impl FnMut(u8, ChangeBatch, &mut dyn Collector) -> Result<()> + Send + 'static) -> Self {
        Self { on_batch: Some(Box::new(f)), ..Self::default() }
    }
}

fn call(f: &mut Option<OnTime>, at: i64, out: &mut dyn Collector) -> Result<Progress> {
    f.as_mut().map_or(Ok(Progress::Done), |f| f(at, out))
}

impl Operator for FnOperator {
    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        match &mut self.on_batch {
            Some(f) => f(input, batch, out),
            None => {
                out.emit(batch);
                Ok(())
            }
        }
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        call(&mut self.on_watermark, watermark, out)
    }

    fn next_timer_ms(&self) -> Option<i64> {
        self.timer.as_ref().and_then(|timer| timer())
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        call(&mut self.on_timer, now_ms, out)
    }

    fn end_input(&mut self, input: u8, out: &mut dyn Collector) -> Result<Progress> {
        call(&mut self.on_end, i64::from(input), out)
    }

    fn generates_watermarks(&self) -> bool {
        self.generates_watermarks
    }

    fn is_satisfied(&self) -> bool {
        self.satisfied.as_ref().is_some_and(|satisfied| satisfied())
    }
}

type Build = Box<dyn Fn(&BuildContext<'_>) -> Result<Box<dyn Operator>> + Send + Sync>;

/// Makes operators by the uid of their node. Unknown uids are an error; `pass` passes rows on.
pub struct ToyFactory {
    builders: BTreeMap<String, Build>,
}

impl Default for ToyFactory {
    fn default() -> Self {
        Self::new()
    }
}

impl ToyFactory {
    /// A factory that knows `pass` only.
    pub fn new() -> Self {
        Self { builders: BTreeMap::new() }.with("pass", |_| FnOperator::default())
    }

    /// Adds an operator.
    #[must_use]
    pub fn with<O: Operator + 'static>(
        mut self,
        uid: &str,
        build: impl Fn(&BuildContext<'_>) -> O + Send + Sync + 'static,
    ) -> Self {
        self.builders.insert(uid.to_owned(), Box::new(move |context| Ok(Box::new(build(context)))));
        self
    }
}

impl OperatorFactory for ToyFactory {
    fn build(&self, node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
        let build = self.builders.get(&node.uid);
        build.ok_or_else(|| Error::unsupported(format!("there is no toy '{}'", node.uid)))?(context)
    }
}
