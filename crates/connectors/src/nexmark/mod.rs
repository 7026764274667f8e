//! `nexmark`: the events of the Nexmark benchmark, generated.
//!
//! Of every 50 events one is a person, three are auctions and 46 are bids. An event is a function of its number and
//! the seed, so runs repeat at any parallelism. Only the fields that a query reads are made.
//!
//! The table has the columns `event_type` (0 person, 1 auction, 2 bid), `person`, `auction` and `bid`, of which the
//! row of the event's type is not NULL.

mod columns;
mod events;

#[cfg(test)]
mod tests;

use crate::numbered::{NumberedSource, RowGenerator};
use columns::EventColumns;
use events::Events;
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{Connector, DatasetIdentity, OptionSpec, Options, Sink, Source};
use headwater_formats::text::parse_value;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec, Value};
use headwater_types::{Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// Events that belong together: one person, three auctions, 46 bids.
pub(crate) const EPOCH_EVENTS: u64 = 50;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::optional("number-of-rows", "Events in all; endless without."),
    OptionSpec::optional("nexmark.events", "The same as number-of-rows."),
    OptionSpec::optional("rows-per-second", "Events per second of wall clock; as fast as possible without."),
    OptionSpec::optional("nexmark.event-rate", "Events per second of event time; rows-per-second, or else 10000."),
    OptionSpec::with_default("nexmark.base-time", "2025-06-01 07:55:00", "Time of the first event, or milliseconds."),
    OptionSpec::with_default("nexmark.seed", "42", "Seed of everything random."),
    OptionSpec::with_default("nexmark.extra-percent", "100", "Size of the filler column extra, 0 to 1000."),
];

/// The connector.
pub struct Nexmark;

impl Connector for Nexmark {
    fn name(&self) -> &'static str {
        "nexmark"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.to_vec()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(DatasetIdentity { namespace: "nexmark".into(), name: "events".into(), schema: table.columns.clone() })
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        let options = Options(&scan.table.options);
        options.validate("nexmark", OPTIONS, &[])?;
        let rate = positive(options, "rows-per-second")?;
        let total = positive(options, "number-of-rows")?.or(positive(options, "nexmark.events")?);
        let events = Arc::new(Events::new(
            options.integer("nexmark.seed")?.unwrap_or(42) as u64,
            base_time_ms(options)?,
            positive(options, "nexmark.event-rate")?.or(rate).unwrap_or(10_000),
            extra_percent(options)?,
        ));
        let spec = scan.clone();
        // Made once here so that a wrong schema is an error before the job starts.
        EventColumns::new(&spec, events.clone())?;
        let generator =
            move || -> Result<Box<dyn RowGenerator>> { Ok(Box::new(EventColumns::new(&spec, events.clone())?)) };
        Ok(Some(Box::new(NumberedSource { total, rate, block: EPOCH_EVENTS, limit: scan.limit, generator })))
    }

    fn sink(&self, _write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Ok(None)
    }
}

/// A whole number above zero.
pub(crate) fn positive(options: Options<'_>, name: &str) -> Result<Option<u64>> {
    match options.integer(name)? {
        None => Ok(None),
        Some(value) if value > 0 => Ok(Some(value as u64)),
        Some(value) => Err(bad_option(name, &value.to_string(), "a whole number above zero")),
    }
}

fn extra_percent(options: Options<'_>) -> Result<u64> {
    match options.integer("nexmark.extra-percent")? {
        None => Ok(100),
        Some(percent @ 0..=1_000) => Ok(percent as u64),
        Some(other) => Err(bad_option("nexmark.extra-percent", &other.to_string(), "a number from 0 to 1000")),
    }
}

fn base_time_ms(options: Options<'_>) -> Result<i64> {
    let name = "nexmark.base-time";
    let text = options.get(name).unwrap_or("2025-06-01 07:55:00");
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    match parse_value(&TypeRoot::Timestamp(3, TimeAttribute::None).into(), text.as_bytes()) {
        Some(Value::Int(ms)) => Ok(ms),
        _ => Err(bad_option(name, text, "a timestamp such as '2025-06-01 07:55:00' or milliseconds since the epoch")),
    }
}
