//! Recovery tests: an operator that crashes after any event and is restored, whole or as two instances with half of
//! the key groups each, emits the rows that it emits without a crash. The order of rows may differ.

use crate::row_values::KeyColumns;
use crate::testing::{Event, builder};
use arrow::array::UInt32Array;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::testing::{HarnessCheckpoint, OperatorHarness};
use headwater_plan::OperatorNode;
use headwater_state::group_of;
use std::ops::Range;

/// The harness owns this many key groups.
const GROUPS: u32 = 128;

struct Instance {
    harness: OperatorHarness,
    groups: Range<u32>,
}

/// An operator under test.
pub(crate) struct Recovery<'a> {
    pub(crate) node: &'a OperatorNode,
    pub(crate) input_changes: bool,
    /// The exchange key columns of every input.
    pub(crate) keys: Vec<Vec<usize>>,
    /// Ranges of key groups of the instances after the crash.
    pub(crate) instances: Vec<Vec<Range<u32>>>,
}

impl<'a> Recovery<'a> {
    /// An operator with these exchange keys, restored in one instance and in two.
    pub(crate) fn new(node: &'a OperatorNode, input_changes: bool, keys: &[&[usize]]) -> Self {
        let whole = std::iter::once(0..GROUPS).collect();
        let halves = vec![0..GROUPS / 2, GROUPS / 2..GROUPS];
        Self { node, input_changes, keys: keys.iter().map(|k| k.to_vec()).collect(), instances: vec![whole, halves] }
    }

    /// Checks a crash after every event.
    pub(crate) fn check(&self, events: &[Event]) {
        let expected = self.run(events, None, &[]);
        for instances in &self.instances {
            for crash in 0..events.len() {
                let found = self.run(events, Some(crash), instances);
                assert_eq!(found, expected, "after a crash behind event {crash}, restored as {instances:?}");
            }
        }
    }

    /// All emitted rows, sorted. Without a crash there is no barrier either.
    fn run(&self, events: &[Event], crash: Option<usize>, restored: &[Range<u32>]) -> Vec<String> {
        let build = builder(self.node, self.input_changes);
        let mut instances = vec![Instance { harness: OperatorHarness::new(build()).unwrap(), groups: 0..GROUPS }];
        let mut checkpoint = HarnessCheckpoint::new();
        let mut rows = vec![];
        for (number, event) in events.iter().enumerate() {
            instances.iter_mut().for_each(|instance| self.deliver(instance, event));
            if crash.is_some_and(|crash| number <= crash) {
                checkpoint.add(&instances[0].harness.snapshot().unwrap());
            }
            if crash == Some(number) {
                rows.extend(instances[0].harness.output.rows());
                let now_ms = instances[0].harness.now_ms();
                let restore = |groups: &Range<u32>| {
                    let harness = OperatorHarness::restored(build(), &checkpoint, groups.clone(), now_ms).unwrap();
                    Instance { harness, groups: groups.clone() }
                };
                instances = restored.iter().map(restore).collect();
            }
        }
        for instance in &mut instances {
            instance.harness.end(self.keys.len() as u8).unwrap();
            rows.extend(instance.harness.output.rows());
        }
        rows.sort();
        rows
    }

    fn deliver(&self, instance: &mut Instance, event: &Event) {
        match event {
            Event::Rows(input, batch) => {
                let owned = self.owned(*input, batch, &instance.groups);
                instance.harness.process_input(*input, owned).unwrap();
            }
            Event::Watermark(watermark) => instance.harness.watermark(*watermark).unwrap(),
            Event::Time(now_ms) => instance.harness.advance_to(*now_ms).unwrap(),
        }
    }

    /// The rows of a batch in some key groups.
    fn owned(&self, input: u8, batch: &ChangeBatch, groups: &Range<u32>) -> ChangeBatch {
        let row = &self.node.inputs[usize::from(input)];
        let mut keys = EncodedKeys::new();
        KeyColumns::new(row, &self.keys[usize::from(input)]).unwrap().encode(batch.rows(), &mut keys).unwrap();
        let owned = keys.iter().enumerate().filter(|(_, key)| groups.contains(&group_of(key, GROUPS)));
        let rows: Vec<u32> = owned.map(|(row, _)| row as u32).collect();
        batch.take(&UInt32Array::from(rows)).unwrap()
    }
}
