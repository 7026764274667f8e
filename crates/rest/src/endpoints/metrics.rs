//! Metrics: ids without `get`, values with it, measures over several sources with `agg`.

use super::jobs::counters;
use super::task_managers;
use crate::answer::{Answer, ApiError, Reply};
use crate::call::{Call, hex, unresolved};
use crate::cluster::{JobSummary, TaskManagerInfo};
use crate::ids::vertex_ids;
use crate::messages::metric::{Metric, MetricId};
use crate::metrics::{self, Measures, Page, Value};
use crate::views::vertex::Places;
use headwater_types::ids::{JobId, SubtaskId};
use std::collections::BTreeSet;

/// The ids there are, or the values that were asked for; what is not there is left out.
fn values(call: &Call<'_>, values: &[Value]) -> Reply {
    let wanted = call.query_list("get");
    if wanted.is_empty() {
        return ids(values.iter().map(|(id, _)| id));
    }
    let wanted: BTreeSet<&str> = wanted.into_iter().collect();
    let found = values.iter().filter(|(id, _)| wanted.contains(id.as_str()));
    let metric = |(id, value): &Value| Metric { id: id.clone(), value: value.clone() };
    Answer::json(&found.map(metric).collect::<Vec<_>>())
}

/// The ids there are, or the measures over all sources that were asked for.
fn aggregated(call: &Call<'_>, sources: &[Vec<Value>]) -> Reply {
    let measures = Measures::parse(&call.query_list("agg"))?;
    let wanted = call.query_list("get");
    if wanted.is_empty() {
        return ids(sources.iter().flatten().map(|(id, _)| id));
    }
    Answer::json(&metrics::aggregate(sources, &wanted, measures))
}

fn ids<'a>(ids: impl Iterator<Item = &'a String>) -> Reply {
    let ids: BTreeSet<&String> = ids.collect();
    Answer::json(&ids.into_iter().map(|id| MetricId { id: id.clone() }).collect::<Vec<_>>())
}

/// `/jobmanager/metrics`
pub(super) fn job_manager(call: &Call<'_>) -> Reply {
    let cluster = &call.state.cluster;
    let running = cluster.jobs()?.iter().filter(|job| !job.state.is_final()).count();
    values(call, &metrics::job_manager(running, &cluster.task_managers()?, &cluster.process(None)?))
}

/// `/taskmanagers/:taskmanagerid/metrics`
pub(super) fn task_manager(call: &Call<'_>) -> Reply {
    values(call, &metrics::task_manager(&task_managers::find(call)?))
}

/// `/taskmanagers/metrics`
pub(super) fn task_managers(call: &Call<'_>) -> Reply {
    let wanted = call.query_list("taskmanagers");
    let managers = call.state.cluster.task_managers()?;
    let chosen = managers.iter().filter(|manager| wanted.is_empty() || wanted.contains(&manager.id.as_str()));
    aggregated(call, &chosen.map(metrics::task_manager).collect::<Vec<_>>())
}

fn of_job(call: &Call<'_>, job: JobId) -> Result<Vec<Value>, ApiError> {
    let cluster = &call.state.cluster;
    let Some(details) = cluster.details(job)? else { return Ok(vec![]) };
    Ok(metrics::job(&details, &cluster.checkpoints(job)?, cluster.now_ms()))
}

/// `/jobs/:jobid/metrics`
pub(super) fn job(call: &Call<'_>) -> Reply {
    let job = call.job()?.summary.job;
    values(call, &of_job(call, job)?)
}

/// `/jobs/metrics`
pub(super) fn jobs(call: &Call<'_>) -> Reply {
    let wanted = call.query_list("jobs");
    let parse = |text: &str| hex(text).map(JobId).ok_or_else(|| unresolved("query", "jobs", text));
    let wanted: Vec<JobId> = wanted.into_iter().map(parse).collect::<Result<_, _>>()?;
    let jobs = call.state.cluster.jobs()?;
    let chosen = jobs.iter().map(|job| job.job).filter(|job| wanted.is_empty() || wanted.contains(job));
    let sources: Vec<Vec<Value>> = chosen.map(|job| of_job(call, job)).collect::<Result<_, _>>()?;
    aggregated(call, &sources)
}

