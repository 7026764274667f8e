//! What must be in the output topics, and whether it is.

use super::input::{BASE_MS, Event, FLUSH_KEY};
use super::job::WINDOW_MS;
use super::pause;
use super::topics::{PARTITIONS, Reader, TOTALS, WINDOWED};
use anyhow::{Context, Result, bail, ensure};
use headwater_env::Env;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Count and sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
struct Aggregate {
    n: i64,
    s: i64,
}

impl Aggregate {
    fn add(&mut self, value: i64) {
        self.n += 1;
        self.s += value;
    }
}

/// A record of the windows' topic.
#[derive(Debug, Deserialize)]
struct WindowRow {
    k: i64,
    ws: String,
    n: i64,
    s: i64,
}

/// A record of the totals' topic.
#[derive(Debug, Deserialize)]
struct Change {
    before: Option<TotalRow>,
    after: Option<TotalRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct TotalRow {
    k: i64,
    n: i64,
    s: i64,
}

/// Key and window start.
type WindowKey = (i64, String);

/// What was found, when all of it was right.
pub struct Found {
    pub windows: usize,
    pub totals: usize,
    pub changes: u64,
}

/// Results by recomputation.
struct Expected {
    windows: BTreeMap<WindowKey, Aggregate>,
    totals: BTreeMap<i64, Aggregate>,
}

/// Results as read so far.
struct Seen {
    windowed: Reader,
    totals: Reader,
    window_rows: BTreeMap<WindowKey, Aggregate>,
    total_rows: BTreeMap<i64, Aggregate>,
    changes: u64,
}

/// Reads the topics until nothing is missing.
///
/// # Errors
/// At once when something is there twice, or is not what it should be; in the end when something is missing.
pub fn wait_until_complete(bootstrap: &str, events: u64, env: &Env, patience_s: u64) -> Result<Found> {
    let expected = expected(events);
    let mut seen = Seen {
        windowed: Reader::new(bootstrap, WINDOWED)?,
        totals: Reader::new(bootstrap, TOTALS)?,
        window_rows: BTreeMap::new(),
        total_rows: BTreeMap::new(),
        changes: 0,
    };
    let start_ms = env.now_ms();
    loop {
        seen.read()?;
        let done = seen.window_rows.len() == expected.windows.len() && seen.total_rows == expected.totals;
        let timed_out = env.now_ms() - start_ms > patience_s as i64 * 1000;
        if done || timed_out {
            compare(&expected, &seen)?;
            return Ok(Found { windows: seen.window_rows.len(), totals: seen.total_rows.len(), changes: seen.changes });
        }
        pause(200);
    }
}

impl Seen {
    fn read(&mut self) -> Result<()> {
        let rows = &mut self.window_rows;
        self.windowed.read(&mut |value| {
            let row: WindowRow = parse(value)?;
            let result = Aggregate { n: row.n, s: row.s };
            let twice = rows.insert((row.k, row.ws.clone()), result);
            ensure!(twice.is_none(), "the window {} of key {} is there twice: {twice:?}, {result:?}", row.ws, row.k);
            Ok(())
        })?;
        let (totals, changes) = (&mut self.total_rows, &mut self.changes);
        self.totals.read(&mut |value| {
            *changes += 1;
            apply(totals, &parse(value)?)
        })
    }
}

/// Applies a change, which must fit the row that is there.
fn apply(totals: &mut BTreeMap<i64, Aggregate>, change: &Change) -> Result<()> {
    if let Some(before) = &change.before {
        let there = totals.remove(&before.k);
        let expected = Some(Aggregate { n: before.n, s: before.s });
        ensure!(there == expected, "a change of key {} takes back {before:?}, but {there:?} is there", before.k);
    }
    if let Some(after) = &change.after {
        let there = totals.insert(after.k, Aggregate { n: after.n, s: after.s });
        ensure!(there.is_none(), "a change of key {} adds {after:?}, but {there:?} is there", after.k);
    }
    Ok(())
}

fn parse<T: for<'a> Deserialize<'a>>(value: &[u8]) -> Result<T> {
    serde_json::from_slice(value).with_context(|| format!("not a result: {}", String::from_utf8_lossy(value)))
}

fn compare(expected: &Expected, seen: &Seen) -> Result<()> {
    for (key, result) in &expected.windows {
        match seen.window_rows.get(key) {
            None => bail!("the window {key:?} is missing ({} of {})", seen.window_rows.len(), expected.windows.len()),
            Some(found) => ensure!(found == result, "the window {key:?} is {found:?} instead of {result:?}"),
        }
    }
    let more = seen.window_rows.keys().find(|key| !expected.windows.contains_key(key));
    ensure!(more.is_none(), "the window {more:?} should not be there");
    for (key, result) in &expected.totals {
        let found = seen.total_rows.get(key);
        ensure!(found == Some(result), "the total of key {key} is {found:?} instead of {result:?}");
    }
    ensure!(seen.total_rows.len() == expected.totals.len(), "there are totals of unknown keys");
    Ok(())
}

fn expected(events: u64) -> Expected {
    let mut windows: BTreeMap<WindowKey, Aggregate> = BTreeMap::new();
    let mut totals: BTreeMap<i64, Aggregate> = BTreeMap::new();
    for event in (0..events).map(Event::of) {
        let start_ms = event.time_ms - event.time_ms.rem_euclid(WINDOW_MS);
        windows.entry((event.key, time_text(start_ms))).or_default().add(event.value);
        totals.entry(event.key).or_default().add(event.value);
    }
    // The events that move time on are counted in the totals; their window never ends.
    totals.insert(FLUSH_KEY, Aggregate { n: PARTITIONS.into(), s: 0 });
    Expected { windows, totals }
}

/// A time on or after 2025-01-01, as the JSON format writes a TIMESTAMP(3) of whole seconds.
fn time_text(time_ms: i64) -> String {
    let seconds = (time_ms - BASE_MS) / 1000;
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    format!("2025-01-{:02} {:02}:{:02}:{:02}", day + 1, second / 3600, second / 60 % 60, second % 60)
}
