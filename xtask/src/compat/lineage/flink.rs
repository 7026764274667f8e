//! Flink as an application: a JobManager that runs the statements of a file, and a TaskManager, from jars of Maven
//! Central, with OpenLineage's listener.

use super::{start, wait_for_port};
use anyhow::{Context, Result, bail};
use headwater_test_servers::maven::{self, Artifact};
use headwater_test_servers::{ports, process::Guarded};
use std::path::{Path, PathBuf};
use std::process::Command;

const FLINK: &str = "2.3.0";
const KAFKA_CONNECTOR: &str = "5.0.0-2.2";
const OPENLINEAGE: &str = "1.53.0";
const LOG4J: &str = "2.25.3";
/// Parts of Flink that an application of SQL needs.
const PARTS: [&str; 7] = [
    "flink-container",
    "flink-clients",
    "flink-table-api-java-uber",
    "flink-table-planner-loader",
    "flink-table-runtime",
    "flink-json",
    "flink-connector-base",
];
/// What Flink opens of Java by reflection.
const OPENS: [&str; 10] = [
    "java.lang",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "sun.nio.ch",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
];
/// Settings of both processes: as little memory as they start with. Only with detached tracking, which has to stand here,
/// does the listener tell of the end of an application's jobs.
const SETTINGS: &str = "
jobmanager.rpc.address: localhost
jobmanager.bind-host: localhost
rest.address: localhost
rest.bind-address: localhost
taskmanager.host: localhost
taskmanager.bind-host: localhost
taskmanager.numberOfTaskSlots: 2
taskmanager.cpu.cores: 1.0
taskmanager.memory.task.heap.size: 192m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.framework.heap.size: 64m
taskmanager.memory.framework.off-heap.size: 64m
taskmanager.memory.network.min: 64m
taskmanager.memory.network.max: 64m
taskmanager.memory.managed.size: 64m
taskmanager.memory.jvm-metaspace.size: 192m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m
parallelism.default: 1
execution.attached: true
execution.checkpointing.interval: 1s
execution.job-status-changed-listeners: io.openlineage.flink.listener.OpenLineageJobStatusChangedListenerFactory
openlineage.flink.enableDetachedJobTracking: true
";
const LOGGING: &str = "
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} %m%n
";

/// A running application. Dropping it ends its processes.
pub struct Application {
    _job_manager: Guarded,
    _task_manager: Guarded,
}

/// What all applications share.
pub struct Flink {
    classpath: String,
}

impl Flink {
    /// Fetches the jars and compiles the main program.
    pub fn prepare(files: &Path) -> Result<Self> {
        let jars = maven::jars(&format!("flink-{FLINK}-openlineage-{OPENLINEAGE}"), &artifacts())?;
        let classes = files.join("classes");
        std::fs::create_dir_all(&classes)?;
        let source = files.join("SqlApplication.java");
        std::fs::write(&source, include_str!("SqlApplication.java"))?;
        let jars = jars.join("*").display().to_string();
        let compiled = Command::new("javac").args(["-cp", &jars, "-d"]).arg(&classes).arg(&source).output();
        let compiled = compiled.context("javac could not be started")?;
        if !compiled.status.success() {
            bail!("the main program does not compile: {}", String::from_utf8_lossy(&compiled.stderr));
        }
        Ok(Self { classpath: format!("{jars}:{}", classes.display()) })
    }

    /// Starts an application whose REST API is at the port `rest` of localhost. `openlineage` are the listener's
    /// options, as YAML.
    pub fn start(&self, name: &str, rest: u16, script: &str, openlineage: &str, files: &Path) -> Result<Application> {
        let directory = files.join(format!("{name}-configuration"));
        std::fs::create_dir_all(&directory)?;
        let file = |name: &str, text: &str| -> Result<PathBuf> {
            let path = directory.join(name);
            std::fs::write(&path, text)?;
            Ok(path)
        };
        let [rpc] = ports::free()?;
        let own = format!("rest.port: {rest}\njobmanager.rpc.port: {rpc}\nio.tmp.dirs: {}\n", directory.display());
        file("config.yaml", &format!("{SETTINGS}{own}"))?;
        let listener = format!("OPENLINEAGE_CONFIG={}", file("openlineage.yml", openlineage)?.display());
        let script = file("job.sql", script)?.display().to_string();
        let logging = file("log4j.properties", LOGGING)?.display().to_string();
        let configuration = directory.display().to_string();
        let java = |memory: &str, class: &str, arguments: &[&str]| {
            let mut command = ["env", &listener, "java", memory, "-XX:+UseSerialGC"].map(str::to_owned).to_vec();
            command.push(format!("-Dlog4j.configurationFile={logging}"));
            command.extend(OPENS.map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED")));
            let rest = ["-cp", &self.classpath, class, "--configDir", &configuration];
            command.extend(rest.iter().chain(arguments).map(|word| (*word).to_owned()));
            command
        };
        let entry = "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint";
        let job = java("-Xmx400m", entry, &["--job-classname", "SqlApplication", &script]);
        let task = java("-Xmx320m", "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", &[]);
        let job_manager = start(&format!("{name}-jobmanager"), &job, files)?;
        let task_manager = start(&format!("{name}-taskmanager"), &task, files)?;
        wait_for_port(&format!("{name}-jobmanager"), &job_manager, rest, files)?;
        Ok(Application { _job_manager: job_manager, _task_manager: task_manager })
    }
}

fn artifacts() -> Vec<Artifact> {
    let flink = |name, version| Artifact { group: "org.apache.flink", name, version };
    let log4j = |name| Artifact { group: "org.apache.logging.log4j", name, version: LOG4J };
    let mut artifacts: Vec<Artifact> = PARTS.iter().map(|name| flink(*name, FLINK)).collect();
    artifacts.push(flink("flink-connector-kafka", KAFKA_CONNECTOR));
    artifacts.push(Artifact { group: "io.openlineage", name: "openlineage-flink", version: OPENLINEAGE });
    artifacts.extend([log4j("log4j-core"), log4j("log4j-slf4j-impl")]);
    artifacts
}
