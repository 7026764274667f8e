//! From the bytes of a request to facts: JSON, a list of events or JSON lines; each event stands for itself.

use super::split::elements;
use crate::event::{Event, Reject};
use crate::extract;
use crate::store::rows::QuarantineRow;
use crate::store::{Entry, Raw};
use serde_json::Value;
use std::cell::RefCell;
use zstd::bulk::Compressor;

/// Compression of stored events: the fastest.
const LEVEL: i32 = 1;

/// Something that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub reason: String,
    /// What came.
    pub body: Vec<u8>,
}

impl Bad {
    /// Its row, but for the id.
    pub(super) fn row(self, source: &str, received_at: i64, body: Vec<u8>) -> QuarantineRow {
        let reason = crate::event::clean(&self.reason);
        let (source, code) = (source.to_owned(), self.code.to_owned());
        QuarantineRow { id: 0, received_at, source, code, reason, body, tries: 1 }
    }
}

/// What a request holds.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Events with their places in the request.
    pub good: Vec<(usize, Entry)>,
    /// The rest.
    pub bad: Vec<(usize, Bad)>,
    /// Whether it is a list, however short.
    pub is_list: bool,
    /// When it came.
    pub received_at: i64,
    /// Its size.
    pub bytes: usize,
}

/// Reads a request.
pub fn read(body: &[u8], received_at: i64) -> Reading {
    let mut reading = Reading { received_at, bytes: body.len(), ..Reading::default() };
    if let Some(events) = elements(body) {
        reading.all(events);
        return reading;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(event) => reading.add(0, &event, body),
        Err(error) => reading.lines(body, &error),
    }
    reading
}

impl Reading {
    /// JSON lines, unless there is only one line.
    fn lines(&mut self, body: &[u8], error: &serde_json::Error) {
        let lines: Vec<&[u8]> =
            body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
        // A document over several lines that is broken somewhere must not be torn into its lines.
        let is_lines = lines.len() > 1
            && lines.iter().any(|line| serde_json::from_slice::<Value>(line).is_ok_and(|v| v.is_object()));
        match is_lines {
            true => self.all(lines),
            false => self.broken(0, body, error),
        }
    }

    /// A list of events, each of which stands for itself.
    fn all(&mut self, events: Vec<&[u8]>) {
        self.is_list = true;
        for (place, text) in events.into_iter().enumerate() {
            match serde_json::from_slice::<Value>(text) {
                Ok(event) => self.add(place, &event, text),
                Err(error) => self.broken(place, text, &error),
            }
        }
    }

    fn broken(&mut self, place: usize, body: &[u8], error: &serde_json::Error) {
        let kept = &body[..body.len().min(super::QUARANTINED_BYTES_MAX)];
        let bad = Bad { code: "not-json", reason: format!("the body is not JSON: {error}"), body: kept.to_vec() };
        self.bad.push((place, bad));
    }

    fn add(&mut self, place: usize, event: &Value, body: &[u8]) {
        match Event::read(event, self.received_at) {
            Ok(event) => {
                let raw = Raw { received_at: self.received_at, body: pack(body) };
                self.good.push((place, Entry { facts: extract::facts(&event), raw: Some(raw) }));
            }
            Err(Reject { code, message }) => {
                let kept = body[..body.len().min(super::QUARANTINED_BYTES_MAX)].to_vec();
                self.bad.push((place, Bad { code, reason: message, body: kept }));
            }
        }
    }
}

/// Compresses an event for the store.
pub fn pack(body: &[u8]) -> Vec<u8> {
    thread_local! {
        // What a compressor works with is larger than most events.
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = Compressor::new(LEVEL).ok();
        }
        kept.as_mut().and_then(|compressor| compressor.compress(body).ok()).unwrap_or_default()
    })
}

/// An event from the store.
pub fn unpack_event(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(&zstd::stream::decode_all(body).ok()?).ok()
}
