//! LIMIT without an order: skips rows, passes rows, then wants no more.

use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, Operator};
use headwater_plan::operators::LimitSpec;
use headwater_types::Result;

pub(crate) struct Limit {
    to_skip: u64,
    to_pass: Option<u64>,
}

impl Limit {
    pub(crate) fn new(spec: &LimitSpec) -> Self {
        Self { to_skip: spec.offset, to_pass: spec.fetch }
    }
}

impl Operator for Limit {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rows = batch.num_rows() as u64;
        let skipped = self.to_skip.min(rows);
        self.to_skip -= skipped;
        let mut passed = rows - skipped;
        if let Some(to_pass) = &mut self.to_pass {
            passed = passed.min(*to_pass);
            *to_pass -= passed;
        }
        if passed > 0 {
            out.emit(batch.slice(skipped as usize, passed as usize));
        }
        Ok(())
    }

    fn is_satisfied(&self) -> bool {
        self.to_pass == Some(0)
    }
}
