//! TaskManagers.

use super::cluster;
use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::cluster::TaskManagerInfo;
use crate::messages::task_manager::TaskManagers;
use crate::views::task_manager as views;

/// `/taskmanagers`
pub(super) fn list(call: &Call<'_>) -> Reply {
    let managers = call.state.cluster.task_managers()?;
    Answer::json(&TaskManagers { taskmanagers: managers.iter().map(views::row).collect() })
}

/// The TaskManager that the path names.
pub(super) fn find(call: &Call<'_>) -> Result<TaskManagerInfo, ApiError> {
    let id = call.text("taskmanagerid");
    let managers = call.state.cluster.task_managers()?;
    let found = managers.into_iter().find(|manager| manager.id == id);
    found.ok_or_else(|| {
        let id: String = id.chars().take(100).collect();
        ApiError::not_found(format_args!("Could not find TaskExecutor with resource id {id}"))
    })
}

/// `/taskmanagers/:taskmanagerid`
pub(super) fn details(call: &Call<'_>) -> Reply {
    Answer::json(&views::details(&find(call)?))
}

/// `/taskmanagers/:taskmanagerid/logs`
pub(super) fn logs(call: &Call<'_>) -> Reply {
    let manager = find(call)?;
    cluster::list(call.state.cluster.logs(Some(&manager.id))?)
}

/// `/taskmanagers/:taskmanagerid/logs/:filename`
pub(super) fn log(call: &Call<'_>) -> Reply {
    let manager = find(call)?;
    cluster::content(call, Some(&manager.id), call.text("filename"))
}

/// `/taskmanagers/:taskmanagerid/log`
pub(super) fn main_log(call: &Call<'_>) -> Reply {
    let manager = find(call)?;
    cluster::first(call, Some(&manager.id))
}

/// `/taskmanagers/:taskmanagerid/thread-dump`
pub(super) fn thread_dump(call: &Call<'_>) -> Reply {
    let manager = find(call)?;
    cluster::threads(&call.state.cluster.threads(Some(&manager.id))?)
}

/// `/taskmanagers/:taskmanagerid/stdout`
pub(super) fn stdout(call: &Call<'_>) -> Reply {
    let manager = find(call)?;
    cluster::printed(call, Some(&manager.id))
}
