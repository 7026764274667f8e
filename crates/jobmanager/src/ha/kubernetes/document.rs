//! A Lease as the API server keeps it. What others have written into it stays.

use super::super::lease::{Candidate, Holder};
use chrono::{DateTime, SecondsFormat};
use headwater_types::{Error, Result};
use serde_json::{Map, Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

const ADDRESS: &str = "headwater.io/address";
const REST: &str = "headwater.io/rest";
const BEAT: &str = "headwater.io/beat";

/// A Lease.
#[derive(Debug, Clone)]
pub(super) struct Document(pub(super) Value);

impl Document {
    /// What a candidate writes that holds the lease, over what was read.
    pub(super) fn held(
        read: Option<&Self>,
        generation: u64,
        candidate: &Candidate,
        beat: u64,
        now_ms: i64,
        seconds: u64,
    ) -> Result<Self> {
        let transitions = i32::try_from(generation)
            .map_err(|_| Error::internal(format!("term {generation} is more than a Lease can count")))?;
        let (now, is_new) = (micro_time(now_ms), !read.is_some_and(|read| read.is_of(generation, &candidate.name)));
        let mut next = read.cloned().unwrap_or_else(|| Self(json!({})));
        next.set("spec", "holderIdentity", json!(candidate.name));
        next.set("spec", "leaseTransitions", json!(transitions));
        next.set("spec", "leaseDurationSeconds", json!(seconds));
        next.set("spec", "renewTime", json!(now));
        if is_new {
            next.set("spec", "acquireTime", json!(now));
        }
        next.annotate(ADDRESS, Some(&candidate.address));
        next.annotate(REST, candidate.rest.as_deref());
        next.annotate(BEAT, Some(&beat.to_string()));
        Ok(next)
    }

    /// What its holder writes that gives it up.
    pub(super) fn released(mut self, now_ms: i64) -> Self {
        self.set("spec", "holderIdentity", json!(""));
        self.set("spec", "renewTime", json!(micro_time(now_ms)));
        self
    }

    /// Number of the term; 0 when nobody ever led.
    pub(super) fn generation(&self) -> u64 {
        self.0["spec"]["leaseTransitions"].as_u64().unwrap_or(0)
    }

    /// Whether this candidate holds it in this term.
    pub(super) fn is_of(&self, generation: u64, name: &str) -> bool {
        self.generation() == generation && self.0["spec"]["holderIdentity"].as_str() == Some(name)
    }

    /// Who holds it.
    pub(super) fn holder(&self) -> Holder {
        let annotation = |name: &str| self.0["metadata"]["annotations"][name].as_str().map(str::to_owned);
        Holder {
            generation: self.generation(),
            address: annotation(ADDRESS).unwrap_or_default(),
            rest: annotation(REST),
            beat: self.beat(),
        }
    }

    /// Changes with every renewal, whatever the clock of the holder does.
    fn beat(&self) -> Option<u64> {
        let spec = &self.0["spec"];
        let holder = spec["holderIdentity"].as_str().filter(|holder| !holder.is_empty())?;
        let mut hash = DefaultHasher::new();
        (holder, spec["renewTime"].as_str(), self.0["metadata"]["annotations"][BEAT].as_str()).hash(&mut hash);
        Some(hash.finish())
    }

    fn annotate(&mut self, name: &str, value: Option<&str>) {
        let mut annotations = match self.0["metadata"]["annotations"].take() {
            Value::Object(annotations) => annotations,
            _ => Map::new(),
        };
        match value {
            Some(value) => _ = annotations.insert(name.to_owned(), json!(value)),
            None => _ = annotations.remove(name),
        }
        self.set("metadata", "annotations", Value::Object(annotations));
    }

    /// Sets a field of a part, which is made where it is missing.
    pub(super) fn set(&mut self, part: &str, field: &str, value: Value) {
        if !self.0.is_object() {
            self.0 = json!({});
        }
        if !self.0[part].is_object() {
            self.0[part] = json!({});
        }
        self.0[part][field] = value;
    }
}

/// A time as Kubernetes writes those of leases.
fn micro_time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}
