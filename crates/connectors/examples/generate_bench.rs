//! Measures the event generator: `generate_bench [EVENTS]`, for the fields that Nexmark's query 0 reads and for all.

use headwater_connector_api::{Connector, ReaderContext, ReaderPoll, SplitAssignment};
use headwater_connectors::nexmark::Nexmark;
use headwater_env::Env;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SourceSpec, TableSpec};
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use std::sync::Arc;
use std::time::Instant;

fn row(fields: &[&str]) -> LogicalType {
    let ty = |name: &str| match name {
        "dateTime" | "expires" => TypeRoot::Timestamp(3, TimeAttribute::None).into(),
        "id" | "initialBid" | "reserve" | "seller" | "category" | "auction" | "bidder" | "price" => {
            TypeRoot::BigInt.into()
        }
        _ => LogicalType::string(),
    };
    TypeRoot::Row(fields.iter().map(|f| RowField::new(*f, ty(f))).collect()).into()
}

fn spec(events: u64, columns: &[(&str, LogicalType)]) -> SourceSpec {
    let columns: Vec<_> = columns.iter().map(|(n, t)| (n.to_string(), t.clone())).collect();
    let produced = |(i, (name, ty)): (usize, &(String, LogicalType))| ProducedColumn {
        name: name.clone(),
        origin: ColumnOrigin::Physical(i),
        ty: ty.clone(),
    };
    let produced = columns.iter().enumerate().map(produced).collect();
    let table = TableSpec {
        path: ["c", "d", "t"].map(String::from),
        columns,
        partition_keys: vec![],
        primary_key: vec![],
        options: [("number-of-rows".to_string(), events.to_string())].into(),
    };
    SourceSpec { table, produced, limit: None }
}

#[allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark prints what it measured")]
fn measure(name: &str, spec: &SourceSpec) -> headwater_types::Result<()> {
    let env = Env::real();
    let Some(source) = Nexmark.source(spec)? else { return Ok(()) };
    let mut enumerator = source.enumerator(&env)?;
    let mut reader = source.reader(ReaderContext {
        subtask: 0,
        parallelism: 1,
        batch_rows: 8192,
        env,
        waker: Arc::new(|| ()),
        on_bad_record: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
    })?;
    let start = Instant::now();
    let mut rows = 0;
    loop {
        match reader.poll()? {
            ReaderPoll::Batch(batch) => rows += batch.num_rows(),
            ReaderPoll::NeedSplit => match enumerator.next_split(0, 1)? {
                SplitAssignment::Split(split) => reader.add_split(split)?,
                _ => break,
            },
            _ => break,
        }
    }
    println!("{name}: {:.2} M events/s ({rows} events)", rows as f64 / start.elapsed().as_secs_f64() / 1e6);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = std::env::args().nth(1).map_or(Ok(5_000_000), |n| n.parse())?;
    let event_type = ("event_type", TypeRoot::Int.into());
    let times = row(&["dateTime"]);
    let bid = row(&["auction", "bidder", "price", "dateTime", "extra"]);
    measure("q0", &spec(events, &[event_type.clone(), ("person", times.clone()), ("auction", times), ("bid", bid)]))?;
    let person = row(&["id", "name", "emailAddress", "creditCard", "city", "state", "dateTime", "extra"]);
    let auction = row(&[
        "id",
        "itemName",
        "description",
        "initialBid",
        "reserve",
        "dateTime",
        "expires",
        "seller",
        "category",
        "extra",
    ]);
    let bid = row(&["auction", "bidder", "price", "channel", "url", "dateTime", "extra"]);
    measure("all", &spec(events, &[event_type, ("person", person), ("auction", auction), ("bid", bid)]))?;
    Ok(())
}
