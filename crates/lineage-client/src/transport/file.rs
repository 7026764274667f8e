//! `type: file`: one event a line, appended.

use super::{Failure, Transport, required};
use crate::client::Message;
use headwater_types::Result;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Appends events to a file.
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn new(config: &Value) -> Result<Self> {
        Ok(Self { path: PathBuf::from(required(config, "location")?) })
    }
}

impl Transport for File {
    /// The file is opened anew for each event, so that it may be moved away; a line is one write, so that processes may
    /// share the file.
    fn send(&mut self, message: &Message, _timeout: Duration) -> Result<(), Failure> {
        if let Some(directory) = self.path.parent() {
            let _ = std::fs::create_dir_all(directory);
        }
        let mut line = message.json.clone();
        line.push(b'\n');
        let appended =
            OpenOptions::new().create(true).append(true).open(&self.path).and_then(|mut f| f.write_all(&line));
        appended.map_err(|e| Failure::retryable(format!("cannot append to {}: {e}", self.path.display())))
    }
}
