//! `type: composite`: every event to several transports.

use super::{Failure, Transport, bad, nested, text};
use crate::client::Message;
use headwater_env::Env;
use headwater_types::Result;
use serde_json::Value;
use std::time::Duration;

/// Hands events to each of its parts.
pub(super) struct Composite {
    parts: Vec<Part>,
    continue_on_failure: bool,
}

struct Part {
    transport: Box<dyn Transport>,
    /// The event that it has taken although another part has not: it is not given to it again.
    taken: Option<u64>,
}

impl Composite {
    pub(super) fn new(config: &Value, env: &Env, depth: usize) -> Result<Self> {
        let members: Vec<&Value> = match config.get("transports") {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(Value::Object(map)) => map.values().collect(),
            _ => vec![],
        };
        if members.is_empty() {
            return Err(bad("transport.transports", "a list or a map of transports"));
        }
        let parts =
            members.into_iter().map(|member| Ok(Part { transport: nested(member, env, depth + 1)?, taken: None }));
        let continue_on_failure = text(config, "continueOnFailure").is_none_or(|text| text != "false");
        Ok(Self { parts: parts.collect::<Result<_>>()?, continue_on_failure })
    }
}

impl Transport for Composite {
    /// All parts are tried before the event counts as failed, unless the first failure is to end it.
    fn send(&mut self, message: &Message, timeout: Duration) -> Result<(), Failure> {
        let share = timeout / u32::try_from(self.parts.len()).unwrap_or(u32::MAX).max(1);
        let mut failure: Option<Failure> = None;
        for part in self.parts.iter_mut().filter(|part| part.taken != Some(message.number)) {
            match part.transport.send(message, share) {
                Ok(()) => part.taken = Some(message.number),
                Err(error) => {
                    // What one part will never take must not keep it from the others.
                    let retryable = error.retryable || failure.as_ref().is_some_and(|known| known.retryable);
                    failure = Some(Failure { retryable, ..error });
                    if !self.continue_on_failure {
                        break;
                    }
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }
}
