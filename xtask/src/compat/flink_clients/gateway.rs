//! Clients of Flink's SQL gateway, against `headwater sql-gateway`: the SQL client of the distribution in gateway mode,
//! Flink's JDBC driver, and two Python packages.

use super::report::Report;
use super::scripts;
use anyhow::{Context, Result, bail};
use headwater_test_servers::maven::{self, Artifact};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The jars that are fetched.
const GATEWAY_JAR: Artifact = Artifact { group: "org.apache.flink", name: "flink-sql-gateway", version: "2.3.0" };
const DRIVER_JAR: Artifact =
    Artifact { group: "org.apache.flink", name: "flink-sql-jdbc-driver-bundle", version: "2.3.0" };
/// The driver logs with it, and does not bring it.
const LOGGING_JAR: Artifact = Artifact { group: "org.slf4j", name: "slf4j-api", version: "1.7.36" };
const SQL_CLIENT: &str = "SQL client, gateway mode";
const JDBC: &str = "JDBC driver";

/// What the SQL client runs.
const SCRIPT: &str = "
SET 'sql-client.execution.result-mode' = 'tableau';
CREATE TABLE orders (id INT, name STRING, ts TIMESTAMP(3)) WITH ('connector' = 'datagen', 'number-of-rows' = '3',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3');
SHOW TABLES;
DESCRIBE orders;
SELECT id, id * 1.5 AS price, ARRAY[id] AS items FROM orders;
SELECT name, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS v(name) GROUP BY name;
CREATE TABLE nothing (id INT) WITH ('connector' = 'blackhole');
INSERT INTO nothing SELECT id FROM orders;
SHOW JOBS;
EXPLAIN SELECT id FROM orders;
";

/// A gateway, by default with a cluster in its process. Dropping it ends it.
pub struct Gateway {
    process: Child,
    /// Where it is, host and port.
    address: String,
}

/// Lets the clients of the distribution and the JDBC driver work with a gateway.
pub fn check(gateway: &Gateway, home: Option<&Path>, files: &Path, report: &mut Report) -> Result<()> {
    match home {
        Some(home) => sql_client(home, files, gateway, report).context(SQL_CLIENT)?,
        None => report.skip(SQL_CLIENT, "all", "no Flink distribution"),
    }
    jdbc(files, gateway, report).context(JDBC)
}

/// Lets the Python packages work with a gateway. `place` says where its jobs run.
pub fn python(gateway: &Gateway, python: &Result<PathBuf>, place: &str, report: &mut Report) {
    let checks = [
        ("flink-sql-gateway-api", include_str!("gateway_api.py")),
        ("py-flink-sql-gateway", include_str!("gateway_dbapi.py")),
    ];
    for (client, script) in checks {
        let client = format!("{client}{place}");
        match python {
            Ok(python) => {
                let address = format!("http://{}", gateway.address);
                report.script(&client, scripts::run(python, script, &[&address]));
            }
            Err(error) => report.skip(&client, "all", &format!("it cannot be installed: {error:#}")),
        }
    }
}

impl Gateway {
    /// Starts one with these arguments besides.
    pub fn start(headwater: &Path, arguments: &[String]) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut process = Command::new(headwater)
            .args(["sql-gateway", "--port", &port.to_string(), "-D", "parallelism.default=1"])
            .args(arguments)
            .env_remove("HEADWATER_CONF_DIR")
            .env("HEADWATER_LOG", "error")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("headwater could not be started")?;
        let mut said = BufReader::new(process.stderr.take().context("its stderr is a pipe")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        if !line.contains("SQL gateway at") {
            let _ = process.kill();
            said.read_to_string(&mut line)?;
            bail!("the gateway did not start: {line}");
        }
        // What it says besides is nobody's concern, but must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Ok(Self { process, address: format!("127.0.0.1:{port}") })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Statements of a file, one that fails, and an init file.
fn sql_client(home: &Path, files: &Path, gateway: &Gateway, report: &mut Report) -> Result<()> {
    let Ok(jar) = jar(GATEWAY_JAR) else {
        report.skip(SQL_CLIENT, "all", "flink-sql-gateway cannot be fetched with Maven");
        return Ok(());
    };
    let client = SqlClient { home, opt: optional(home, files, &jar)?, files, address: &gateway.address };
    let printed = client.run("script", SCRIPT, None);
    let of_script = |wanted: &[&str], check: &str, report: &mut Report| {
        let printed = printed.as_ref().map(String::clone).map_err(|error| anyhow::anyhow!("{error:#}"));
        report.expect(SQL_CLIENT, check, printed, wanted);
    };
    of_script(&["Execute statement succeeded"], "SET and CREATE TABLE", report);
    of_script(&["| table name |", "|     orders |"], "SHOW TABLES", report);
    of_script(&["| TIMESTAMP(3) |"], "DESCRIBE", report);
    of_script(&["4.5", "[3]", "Received a total of 3 rows"], "a query that ends", report);
    of_script(&["-U", "+U", "Received a total of 4 rows"], "a query with changes", report);
    of_script(&["successfully submitted to the cluster", "Job ID: "], "INSERT", report);
    of_script(&["job id |", "insert-into_"], "SHOW JOBS", report);
    of_script(&["== Optimized"], "EXPLAIN", report);
    let failed = client.run("fails", "SELECT * FROM nowhere;", None);
    report.expect(SQL_CLIENT, "a statement that fails says why", failed, &["unknown table 'nowhere'"]);
    let init = "SET 'sql-client.execution.result-mode' = 'tableau';\nSET 'table.local-time-zone' = 'Asia/Tokyo';";
    let zoned = client.run("zoned", "SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING) AS t;", Some(init));
    report.expect(SQL_CLIENT, "-i, an init file", zoned, &["1970-01-01 09:00:00.000"]);
    Ok(())
}

struct SqlClient<'a> {
    home: &'a Path,
    /// `opt` of the distribution with the jar that it may lack.
    opt: PathBuf,
    files: &'a Path,
    address: &'a str,
}

impl SqlClient<'_> {
    /// Runs a script; all that is printed, also when it fails.
    fn run(&self, name: &str, script: &str, init: Option<&str>) -> Result<String> {
        let file = |name: String, text: &str| -> Result<String> {
            let path = self.files.join(name);
            std::fs::write(&path, text)?;
            Ok(path.display().to_string())
        };
        let mut command = Command::new(self.home.join("bin/sql-client.sh"));
        command.args(["gateway", "--endpoint", self.address, "-f", &file(format!("{name}.sql"), script)?]);
        if let Some(init) = init {
            command.args(["-i", &file(format!("{name}-init.sql"), init)?]);
        }
        let output = command
            .env("FLINK_HOME", self.home)
            .env("FLINK_CONF_DIR", self.home.join("conf"))
            .env("FLINK_OPT_DIR", &self.opt)
            .env("FLINK_LOG_DIR", self.files)
            .stdin(Stdio::null())
            .output()
            .context("bin/sql-client.sh could not be started")?;
        Ok([output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat())
    }
}

/// The optional jars of a distribution with one more: the Python wheels lack that of the gateway.
fn optional(home: &Path, files: &Path, jar: &Path) -> Result<PathBuf> {
    let opt = files.join("opt");
    std::fs::create_dir_all(&opt)?;
    let own = std::fs::read_dir(home.join("opt")).context("the distribution has no opt")?;
    let own = own.flatten().map(|entry| entry.path());
    for path in own.filter(|path| !path.to_string_lossy().contains("flink-sql-gateway")).chain([jar.to_owned()]) {
        let name = path.file_name().context("a jar has a name")?;
        std::os::unix::fs::symlink(&path, opt.join(name))?;
    }
    Ok(opt)
}

/// A program of the driver's calls, which says what it finds.
fn jdbc(files: &Path, gateway: &Gateway, report: &mut Report) -> Result<()> {
    let [driver, logging] = match jar(DRIVER_JAR).and_then(|driver| Ok([driver, jar(LOGGING_JAR)?])) {
        Ok(jars) => jars,
        Err(error) => {
            report.skip(JDBC, "all", &format!("it cannot be fetched: {error:#}"));
            return Ok(());
        }
    };
    let source = files.join("GatewayJdbc.java");
    std::fs::write(&source, include_str!("GatewayJdbc.java"))?;
    let classes = files.display().to_string();
    let compiled = Command::new("javac").args(["-d", &classes]).arg(&source).output();
    if !compiled.is_ok_and(|output| output.status.success()) {
        report.skip(JDBC, "all", "there is no Java compiler, or it refuses the program");
        return Ok(());
    }
    let path = format!("{classes}:{}:{}", driver.display(), logging.display());
    let output = Command::new("java")
        .args(["--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", &path])
        .args(["GatewayJdbc", &format!("jdbc:flink://{}", gateway.address)])
        .stdin(Stdio::null())
        .output()
        .context("java could not be started")?;
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    report.script(JDBC, if output.status.success() { Ok(text) } else { Err(anyhow::anyhow!("{text}")) });
    Ok(())
}

/// A jar with what it needs, kept in the user's cache folder.
fn jar(artifact: Artifact) -> Result<PathBuf> {
    let directory = maven::jars(&format!("{}-{}", artifact.name, artifact.version), &[artifact])?;
    let jar = directory.join(format!("{}-{}.jar", artifact.name, artifact.version));
    anyhow::ensure!(jar.is_file(), "Maven fetched no {}", jar.display());
    Ok(jar)
}
