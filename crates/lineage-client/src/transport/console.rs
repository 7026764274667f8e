//! `type: console`: one event a line, to stderr, where it is not mixed up with rows.

use super::{Failure, Transport};
use crate::client::Message;
use std::io::Write;
use std::time::Duration;

/// Writes events to stderr.
pub(super) struct Console;

impl Transport for Console {
    fn send(&mut self, message: &Message, _timeout: Duration) -> Result<(), Failure> {
        let mut line = message.json.clone();
        line.push(b'\n');
        std::io::stderr().write_all(&line).map_err(|e| Failure::permanent(format!("cannot write to stderr: {e}")))
    }
}
