//! Rows are paid for with time.

use super::*;
use crate::test_support::{table, writer_context};
use headwater_connector_api::Options;

struct Nothing;

impl SinkWriter for Nothing {
    fn write(&mut self, _batch: ChangeBatch) -> Result<()> {
        Ok(())
    }
}

fn rows(count: usize) -> ChangeBatch {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::empty());
    ChangeBatch::append(arrow::array::RecordBatch::try_new_with_options(schema, vec![], &options).unwrap())
}

#[test]
fn a_writer_waits_until_its_share_of_the_rate_allows_more() {
    let (env, clock) = Env::simulated(1, 1_000);
    let context = WriterContext { env, ..writer_context(0, 2) };
    let mut writer = throttled(Box::new(Nothing), Some(1_000), &context);
    assert!(writer.is_ready() && writer.ready_at_ms().is_none());
    writer.write(rows(50)).unwrap();
    assert!(!writer.is_ready());
    assert_eq!(writer.ready_at_ms(), Some(1_101), "500 rows a second for each of two");
    clock.advance_ms(101);
    assert!(writer.is_ready() && writer.ready_at_ms().is_none());
}

#[test]
fn the_rate_is_a_positive_number() {
    for (rate, good) in [("10", true), ("0", false), ("-1", false), ("fast", false)] {
        let table = table(&[], &[("sink.rows-per-second", rate)]);
        assert_eq!(rows_per_second(Options(&table.options)).is_ok(), good, "{rate}");
    }
}
