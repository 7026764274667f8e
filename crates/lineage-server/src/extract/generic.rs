//! Producers without a reader of their own, Headwater, and declared lineage.

use super::{Profile, common, datasets, flink, naming};
use crate::event::{Event, child, string};
use crate::facts::{Facts, Name, Operation, Run, status};
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

const PROFILE: Profile =
    Profile { prefer_tables: false, cut_partitions: false, drop_kafka_tables: false, default_type: None };

/// A run event of an unknown producer: always a run, an operation when there is something to say of one.
pub(super) fn extract(event: &Event<'_>, id: Uuid, facts: &mut Facts) {
    let name = naming::job(&event.job);
    let mut run = common::run(event, id, &name);
    flink::job_id(event, &mut run);
    own_run_facet(event, &mut run);
    common::mention_parent(event, facts);
    facts.jobs.push(common::job(event, &name));
    facts.runs.push(run);
    let own = event.run_facet("dataRentgen_operation");
    if event.has_datasets() || own.is_some() || event.job_facet("lineage").is_some() {
        let mut operation = common::operation(event, id, id, event.job.name.clone());
        if let Some(facet) = own {
            operation.name = string(facet, "name").unwrap_or(operation.name);
            operation.description = string(facet, "description");
            operation.group = string(facet, "group");
            operation.position = crate::event::integer(facet, "position");
        }
        facts.operation = Some(operation);
        let profile = Profile { drop_kafka_tables: is_headwater(event), ..PROFILE };
        datasets::extract(event, &profile, facts);
    }
    common::dependencies(event, &name, facts);
}

fn is_headwater(event: &Event<'_>) -> bool {
    event.integration().as_deref() == Some("HEADWATER")
}

fn own_run_facet(event: &Event<'_>, run: &mut Run) {
    let Some(facet) = event.run_facet("dataRentgen_run") else { return };
    let details = &mut run.details;
    let text = |key: &str| string(facet, key);
    details.external_id = text("external_id").or(details.external_id.take());
    details.attempt = text("external_attempt").or_else(|| text("attempt")).or(details.attempt.take());
    details.persistent_log_url = text("persistent_log_url").or(details.persistent_log_url.take());
    details.running_log_url = text("running_log_url").or(details.running_log_url.take());
    details.start_reason = text("start_reason").map(|r| r.to_uppercase());
    let user =
        child(facet, "started_by_user").and_then(|u| string(u, "name").or_else(|| u.as_str().map(str::to_owned)));
    details.user = user.or_else(|| text("started_by_user"));
}

/// A job event: the lineage somebody declares for a job. It is kept as a run of its own that never ends.
pub(super) fn declared_job(event: &Event<'_>, facts: &mut Facts) {
    let name = naming::job(&event.job);
    facts.jobs.push(common::job(event, &name));
    if event.has_datasets() || event.job_facet("lineage").is_some() {
        declare(event, &name, facts);
    }
}

/// A dataset event: what somebody declares of a dataset. Its column lineage makes it a job of its own.
pub(super) fn declared_dataset(event: &Event<'_>, facts: &mut Facts) {
    let name = Name { place: naming::dataset_place(&event.job.namespace), name: event.job.name.clone() };
    let lineage =
        event.outputs.first().is_some_and(|d| ["columnLineage", "lineage"].iter().any(|f| d.facet(f).is_some()));
    if lineage {
        let mut job = common::mentioned_job(&name);
        job.kind = Some("DATASET".into());
        facts.jobs.push(job);
        declare(event, &name, facts);
        declared_inputs(facts);
        return;
    }
    datasets::extract(event, &PROFILE, facts);
}

/// The sources of a dataset event's columns are its inputs.
fn declared_inputs(facts: &mut Facts) {
    let sources: Vec<Name> =
        facts.columns.iter().map(|c| c.source.clone()).chain(facts.flows.iter().map(|f| f.0.clone())).collect();
    for dataset in sources {
        if !facts.edges.iter().any(|e| !e.output && e.dataset == dataset) {
            facts.edges.push(crate::facts::Edge {
                dataset,
                output: false,
                types: 0,
                rows: None,
                bytes: None,
                files: None,
                schema: None,
                progress: None,
            });
        }
    }
}

fn declare(event: &Event<'_>, job: &Name, facts: &mut Facts) {
    let id = declared_id(job);
    let mut run = common::mentioned_run(id, job);
    (run.heard, run.declared) = (true, true);
    facts.runs.push(run);
    facts.operation = Some(Operation { status: status::UNKNOWN, ..common::operation(event, id, id, job.name.clone()) });
    datasets::extract(event, &PROFILE, facts);
}

/// The same for the same job, whatever the order of events.
fn declared_id(job: &Name) -> Uuid {
    let mut hash = Sha1::new();
    hash.update(job.place.kind.as_bytes());
    hash.update([0]);
    hash.update(job.place.hosts[0].as_bytes());
    hash.update([0]);
    hash.update(job.name.to_lowercase().as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
