//! Data.Rentgen with all its processes: database, consumer of the topic of events, gateway from HTTP to that topic, and
//! the server that answers.

use super::{start, wait_for_port};
use anyhow::{Context, Result, bail};
use headwater_test_servers::{Postgres, ports, process::Guarded, python};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "0.7.2";
/// Oldest minor version of Python 3 that it runs with.
const PYTHON_MINOR: u32 = 12;
/// The topic that it reads unless told.
pub const TOPIC: &str = "input.runs";

/// A running Data.Rentgen. Dropping it ends its processes.
pub struct DataRentgen {
    _processes: Vec<Guarded>,
    _database: Postgres,
    /// Where its REST API is.
    pub server: String,
    /// Where it takes events over HTTP.
    pub gateway: String,
}

impl DataRentgen {
    /// Installs it where it is not, and starts it on an empty database.
    pub fn start(brokers: &str, files: &Path) -> Result<Self> {
        let package = format!("data-rentgen[server,consumer,http2kafka,postgres]=={VERSION}");
        let python = python::environment(&format!("data-rentgen-{VERSION}"), PYTHON_MINOR, &[&package])?;
        let database = Postgres::start().context("PostgreSQL")?;
        let settings = files.join("data-rentgen.yml");
        // JSON is YAML. The password is any: the database trusts its own machine.
        std::fs::write(&settings, settings_for(&database, brokers).to_string())?;
        let program = Program { python, settings };
        program.finish(&["data_rentgen.db.migrations", "upgrade", "head"])?;
        program.finish(&["data_rentgen.db.scripts.create_partitions"])?;
        let [server, gateway, consumer] = ports::free()?;
        let processes = vec![
            program.serve("server", server, files)?,
            program.serve("http2kafka", gateway, files)?,
            program.serve("consumer", consumer, files)?,
        ];
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        Ok(Self { _processes: processes, _database: database, server: at(server), gateway: at(gateway) })
    }
}

fn settings_for(database: &Postgres, brokers: &str) -> serde_json::Value {
    let url = database.url().replace("postgres://postgres@", "postgresql+asyncpg://postgres:any@");
    json!({
        "database": {"url": url},
        "kafka": {"bootstrap_servers": [brokers]},
        "auth": {"access_token": {"secret_key": "of the test"}, "personal_tokens": {"secret_key": "of the test too"}},
        // Pages that the package does not bring.
        "server": {"static_files": {"enabled": false}, "openapi": {"enabled": false}},
    })
}

struct Program {
    python: PathBuf,
    settings: PathBuf,
}

impl Program {
    /// The command of a module of the package.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let settings = format!("DATA_RENTGEN_CONFIG_FILE={}", self.settings.display());
        let mut command = vec!["env".to_owned(), settings, self.python.display().to_string(), "-m".to_owned()];
        command.extend(arguments.iter().map(|word| (*word).to_owned()));
        command
    }

    fn finish(&self, arguments: &[&str]) -> Result<()> {
        let command = self.command(arguments);
        let output = Command::new(&command[0]).args(&command[1..]).output().context("Data.Rentgen")?;
        match output.status.success() {
            true => Ok(()),
            false => bail!("{arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    fn serve(&self, part: &str, port: u16, files: &Path) -> Result<Guarded> {
        let (module, port_text) = (format!("data_rentgen.{part}"), port.to_string());
        let process = start(part, &self.command(&[&module, "--host", "127.0.0.1", "--port", &port_text]), files)?;
        wait_for_port(part, &process, port, files)?;
        Ok(process)
    }
}
