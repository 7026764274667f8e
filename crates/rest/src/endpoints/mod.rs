//! The endpoints of the API: one table, and what they do by subject.

mod applications;
mod checkpoints;
mod cluster;
mod diagnosis;
mod jobs;
mod metrics;
mod operations;
mod refused;
mod rescales;
mod scripts;
mod task_managers;
mod vertices;

use crate::answer::Reply;
use crate::auth::Role;
use crate::call::Call;
use axum::http::Method;

/// An endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path in Flink's notation: `/jobs/:jobid`.
    pub path: &'static str,
    /// What it needs.
    pub role: Role,
    pub(crate) handler: fn(&Call<'_>) -> Reply,
}

const fn get(path: &'static str, handler: fn(&Call<'_>) -> Reply) -> Endpoint {
    Endpoint { method: Method::GET, path, role: Role::View, handler }
}

const fn change(method: Method, path: &'static str, handler: fn(&Call<'_>) -> Reply) -> Endpoint {
    Endpoint { method, path, role: Role::Operate, handler }
}

const fn administer(method: Method, path: &'static str, handler: fn(&Call<'_>) -> Reply) -> Endpoint {
    Endpoint { method, path, role: Role::Admin, handler }
}

/// All endpoints.
pub fn endpoints() -> &'static [Endpoint] {
    &ENDPOINTS
}

