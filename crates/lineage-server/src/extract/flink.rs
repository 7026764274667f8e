//! Flink 1 and 2.
//!
//! One event tells of a job, a run and an operation that share the id. Events of Flink 2 after the first carry neither
//! job type nor datasets, so they are read by [`super::generic`] as news of the run only; the merge passes such news
//! on to the operation of the same id.

use super::{Profile, common, datasets, naming};
use crate::event::{Event, string};
use crate::facts::{Facts, Run};
use uuid::Uuid;

const PROFILE: Profile =
    Profile { prefer_tables: false, cut_partitions: false, drop_kafka_tables: true, default_type: Some(1) };

pub(super) fn extract(event: &Event<'_>, id: Uuid, facts: &mut Facts) {
    let name = naming::job(&event.job);
    let mut run = common::run(event, id, &name);
    job_id(event, &mut run);
    common::mention_parent(event, facts);
    facts.jobs.push(common::job(event, &name));
    facts.runs.push(run);
    if event.job_type().as_deref() == Some("JOB") {
        facts.operation = Some(common::operation(event, id, id, event.job.name.clone()));
        datasets::extract(event, &PROFILE, facts);
    }
    common::dependencies(event, &name, facts);
}

/// The facet with Flink's own job id, which also leads to its web pages.
pub(super) fn job_id(event: &Event<'_>, run: &mut Run) {
    let Some(job) = event.run_facet("flink_job").and_then(|f| string(f, "jobId")) else { return };
    let namespace = event.job.namespace.trim_end_matches('/');
    if namespace.starts_with("http") {
        run.details.running_log_url = Some(format!("{namespace}/#/job/running/{job}"));
        run.details.persistent_log_url = Some(format!("{namespace}/#/job/completed/{job}"));
    }
    run.details.external_id = Some(job);
}
