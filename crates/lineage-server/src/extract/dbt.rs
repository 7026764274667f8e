//! dbt: an invocation is a run, each node an operation of it.

use super::{Profile, common, datasets, naming};
use crate::event::{Dataset, Event, string};
use crate::facts::Facts;
use uuid::Uuid;

const PROFILE: Profile =
    Profile { prefer_tables: false, cut_partitions: false, drop_kafka_tables: false, default_type: Some(1) };

pub(super) fn extract(event: &Event<'_>, id: Uuid, invocation: bool, facts: &mut Facts) {
    let parent = common::parent(event).filter(|_| !invocation);
    let external_id = event.run_facet("dbt_run").and_then(|f| string(f, "invocation_id"));
    let run = if let Some((run, job)) = parent {
        let name = naming::job(&job);
        facts.jobs.push(crate::facts::Job { tags: common::tags(event), ..common::mentioned_job(&name) });
        let mut mentioned = common::mentioned_run(run, &name);
        mentioned.details.external_id = external_id;
        facts.runs.push(mentioned);
        run
    } else {
        let name = naming::job(&event.job);
        let mut run = common::run(event, id, &name);
        run.details.external_id = external_id;
        common::mention_parent(event, facts);
        facts.jobs.push(common::job(event, &name));
        facts.runs.push(run);
        id
    };
    if !invocation {
        node(event, id, run, facts);
    }
}

fn node(event: &Event<'_>, id: Uuid, run: Uuid, facts: &mut Facts) {
    let mut operation = common::operation(event, id, run, event.job.name.clone());
    operation.group = event.job_type();
    facts.operation = Some(operation);
    let mut event = event.clone();
    for dataset in event.inputs.iter_mut().chain(&mut event.outputs) {
        without_none(dataset);
    }
    datasets::extract(&event, &PROFILE, facts);
}

/// A database that dbt does not know is named `None`.
fn without_none(dataset: &mut Dataset<'_>) {
    dataset.id.name = dataset.id.name.replace("None.", "");
}