static ENDPOINTS: [Endpoint; 94] = [
    get("/overview", cluster::overview),
    get("/config", cluster::dashboard_config),
    administer(Method::DELETE, "/cluster", cluster::shut_down),
    get("/datasets", cluster::data_sets),
    get("/datasets/delete/:triggerid", refused::operation),
    change(Method::DELETE, "/datasets/:datasetid", refused::data_set),
    get("/applications/overview", applications::overview),
    get("/applications/:applicationid", applications::details),
    change(Method::POST, "/applications/:applicationid/cancel", applications::cancel),
    get("/applications/:applicationid/exceptions", applications::exceptions),
    get("/applications/:applicationid/jobmanager/config", applications::config),
    get("/jars", scripts::list),
    administer(Method::POST, "/jars/upload", scripts::upload),
    administer(Method::DELETE, "/jars/:jarid", scripts::remove),
    administer(Method::GET, "/jars/:jarid/plan", scripts::plan),
    administer(Method::POST, "/jars/:jarid/plan", scripts::plan),
    administer(Method::POST, "/jars/:jarid/run", scripts::run),
    administer(Method::POST, "/jars/:jarid/run-application", scripts::run_application),
    get("/jobmanager/config", cluster::config),
    get("/jobmanager/environment", cluster::environment),
    get("/jobmanager/log", cluster::main_log),
    get("/jobmanager/logs", cluster::logs),
    get("/jobmanager/logs/:filename", cluster::log),
    get("/jobmanager/metrics", metrics::job_manager),
    get("/jobmanager/stdout", cluster::stdout),
    get("/jobmanager/thread-dump", cluster::thread_dump),
    get("/jobs", jobs::ids),
    administer(Method::POST, "/jobs", jobs::submit),
    get("/jobs/metrics", metrics::jobs),
    get("/jobs/overview", jobs::overview),
    get("/jobs/:jobid", jobs::details),
    change(Method::PATCH, "/jobs/:jobid", jobs::terminate),
    get("/jobs/:jobid/accumulators", jobs::accumulators),
    get("/jobs/:jobid/checkpoints", checkpoints::overview),
    change(Method::POST, "/jobs/:jobid/checkpoints", operations::checkpoint),
    get("/jobs/:jobid/checkpoints/config", checkpoints::config),
    get("/jobs/:jobid/checkpoints/details/:checkpointid", checkpoints::details),
    get("/jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid", checkpoints::vertex),
    get("/jobs/:jobid/checkpoints/:triggerid", operations::checkpoint_outcome),
    change(Method::PATCH, "/jobs/:jobid/clientHeartbeat", jobs::heartbeat),
    get("/jobs/:jobid/config", jobs::config),
    change(Method::POST, "/jobs/:jobid/coordinators/:operatorUid", refused::coordinator),
    get("/jobs/:jobid/exceptions", jobs::exceptions),
    get("/jobs/:jobid/execution-result", jobs::result),
    get("/jobs/:jobid/jobmanager/config", jobs::manager_config),
    get("/jobs/:jobid/jobmanager/environment", jobs::manager_environment),
    get("/jobs/:jobid/jobmanager/log-url", jobs::manager_log_url),
    get("/jobs/:jobid/metrics", metrics::job),
    get("/jobs/:jobid/plan", jobs::plan),
    get("/jobs/:jobid/rescales/config", rescales::config),
    get("/jobs/:jobid/rescales/details/:rescaleuuid", rescales::details),
    get("/jobs/:jobid/rescales/history", rescales::history),
    get("/jobs/:jobid/rescales/overview", rescales::overview),
    get("/jobs/:jobid/rescales/summary", rescales::summary),
    change(Method::PATCH, "/jobs/:jobid/rescaling", refused::rescaling),
    get("/jobs/:jobid/rescaling/:triggerid", refused::rescaling_outcome),
    get("/jobs/:jobid/resource-requirements", rescales::requirements),
    change(Method::PUT, "/jobs/:jobid/resource-requirements", rescales::set_requirements),
    change(Method::POST, "/jobs/:jobid/savepoints", operations::savepoint),
    get("/jobs/:jobid/savepoints/:triggerid", operations::savepoint_outcome),
    get("/jobs/:jobid/status", jobs::status),
    change(Method::POST, "/jobs/:jobid/stop", operations::stop),
    get("/jobs/:jobid/taskmanagers/:taskmanagerid/log-url", jobs::task_manager_log_url),
    get("/jobs/:jobid/vertices/:vertexid", vertices::details),
    get("/jobs/:jobid/vertices/:vertexid/accumulators", vertices::accumulators),
    get("/jobs/:jobid/vertices/:vertexid/backpressure", vertices::back_pressure),
    get("/jobs/:jobid/vertices/:vertexid/flamegraph", vertices::flame_graph),
    get("/jobs/:jobid/vertices/:vertexid/jm-operator-metrics", metrics::coordinator),
    get("/jobs/:jobid/vertices/:vertexid/metrics", metrics::vertex),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/accumulators", vertices::subtasks_accumulators),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/metrics", metrics::subtasks),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex", vertices::subtask),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt", vertices::attempt),
    get(
        "/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt/accumulators",
        vertices::attempt_accumulators,
    ),
    get("/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/metrics", metrics::subtask),
    get("/jobs/:jobid/vertices/:vertexid/subtasktimes", vertices::times),
    get("/jobs/:jobid/vertices/:vertexid/taskmanagers", vertices::task_managers),
    get("/jobs/:jobid/vertices/:vertexid/watermarks", metrics::watermarks),
    administer(Method::POST, "/savepoint-disposal", operations::dispose),
    get("/savepoint-disposal/:triggerid", operations::disposal_outcome),
    get("/taskmanagers", task_managers::list),
    get("/taskmanagers/metrics", metrics::task_managers),
    get("/taskmanagers/:taskmanagerid", task_managers::details),
    get("/taskmanagers/:taskmanagerid/log", task_managers::main_log),
    get("/taskmanagers/:taskmanagerid/logs", task_managers::logs),
    get("/taskmanagers/:taskmanagerid/logs/:filename", task_managers::log),
    get("/taskmanagers/:taskmanagerid/metrics", metrics::task_manager),
    get("/taskmanagers/:taskmanagerid/stdout", task_managers::stdout),
    get("/taskmanagers/:taskmanagerid/thread-dump", task_managers::thread_dump),
    get("/jobs/:jobid/diagnosis", diagnosis::diagnosis),
    get("/jobs/:jobid/lineage", jobs::lineage),
    get("/metrics", metrics::prometheus),
    get("/jobs/:jobid/yarn-cancel", jobs::refuse_get_cancel),
    get("/jobs/:jobid/yarn-stop", jobs::refuse_get_cancel),
];
