//! Questions from outside to a part of a running task, such as for the rows that a sink holds for a client.
//!
//! Whoever can be asked registers under a name that nobody else has, in the process that runs the task. A question
//! travels from a client by way of the JobManager, which knows where the task is, and finds the one of that name here.
//! Questions and answers are bytes; they must be bounded and answered without waiting.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// A part of a task that can be asked.
pub trait Coordinated: Send + Sync {
    /// The answer; `None` when the question makes no sense.
    fn answer(&self, request: &[u8]) -> Option<Vec<u8>>;
}

/// Who can be asked in this process.
static NAMES: LazyLock<Mutex<HashMap<String, Arc<dyn Coordinated>>>> = LazyLock::new(Mutex::default);

fn names() -> MutexGuard<'static, HashMap<String, Arc<dyn Coordinated>>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Can be asked until it is dropped.
pub struct Registration {
    name: String,
    coordinated: Arc<dyn Coordinated>,
}

/// Lets somebody be asked by a name. A later one of the same name takes its place: an earlier attempt of the same task
/// may not have ended yet.
pub fn register(name: String, coordinated: Arc<dyn Coordinated>) -> Registration {
    names().insert(name.clone(), coordinated.clone());
    Registration { name, coordinated }
}

/// Asks whoever has this name.
pub fn ask(name: &str, request: &[u8]) -> Option<Vec<u8>> {
    let asked = names().get(name).cloned()?;
    asked.answer(request)
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut names = names();
        if names.get(&self.name).is_some_and(|known| Arc::ptr_eq(known, &self.coordinated)) {
            names.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(u8);

    impl Coordinated for Says {
        fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
            (!request.is_empty()).then(|| vec![self.0])
        }
    }

    #[test]
    fn the_latest_of_a_name_answers_until_it_is_dropped() {
        let name = || "the_latest_of_a_name".to_owned();
        let first = register(name(), Arc::new(Says(1)));
        assert_eq!(ask(&name(), b"?"), Some(vec![1]));
        assert_eq!(ask(&name(), b""), None);
        let second = register(name(), Arc::new(Says(2)));
        drop(first);
        assert_eq!(ask(&name(), b"?"), Some(vec![2]), "the end of the first takes nothing from the second");
        drop(second);
        assert_eq!(ask(&name(), b"?"), None);
    }
}
