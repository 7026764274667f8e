//! The cluster and its JobManager.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::cluster::{JobState, LogFile, ThreadStatus};
use crate::messages::cluster as messages;
use crate::views::config::entries;
use headwater_types::config::{Configuration, Key};

/// The version of Flink whose API this is.
const FLINK_VERSION: &str = "2.3.0";
const HEADWATER_VERSION: &str = env!("CARGO_PKG_VERSION");
const REFRESH_INTERVAL: Key = Key { name: "web.refresh-interval", default: "3 s" };
const CANCEL_ENABLED: Key = Key { name: "web.cancel.enable", default: "true" };

/// `/overview`
pub(super) fn overview(call: &Call<'_>) -> Reply {
    let cluster = &call.state.cluster;
    let (jobs, managers) = (cluster.jobs()?, cluster.task_managers()?);
    let count = |is: fn(JobState) -> bool| jobs.iter().filter(|job| is(job.state)).count() as u64;
    Answer::json(&messages::Overview {
        taskmanagers: managers.len() as u64,
        slots_total: managers.iter().map(|manager| u64::from(manager.slots)).sum(),
        slots_available: managers.iter().map(|manager| u64::from(manager.slots_free)).sum(),
        jobs_running: count(|state| !state.is_final()),
        jobs_finished: count(|state| state == JobState::Finished),
        jobs_cancelled: count(|state| state == JobState::Canceled),
        jobs_failed: count(|state| state == JobState::Failed),
        flink_version: FLINK_VERSION.to_owned(),
        flink_commit: format!("headwater-{HEADWATER_VERSION}"),
    })
}

/// `/config`
pub(super) fn dashboard_config(call: &Call<'_>) -> Reply {
    let config = call.state.cluster.config();
    let refresh_interval = config.duration(REFRESH_INTERVAL)?.as_millis() as u64;
    Answer::json(&messages::DashboardConfig {
        refresh_interval,
        timezone_name: "Coordinated Universal Time".to_owned(),
        timezone_offset: 0,
        flink_version: FLINK_VERSION.to_owned(),
        flink_revision: format!("headwater-{HEADWATER_VERSION}"),
        features: messages::Features {
            web_submit: call.state.options.scripts,
            web_cancel: config.boolean(CANCEL_ENABLED)?,
            web_rescale: false,
            web_history: false,
        },
    })
}

/// `/jobmanager/config`
pub(super) fn config(call: &Call<'_>) -> Reply {
    config_of(&call.state.cluster.config())
}

/// A configuration as an answer.
pub(super) fn config_of(config: &Configuration) -> Reply {
    Answer::json(&entries(config))
}

/// `/jobmanager/environment`
pub(super) fn environment(_call: &Call<'_>) -> Reply {
    Answer::json(&messages::Environment {
        jvm: messages::Jvm {
            version: format!("Headwater {HEADWATER_VERSION} (native, no JVM)"),
            arch: std::env::consts::ARCH.to_owned(),
            options: vec![],
        },
        classpath: vec![],
    })
}

/// `/datasets`
pub(super) fn data_sets(_call: &Call<'_>) -> Reply {
    Answer::json(&messages::DataSets { data_sets: vec![] })
}

/// `DELETE /cluster`
pub(super) fn shut_down(call: &Call<'_>) -> Reply {
    call.state.cluster.shut_down()?;
    call.done()
}

/// `/jobmanager/thread-dump`
pub(super) fn thread_dump(call: &Call<'_>) -> Reply {
    threads(&call.state.cluster.threads(None)?)
}

/// Threads as an answer: what the kernel tells of them, as there are no stacks of a JVM.
pub(super) fn threads(threads: &[ThreadStatus]) -> Reply {
    let info = |thread: &ThreadStatus| messages::ThreadInfo {
        thread_name: thread.name.clone(),
        stringified_thread_info: format!(
            "\"{}\" Id={} {}{}\n\tprocessor time {} ms\n\n",
            thread.name,
            thread.id,
            state_of(thread.state),
            if matches!(thread.waits_in.as_str(), "" | "0") {
                String::new()
            } else {
                format!(" in {}", thread.waits_in)
            },
            thread.cpu_ms,
        ),
    };
    Answer::json(&messages::ThreadDump { thread_infos: threads.iter().map(info).collect() })
}

/// The kernel's letter in the words of a thread dump.
fn state_of(letter: char) -> &'static str {
    match letter {
        'R' => "RUNNABLE",
        'S' => "WAITING",
        'D' => "WAITING on disk",
        'T' | 't' => "STOPPED",
        _ => "ENDED",
    }
}

/// `/jobmanager/logs`
pub(super) fn logs(call: &Call<'_>) -> Reply {
    list(call.state.cluster.logs(None)?)
}

/// Log files as an answer.
pub(super) fn list(files: Vec<LogFile>) -> Reply {
    let log = |file: LogFile| messages::Log { name: file.name, size: file.bytes, mtime: file.modified_ms };
    Answer::json(&messages::Logs { logs: files.into_iter().map(log).collect() })
}

/// `/jobmanager/logs/:filename`
pub(super) fn log(call: &Call<'_>) -> Reply {
    content(call, None, call.text("filename"))
}

/// `/jobmanager/log`
pub(super) fn main_log(call: &Call<'_>) -> Reply {
    first(call, None)
}

/// `/jobmanager/stdout`
pub(super) fn stdout(call: &Call<'_>) -> Reply {
    printed(call, None)
}

/// The file with the log.
pub(super) fn first(call: &Call<'_>, manager: Option<&str>) -> Reply {
    match call.state.cluster.logs(manager)?.iter().find(|file| !file.is_stdout) {
        Some(file) => content(call, manager, &file.name),
        None => Err(ApiError::not_found("The log of this process does not go to a file")),
    }
}

/// The file with what tasks print.
pub(super) fn printed(call: &Call<'_>, manager: Option<&str>) -> Reply {
    match call.state.cluster.logs(manager)?.iter().find(|file| file.is_stdout) {
        Some(file) => content(call, manager, &file.name),
        None => Err(ApiError::not_found("What this process prints does not go to a file")),
    }
}

/// The content of a log file. Only names that are listed are read.
pub(super) fn content(call: &Call<'_>, manager: Option<&str>, name: &str) -> Reply {
    let cluster = &call.state.cluster;
    let is_listed = cluster.logs(manager)?.iter().any(|file| file.name == name);
    match if is_listed { cluster.log(manager, name)? } else { None } {
        Some(content) => Answer::text(content),
        None => Err(ApiError::not_found("There is no log file of this name")),
    }
}
