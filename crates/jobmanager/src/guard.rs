//! Calls into connectors on the JobManager's side: a panic there fails the job, not the JobManager.

use headwater_types::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `f`; a panic becomes an error with its message. What `f` was working on must not be used again
/// after a panic, except to be dropped.
pub(crate) fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Error::internal(format!("a connector panicked: {}", text.unwrap_or("without a message"))))
    })
}
