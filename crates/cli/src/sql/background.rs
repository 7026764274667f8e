//! Jobs in the background at the end of a script: the process stays until they have ended.

use super::Ending;
use super::interrupts::{Interrupts, Kept};
use crate::signals;
use headwater_embedded::{JobHandle, JobState};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How long a wait lasts before interrupts are looked at.
const TURN: Duration = Duration::from_millis(50);

/// Waits for all jobs. An interrupt is one for each of them.
pub fn wait(jobs: &[JobHandle], config: &Configuration) -> Result<Ending> {
    if jobs.is_empty() {
        return Ok(Ending::Done);
    }
    signals::watch();
    crate::complain(format_args!("[INFO] Waiting for jobs in the background: {}.", jobs.len()));
    let kept = Kept::of(config)?;
    let mut waiting: Vec<(&JobHandle, Interrupts)> =
        jobs.iter().map(|job| (job, Interrupts::new(kept.clone()))).collect();
    let mut ending = Ending::Done;
    let (_sender, nothing) = sync_channel::<()>(1);
    while !waiting.is_empty() {
        let _ = nothing.recv_timeout(TURN);
        let interrupted = signals::take();
        for (job, interrupts) in &mut waiting {
            if interrupted {
                interrupts.interrupt(job);
            }
            interrupts.watch(job);
        }
        let (ended, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(job, _)| has_ended(job));
        waiting = still;
        for (job, mut interrupts) in ended {
            ending = worst(ending, one(job, &mut interrupts));
        }
    }
    Ok(ending)
}

fn has_ended(job: &JobHandle) -> bool {
    job.status().map_or(true, |status| status.state.is_final())
}

/// How a job ended, told where it matters.
fn one(job: &JobHandle, interrupts: &mut Interrupts) -> Ending {
    let result = job.wait();
    interrupts.farewell(&result);
    if interrupts.ended(&result) {
        return Ending::Interrupted;
    }
    let state = result.state;
    match result.into_result() {
        Ok(_) => Ending::Done,
        // Somebody stopped it by a statement.
        Err(_) if state == JobState::Canceled => Ending::Done,
        Err(error) => {
            crate::complain(format_args!("[ERROR] The job '{}' failed: {error}", job.name()));
            Ending::Failed
        }
    }
}

fn worst(a: Ending, b: Ending) -> Ending {
    match (&a, &b) {
        (Ending::Failed, _) | (Ending::Interrupted, Ending::Done) => a,
        _ => b,
    }
}
