//! From the tree of options to settings.

use super::resolve::resolvers;
use super::tree::{get, list, text};
use super::{Settings, Surroundings};
use crate::client::Limits;
use headwater_lineage::Producer;
use headwater_lineage::event::is_uuid;
use headwater_lineage::model::{Owner, Parent, ParentJob, ParentRun, RootParent, Tag};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// `trackingIntervalInSeconds`.
const INTERVAL_S: u64 = 60;
/// Source of tags that were configured.
const TAG_SOURCE: &str = "CONFIG";

struct Reader<'a> {
    tree: &'a Value,
    warnings: Vec<String>,
}

pub(super) fn settings(tree: &Value, around: &Surroundings, warnings: Vec<String>) -> Settings {
    let mut reader = Reader { tree, warnings };
    let interval_s = reader.number("trackingIntervalInSeconds", INTERVAL_S).max(1);
    let transport = reader.transport();
    let is_disabled = reader.flag("disabled", false);
    let transport = transport.filter(|_| !is_disabled);
    let tracks_checkpoints = !reader.flag("flink.disableCheckpointTracking", false);
    Settings {
        limits: reader.limits(transport.as_ref(), around),
        transport,
        producer: producer(tree, interval_s),
        interval: Duration::from_secs(interval_s),
        tracks_checkpoints,
        resolves_topic_patterns: reader.flag("dataset.kafka.resolveTopicPattern", true),
        parent: parent(around, &mut reader.warnings),
        resolvers: resolvers(get(tree, "dataset.namespaceResolvers"), &mut reader.warnings),
        warnings: reader.warnings,
    }
}

impl Reader<'_> {
    /// The transport's options. An address without a type is that of an HTTP endpoint.
    fn transport(&mut self) -> Option<Value> {
        let mut transport = get(self.tree, "transport").filter(|options| options.is_object())?.clone();
        if transport.get("type").is_none() && transport.get("url").is_some() {
            transport["type"] = "http".into();
        }
        if transport.get("type").is_some() {
            return Some(transport);
        }
        let names: Vec<&str> = transport.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            let message = "'openlineage.transport' has no 'type', so no lineage is sent";
            self.warnings.push(format!("{message}: it has {names}; expected 'type', as in 'http' with a 'url'"));
        }
        None
    }

    fn flag(&mut self, path: &str, default: bool) -> bool {
        match text(self.tree, path).map(|value| value.trim().to_ascii_lowercase()).as_deref() {
            None | Some("") => default,
            Some("true" | "1" | "yes") => true,
            Some("false" | "0" | "no") => false,
            Some(other) => {
                self.warnings.push(format!("'{other}' is not a value of 'openlineage.{path}': expected true or false"));
                default
            }
        }
    }

    fn number<T: FromStr + Copy>(&mut self, path: &str, default: T) -> T {
        let Some(value) = text(self.tree, path) else { return default };
        value.trim().parse().unwrap_or_else(|_| {
            self.warnings.push(format!("'{value}' is not a value of 'openlineage.{path}': expected a whole number"));
            default
        })
    }

    fn limits(&mut self, transport: Option<&Value>, around: &Surroundings) -> Limits {
        let default = Limits::default();
        let check_ms = self.number("circuitBreaker.circuitCheckIntervalInMillis", millis(default.open.0)).max(1);
        let spool = self.flag("headwater.spool.enabled", true);
        let directory = text(self.tree, "headwater.spool.directory").map(PathBuf::from);
        let directory = directory.unwrap_or_else(|| around.temporary.join("headwater-lineage"));
        // Events for one endpoint never go to another.
        let endpoint = transport.map(|transport| xxhash_rust::xxh3::xxh3_64(transport.to_string().as_bytes()));
        Limits {
            queue_bytes: self.number("headwater.queue.maxBytes", default.queue_bytes),
            spool: endpoint.filter(|_| spool).map(|hash| directory.join(format!("{hash:016x}"))),
            spool_bytes: self.number("headwater.spool.maxBytes", default.spool_bytes),
            attempts: self.number("headwater.retry.attempts", default.attempts).max(1),
            open: (Duration::from_millis(check_ms), default.open.1.max(Duration::from_millis(check_ms))),
            close_timeout: Duration::from_millis(
                self.number("headwater.closeTimeoutInMillis", millis(default.close_timeout)),
            ),
            ..default
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn producer(tree: &Value, interval_s: u64) -> Producer {
    let default = Producer::default();
    let given = |path: &str| text(tree, path).filter(|value| !value.trim().is_empty());
    let owners = get(tree, "job.owners").and_then(Value::as_object);
    let owners = owners
        .into_iter()
        .flatten()
        .filter_map(|(kind, name)| Some(Owner { name: name.as_str()?.to_owned(), kind: Some(kind.clone()) }));
    let owners = owners.collect();
    Producer {
        namespace: given("job.namespace").unwrap_or(default.namespace),
        job_name: given("job.name"),
        integration: given("headwater.integration").unwrap_or(default.integration),
        owners,
        job_tags: list(tree, "job.tags").iter().map(|tag| parse_tag(tag)).collect(),
        run_tags: list(tree, "run.tags").iter().map(|tag| parse_tag(tag)).collect(),
        disabled_facets: disabled_facets(tree),
        interval_s,
    }
}

/// `key`, `key:value` or `key:value:source`.
fn parse_tag(text: &str) -> Tag {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let key = parts.next().unwrap_or_default().to_owned();
    let value = parts.next().unwrap_or("true").to_owned();
    let source = parts.next().unwrap_or(TAG_SOURCE).to_owned();
    Tag { key, value, source: Some(source) }
}

/// `facets.<name>.disabled: true`, and the older list `facets.disabled`.
fn disabled_facets(tree: &Value) -> BTreeSet<String> {
    let mut disabled: BTreeSet<String> = list(tree, "facets.disabled").into_iter().collect();
    let by_name = get(tree, "facets").and_then(Value::as_object);
    for (name, options) in by_name.into_iter().flatten() {
        if text(options, "disabled").is_some_and(|value| value == "true") {
            disabled.insert(name.clone());
        }
    }
    disabled
}

/// The run that `OPENLINEAGE_PARENT_ID` names: `namespace/job/run`, as schedulers hand it over.
fn parent(around: &Surroundings, warnings: &mut Vec<String>) -> Option<Parent> {
    let mut named = |variable: &str| {
        let text = around.variables.get(variable).filter(|text| !text.is_empty())?;
        let parsed = parse_parent(text);
        if parsed.is_none() {
            warnings
                .push(format!("'{text}' is not a value of {variable}: expected namespace/job/run, a UUID at its end"));
        }
        parsed
    };
    let (job, run) = named("OPENLINEAGE_PARENT_ID")?;
    let root = named("OPENLINEAGE_ROOT_PARENT_ID").map(|(job, run)| RootParent { run, job });
    Some(Parent { run, job, root })
}

/// The namespace may hold slashes, the job and the run do not.
fn parse_parent(text: &str) -> Option<(ParentJob, ParentRun)> {
    let mut parts = text.trim().rsplitn(3, '/');
    let (run, name, namespace) = (parts.next()?, parts.next()?, parts.next()?);
    let complete = is_uuid(run) && !name.is_empty() && !namespace.is_empty();
    let job = ParentJob { namespace: namespace.to_owned(), name: name.to_owned() };
    complete.then(|| (job, ParentRun { run_id: run.to_owned() }))
}
