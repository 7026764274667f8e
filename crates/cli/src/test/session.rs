//! The SQL client as the session of a `.q` script: what it would print is kept instead.

use crate::args::Format;
use crate::output::Terminal;
use crate::sql::{Client, Script};
use headwater_conformance::{Printed, ScriptSession};
use headwater_types::config::Configuration;

/// A client of its own engine, whose text is kept.
pub struct ClientSession {
    client: Client,
    terminal: Terminal,
}

impl ClientSession {
    /// A new session.
    pub fn new(config: &Configuration) -> Self {
        let terminal = Terminal::kept();
        let client = Client::new(config.clone(), Format::Table, false).print_to(terminal.clone());
        Self { client, terminal }
    }
}

impl ScriptSession for ClientSession {
    fn run(&mut self, statement: &str) -> Printed {
        Script::new(statement, None).run(&mut self.client);
        Printed { text: self.terminal.take(), error: self.client.take_error() }
    }
}
