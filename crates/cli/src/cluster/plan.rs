//! What the JobManagers of a cluster on one machine are started with, beside what all of its processes are.

use super::settings;
use headwater_rpc::Leader;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::path::Path;
use std::sync::Arc;

const HA_TYPE: &str = "high-availability.type";
const HA_DIRECTORY: &str = "high-availability.storageDir";
const RPC_PORT: Key = Key { name: "jobmanager.rpc.port", default: "6123" };
const REST_PORT: Key = Key { name: "rest.port", default: "8081" };

/// Keys and values.
type Define = Vec<(String, String)>;

/// The JobManagers of a cluster.
pub struct JobManagers {
    /// What all processes are told.
    pub shared: Define,
    /// The name of each, and what it alone is told.
    pub own: Vec<(String, Define)>,
    /// Where they are, for people.
    pub line: String,
    addresses: Vec<String>,
}

impl JobManagers {
    /// One of them, another one with every attempt: one that does not lead says who does.
    pub fn one(&self, attempt: usize) -> Arc<dyn Leader> {
        let at = attempt % self.addresses.len().max(1);
        Arc::new(self.addresses.get(at).cloned().unwrap_or_default())
    }
}

/// So many JobManagers, on consecutive ports from the configured ones.
///
/// # Errors
/// When their ports are none, or several are not told to elect a leader.
pub fn plan(count: u16, config: &Configuration, directory: &Path) -> Result<JobManagers> {
    let first = settings::job_manager(config)?;
    if count <= 1 {
        let own = vec![("jobmanager".to_owned(), vec![])];
        let line = format!("JobManager at {first}");
        return Ok(JobManagers { shared: vec![], own, line, addresses: vec![first] });
    }
    let host = first.rsplit_once(':').map_or(first.as_str(), |(host, _)| host);
    let (rpc, rest) = (ports(config, RPC_PORT, count)?, ports(config, REST_PORT, count)?);
    let addresses: Vec<String> = rpc.iter().map(|port| format!("{host}:{port}")).collect();
    let own = rpc.iter().zip(&rest).enumerate().map(|(at, (rpc, rest))| {
        let define = [(RPC_PORT, rpc), (REST_PORT, rest)].map(|(key, port)| (key.name.to_owned(), port.to_string()));
        (format!("jobmanager-{}", at + 1), define.to_vec())
    });
    let line = format!("JobManagers at {}, of which one leads", addresses.join(", "));
    Ok(JobManagers { shared: shared(config, directory)?, own: own.collect(), line, addresses })
}

/// What makes them elect a leader, where the configuration does not say it.
fn shared(config: &Configuration, directory: &Path) -> Result<Define> {
    if settings::high_availability(config)?.is_some() {
        return Ok(vec![]);
    }
    if config.get(HA_TYPE).is_some() {
        let message = format!("several JobManagers need '{HA_TYPE}': it is set to what makes each of them lead");
        return Err(Error::user("bad-option", message));
    }
    let ha = directory.join("ha").display().to_string();
    let ha = config.get(HA_DIRECTORY).map_or(ha, str::to_owned);
    Ok(vec![(HA_TYPE.to_owned(), "storage".to_owned()), (HA_DIRECTORY.to_owned(), ha)])
}

/// As many ports as there are JobManagers.
fn ports(config: &Configuration, key: Key, count: u16) -> Result<Vec<u16>> {
    let first = config.integer(key)?;
    let last = first + i64::from(count) - 1;
    match (u16::try_from(first), u16::try_from(last)) {
        (Ok(first), Ok(last)) if first > 0 => Ok((first..=last).collect()),
        _ => Err(Error::user("bad-option", format!("'{}' is {first}: expected {count} ports from there on", key.name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(count: u16, settings: &[(&str, &str)]) -> Result<(Define, Vec<String>, String)> {
        let mut config = Configuration::new();
        settings.iter().for_each(|(key, value)| config.set(*key, *value));
        let managers = plan(count, &config, Path::new("/logs"))?;
        let own = managers.own.iter().map(|(name, define)| {
            let values: Vec<&str> = define.iter().map(|(_, value)| value.as_str()).collect();
            format!("{name} {}", values.join(" "))
        });
        Ok((managers.shared, own.collect(), managers.line))
    }

    #[test]
    fn several_share_a_directory_and_have_ports_of_their_own() {
        let (shared, own, line) = planned(1, &[]).unwrap();
        assert_eq!(
            (shared, own, line.as_str()),
            (vec![], vec!["jobmanager ".to_owned()], "JobManager at localhost:6123")
        );
        let (shared, own, line) = planned(2, &[("rest.port", "9000")]).unwrap();
        assert_eq!(own, ["jobmanager-1 6123 9000", "jobmanager-2 6124 9001"]);
        assert_eq!(line, "JobManagers at localhost:6123, localhost:6124, of which one leads");
        assert_eq!(shared[1], (HA_DIRECTORY.to_owned(), "/logs/ha".to_owned()));
        let directory = tempfile::tempdir().unwrap();
        let configured = [(HA_TYPE, "storage"), (HA_DIRECTORY, directory.path().to_str().unwrap())];
        assert!(planned(3, &configured).unwrap().0.is_empty());
        for (settings, says) in
            [([("jobmanager.rpc.port", "65535")], "2 ports"), ([(HA_TYPE, "NONE")], "several JobManagers")]
        {
            let error = planned(2, &settings).unwrap_err();
            assert!(error.message().contains(says), "{error}");
        }
    }
}
