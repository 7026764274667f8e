//! Why is there no output?

use crate::answer::{Answer, Reply};
use crate::call::Call;
use crate::diagnosis::{Facts, diagnose};

/// `/jobs/:jobid/diagnosis`: not part of Flink's API.
pub(super) fn diagnosis(call: &Call<'_>) -> Reply {
    let details = call.job()?;
    let (cluster, job) = (&call.state.cluster, details.summary.job);
    let (operators, managers) = (cluster.metrics(job)?, cluster.task_managers()?);
    let now_ms = cluster.now_ms();
    let rates = call.state.rates.of(job, now_ms, &operators);
    let slots = managers
        .iter()
        .fold((0, 0), |(all, free), manager| (all + u64::from(manager.slots), free + u64::from(manager.slots_free)));
    Answer::json(&diagnose(&Facts {
        now_ms,
        waits_for: cluster.waits_for(job)?.as_deref(),
        slots,
        operators: &operators,
        rates: &rates,
        checkpoints: &cluster.checkpoints(job)?,
        details: &details,
    }))
}
