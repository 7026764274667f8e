//! How far a stream has come: the run facet `streamProgress`.

use crate::event::{Event, Id, array, child, micros, string};
use crate::facts::Progress;
use serde_json::Value;

/// Names of the facet, ours first.
const FACETS: [&str; 2] = ["headwater_streamProgress", "streamProgress"];

/// The progress of a dataset that the event reads or writes.
pub fn of(event: &Event<'_>, id: &Id, output: bool) -> Option<Progress> {
    let facet = FACETS.iter().find_map(|name| event.run_facet(name))?;
    let entries = array(facet, if output { "outputs" } else { "inputs" });
    let entry = entries.iter().find(|entry| {
        string(entry, "namespace").as_deref() == Some(&id.namespace)
            && string(entry, "name").as_deref() == Some(&id.name)
    })?;
    let watermark = ["watermark", "completeUpTo", "committedWatermark"].iter().find_map(|key| time(child(entry, key)?));
    let positions = ["partitions", "positions", "committed", "committedCheckpoint", "position", "committedPosition"];
    let positions = positions.iter().find_map(|key| child(entry, key)).map(Value::to_string);
    (watermark.is_some() || positions.is_some()).then_some(Progress { watermark, positions })
}

/// An ISO 8601 time, or milliseconds since the epoch.
fn time(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => micros(text),
        // The watermark before the first event and after the last one are no times.
        Value::Number(number) => number.as_i64().filter(|ms| (0..i64::MAX / 2000).contains(ms)).map(|ms| ms * 1000),
        _ => None,
    }
}