/// `/jobs/:jobid/vertices/:vertexid/metrics`: those of all subtasks, with their indices in front.
pub(super) fn vertex(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let counters = counters(call, found.details.summary.job)?;
    let of = |subtask: SubtaskId| {
        let own = counters.metrics(found.vertex(), subtask);
        own.into_iter().map(move |(id, value)| (format!("{}.{id}", subtask.index), value))
    };
    values(call, &found.subtasks().flat_map(of).collect::<Vec<_>>())
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics`
pub(super) fn subtask(call: &Call<'_>) -> Reply {
    let (found, subtask) = call.subtask()?;
    values(call, &counters(call, found.details.summary.job)?.metrics(found.vertex(), subtask))
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/metrics`
pub(super) fn subtasks(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let wanted = ranges(&call.query_list("subtasks"))?;
    let counters = counters(call, found.details.summary.job)?;
    let is_wanted = |index: u32| wanted.is_empty() || wanted.iter().any(|(from, to)| (*from..=*to).contains(&index));
    let chosen = found.subtasks().filter(|subtask| is_wanted(subtask.index));
    aggregated(call, &chosen.map(|subtask| counters.metrics(found.vertex(), subtask)).collect::<Vec<_>>())
}

/// `0,2-5`
fn ranges(items: &[&str]) -> Result<Vec<(u32, u32)>, ApiError> {
    let range = |item: &&str| {
        let (from, to) = item.split_once('-').unwrap_or((item, item));
        let range = from.trim().parse().ok().zip(to.trim().parse().ok()).filter(|(from, to)| from <= to);
        range.ok_or_else(|| unresolved("query", "subtasks", item))
    };
    items.iter().map(range).collect()
}

/// `/jobs/:jobid/vertices/:vertexid/jm-operator-metrics`: enumerators have none.
pub(super) fn coordinator(call: &Call<'_>) -> Reply {
    call.vertex()?;
    values(call, &[])
}

/// `/jobs/:jobid/vertices/:vertexid/watermarks`: of the subtasks that have one.
pub(super) fn watermarks(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let counters = counters(call, found.details.summary.job)?;
    let watermark = |subtask: SubtaskId| {
        let watermark = counters.watermark(subtask)?;
        Some(Metric { id: format!("{}.currentInputWatermark", subtask.index), value: watermark.to_string() })
    };
    Answer::json(&found.subtasks().filter_map(watermark).collect::<Vec<_>>())
}

/// `/metrics`: all metrics of the cluster as Prometheus reads them.
pub(super) fn prometheus(call: &Call<'_>) -> Reply {
    let cluster = &call.state.cluster;
    let (jobs, managers) = (cluster.jobs()?, cluster.task_managers()?);
    let mut page = Page::default();
    let running: Vec<_> = jobs.iter().filter(|job| !job.state.is_final()).collect();
    page.add("jobmanager", &[], &metrics::job_manager(running.len(), &managers, &cluster.process(None)?));
    for manager in &managers {
        let labels = [("host", host(&manager.endpoint)), ("tm_id", &manager.id)];
        page.add("taskmanager", &labels, &metrics::task_manager(manager));
    }
    for job in running {
        add_job(call, &mut page, job, &managers)?;
    }
    Answer::text(page.render())
}

/// The name of the host alone, as in Flink's scopes.
fn host(endpoint: &str) -> &str {
    endpoint.rsplit_once(':').map_or(endpoint, |(host, _port)| host)
}

fn add_job(call: &Call<'_>, page: &mut Page, job: &JobSummary, managers: &[TaskManagerInfo]) -> Result<(), ApiError> {
    let (id, name) = (job.job.to_string(), job.graph.name.as_str());
    page.add("jobmanager_job", &[("job_id", &id), ("job_name", name)], &of_job(call, job.job)?);
    let (counters, places) = (counters(call, job.job)?, Places::new(call.state.cluster.places(job.job)?, managers));
    for (vertex, vertex_id) in job.graph.vertices.iter().zip(vertex_ids(&job.graph)) {
        for index in 0..vertex.parallelism {
            let subtask = SubtaskId { vertex: vertex.id, index };
            let (operators, place, index) = (counters.operators(subtask), places.of(subtask), index.to_string());
            let task = [
                ("host", host(&place.endpoint)),
                ("tm_id", &place.task_manager),
                ("job_id", &id),
                ("job_name", name),
                ("task_id", &vertex_id),
                ("task_name", &vertex.name),
                ("subtask_index", &index),
            ];
            page.add("taskmanager_job_task", &task, &metrics::task(vertex, &operators, counters.rate(subtask)));
            for (node, values) in metrics::operators(vertex, &operators) {
                let labels = [&task[..], &[("operator_id", node.uid.as_str()), ("operator_name", &node.name)]].concat();
                page.add("taskmanager_job_task_operator", &labels, &values);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_numbers_and_pairs() {
        assert_eq!(ranges(&["0", "2-5"]).expect("valid"), [(0, 0), (2, 5)]);
        assert!(ranges(&["5-2"]).is_err() && ranges(&["x"]).is_err() && ranges(&["-1"]).is_err());
    }
}
