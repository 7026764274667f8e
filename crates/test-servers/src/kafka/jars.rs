//! Kafka's jars, fetched once by Maven as it is configured on the machine.

use crate::cache;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version that tests run against.
const VERSION: &str = "4.1.1";

/// The directory with the jars, which are fetched when it is not there.
pub(super) fn directory() -> io::Result<PathBuf> {
    cache::fetched(&format!("kafka-{VERSION}"), &format!("Apache Kafka {VERSION} with Maven"), |staged| {
        fetch(staged)?;
        Ok(staged.join("jars"))
    })
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
