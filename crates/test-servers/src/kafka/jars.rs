//! Kafka's jars, fetched once by Maven as it is configured on the machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version that tests run against.
const VERSION: &str = "4.1.1";

/// The directory with the jars, which are fetched when it is not there.
#[allow(clippy::print_stderr, reason = "the first run of a test waits for this")]
pub(super) fn directory() -> io::Result<PathBuf> {
    let cache = cache_directory()?;
    let jars = cache.join(format!("kafka-{VERSION}"));
    if !jars.is_dir() {
        eprintln!("Fetching Apache Kafka {VERSION} with Maven into {} (once)", jars.display());
        let staged = tempfile::Builder::new().prefix("kafka-fetch-").tempdir_in(&cache)?;
        fetch(staged.path())?;
        // Another process may have been faster; then its jars are as good.
        let renamed = std::fs::rename(staged.path().join("jars"), &jars);
        if !jars.is_dir() {
            renamed?;
        }
    }
    Ok(jars)
}

fn cache_directory() -> io::Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let cache = base.ok_or_else(|| io::Error::other("there is no home directory to keep Kafka's jars in"))?;
    let cache = cache.join("headwater").join("servers");
    std::fs::create_dir_all(&cache)?;
    Ok(cache)
}

fn fetch(directory: &Path) -> io::Result<()> {
    std::fs::write(directory.join("pom.xml"), pom())?;
    let output = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg("-DoutputDirectory=jars")
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| io::Error::other(format!("Kafka is fetched by Maven, 'mvn' cannot be run: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("Maven cannot fetch Kafka: {text}")))
}

fn pom() -> String {
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\
         <modelVersion>4.0.0</modelVersion><groupId>headwater</groupId><artifactId>kafka</artifactId>\
         <version>1</version><packaging>pom</packaging><dependencies><dependency>\
         <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>\
         </dependency></dependencies></project>"
    )
}
