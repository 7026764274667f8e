//! Ctrl-C while a job runs.
//!
//! The handler only sets a flag; whoever waits for a job looks at it. Nothing is installed until the first job
//! runs, so that the prompt keeps its own handling.

use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Starts to notice Ctrl-C and SIGTERM instead of dying of them.
pub fn watch() {
    let flag = INTERRUPTED.get_or_init(|| {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Without a handler the signal ends the process, which is what it would have done anyway.
            let _ = signal_hook::flag::register(signal, flag.clone());
        }
        flag
    });
    flag.store(false, Ordering::SeqCst);
}

/// Whether there was an interrupt since the last call.
pub fn take() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.swap(false, Ordering::SeqCst))
}
