//! Ctrl-C while a job runs.
//!
//! The handler only sets a flag; whoever waits for a job looks at it. Nothing is installed until the first job
//! runs, so that the prompt keeps its own handling; where nobody waits, SIGTERM ends the process as it would without.

use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static INTERRUPTED: OnceLock<Watched> = OnceLock::new();
/// What a shell reports of a process that SIGTERM ended.
const TERMINATED: i32 = 128 + SIGTERM;

struct Watched {
    /// There was an interrupt.
    interrupted: Arc<AtomicBool>,
    /// Nobody looks at the flag.
    idle: Arc<AtomicBool>,
}

/// Starts to notice Ctrl-C and SIGTERM instead of dying of them.
pub fn watch() {
    let watched = INTERRUPTED.get_or_init(|| {
        let watched = Watched { interrupted: Arc::default(), idle: Arc::default() };
        // Without a handler the signal ends the process, which is what it would have done anyway.
        let _ = signal_hook::flag::register_conditional_shutdown(SIGTERM, TERMINATED, watched.idle.clone());
        for signal in [SIGINT, SIGTERM] {
            let _ = signal_hook::flag::register(signal, watched.interrupted.clone());
        }
        watched
    });
    watched.idle.store(false, Ordering::SeqCst);
    watched.interrupted.store(false, Ordering::SeqCst);
}

/// Whether there was an interrupt since the last call.
pub fn take() -> bool {
    INTERRUPTED.get().is_some_and(|watched| watched.interrupted.swap(false, Ordering::SeqCst))
}

/// Nobody waits for a job now.
pub fn rest() {
    if let Some(watched) = INTERRUPTED.get() {
        watched.idle.store(true, Ordering::SeqCst);
    }
}
