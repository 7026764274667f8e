//! Measures decoding: `decode_bench FILE [PROJECTION] [SECONDS]`.
//!
//! The file holds Nexmark events as JSON lines. The projection is `all` (every nested field), `q0` (what query 0
//! reads), `bid` (the row `bid` only), `two` (`bid.auction` and `bid.price`) or `count` (no column). With `csv` the
//! file holds bids as CSV.

use headwater_connector_api::Options;
use headwater_formats::json::{DecodeOptions, JsonDecoder};
use headwater_formats::{Format, ReadSchema, RowDecoder};
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use std::time::{Duration, Instant};

const BLOCK: usize = 1 << 20;

fn row(fields: &[(&str, LogicalType)]) -> LogicalType {
    TypeRoot::Row(fields.iter().map(|(n, t)| RowField::new(*n, t.clone())).collect()).into()
}

fn schema(projection: &str) -> Vec<(&'static str, LogicalType)> {
    let long = || LogicalType::from(TypeRoot::BigInt);
    let text = LogicalType::string;
    let time = || LogicalType::from(TypeRoot::Timestamp(3, TimeAttribute::None));
    let event_type = ("event_type", LogicalType::from(TypeRoot::Int));
    let mut person = vec![("id", long())];
    person.extend(["name", "emailAddress", "creditCard", "city", "state"].map(|n| (n, text())));
    person.extend([("dateTime", time()), ("extra", text())]);
    let mut auction = vec![("id", long()), ("itemName", text()), ("description", text()), ("initialBid", long())];
    auction.extend([("reserve", long()), ("dateTime", time()), ("expires", time()), ("seller", long())]);
    auction.extend([("category", long()), ("extra", text())]);
    let mut bid = vec![("auction", long()), ("bidder", long()), ("price", long()), ("channel", text())];
    bid.extend([("url", text()), ("dateTime", time()), ("extra", text())]);
    let times = row(&[("dateTime", time())]);
    match projection {
        "count" => vec![],
        "two" => vec![("bid", row(&[("auction", long()), ("price", long())]))],
        "csv" => bid,
        "bid" => vec![("bid", row(&bid))],
        "q0" => vec![event_type, ("person", times.clone()), ("auction", times), ("bid", row(&bid))],
        _ => vec![event_type, ("person", row(&person)), ("auction", row(&auction)), ("bid", row(&bid))],
    }
}

#[allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark prints what it measured")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: decode_bench FILE [all|q0|bid|two|count] [SECONDS]")?;
    let projection = arguments.next().unwrap_or_else(|| "all".into());
    let seconds = arguments.next().map_or(Ok(3), |s| s.parse())?;
    let data = std::fs::read(path)?;
    let fields = schema(&projection);
    let mut best = f64::MAX;
    let mut rows = 0;
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let start = Instant::now();
        rows = pass(&data, decoder(&projection, &fields)?)?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    let megabytes = data.len() as f64 / 1e6;
    println!("{projection}: {:.0} MB/s, {:.2} M rows/s ({rows} rows)", megabytes / best, rows as f64 / best / 1e6);
    Ok(())
}

fn decoder(projection: &str, fields: &[(&'static str, LogicalType)]) -> headwater_types::Result<Box<dyn RowDecoder>> {
    if projection != "csv" {
        return Ok(Box::new(JsonDecoder::new(fields.iter().map(|(n, t)| (*n, t)), DecodeOptions::default())));
    }
    let columns: Vec<_> = fields.iter().map(|(n, t)| (n.to_string(), t.clone())).collect();
    let wanted: Vec<_> = fields.iter().map(|(_, t)| t.clone()).enumerate().collect();
    Format::Csv.decoder(Options(&Default::default()), ReadSchema { columns: &columns, wanted: &wanted })
}

fn pass(data: &[u8], mut decoder: Box<dyn RowDecoder>) -> headwater_types::Result<usize> {
    let (mut at, mut rows) = (0, 0);
    while at < data.len() {
        let end = (at + BLOCK).min(data.len());
        let progress = decoder.decode(&data[at..end], end == data.len(), 8192, &mut |bad| {
            Err(headwater_types::Error::user("bad-record", bad.reason))
        })?;
        at += progress.consumed;
        if decoder.rows() >= 8192 || end == data.len() {
            rows += decoder.finish()?.rows;
        }
    }
    Ok(rows)
}
