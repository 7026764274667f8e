//! Spark: an application is a run, each of its actions an operation of it.

use super::{Profile, common, datasets, naming};
use crate::event::{Event, integer, string};
use crate::facts::{Facts, Run};
use uuid::Uuid;

const PROFILE: Profile =
    Profile { prefer_tables: true, cut_partitions: true, drop_kafka_tables: false, default_type: None };

pub(super) fn extract(event: &Event<'_>, id: Uuid, application: bool, facts: &mut Facts) {
    let parent = common::parent(event).filter(|_| !application);
    let Some((run, job)) = parent else {
        whole(event, id, !application, facts);
        return;
    };
    let name = naming::job(&job);
    facts.jobs.push(crate::facts::Job { tags: common::tags(event), ..common::mentioned_job(&name) });
    facts.runs.push(common::mentioned_run(run, &name));
    let own = event.job.name.strip_prefix(&job.name).map_or(event.job.name.as_str(), |n| n.trim_start_matches('.'));
    action(event, id, run, own, facts);
}

/// An application, or an action that does not know its application.
fn whole(event: &Event<'_>, id: Uuid, act: bool, facts: &mut Facts) {
    let name = naming::job(&event.job);
    let mut run = common::run(event, id, &name);
    application_details(event, &mut run);
    common::mention_parent(event, facts);
    facts.jobs.push(common::job(event, &name));
    facts.runs.push(run);
    if act || event.has_datasets() {
        action(event, id, id, &event.job.name, facts);
    }
}

fn application_details(event: &Event<'_>, run: &mut Run) {
    let Some(facet) = event.run_facet("spark_applicationDetails") else { return };
    run.details.external_id = string(facet, "applicationId");
    run.details.user = string(facet, "userName");
    run.details.running_log_url = string(facet, "proxyUrl").or_else(|| string(facet, "uiWebUrl"));
    run.details.persistent_log_url = string(facet, "historyUrl");
}

fn action(event: &Event<'_>, id: Uuid, run: Uuid, name: &str, facts: &mut Facts) {
    let mut operation = common::operation(event, id, run, name.to_owned());
    if let Some(details) = event.run_facet("spark_jobDetails") {
        operation.position = integer(details, "jobId");
        operation.description = string(details, "jobDescription");
        operation.group = string(details, "jobGroup");
    }
    facts.operation = Some(operation);
    datasets::extract(event, &PROFILE, facts);
}
