//! Jars of Maven Central, fetched once by Maven as it is configured on the machine.

use crate::cache;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What Maven calls a jar.
#[derive(Debug, Clone, Copy)]
pub struct Artifact {
    /// Its group.
    pub group: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The directory `name` of the cache with these jars and all that they need, which are fetched when it is not there.
///
/// # Errors
/// When Maven cannot be run or cannot fetch them.
pub fn jars(name: &str, artifacts: &[Artifact]) -> io::Result<PathBuf> {
    cache::fetched(name, "jars with Maven", |staged| {
        fetch(staged, artifacts)?;
        Ok(staged.join("jars"))
    })
}

fn fetch(directory: &Path, artifacts: &[Artifact]) -> io::Result<()> {
    std::fs::write(directory.join("pom.xml"), pom(artifacts))?;
    let output = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg("-DoutputDirectory=jars")
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| io::Error::other(format!("jars are fetched by Maven, 'mvn' cannot be run: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("Maven cannot fetch {artifacts:?}: {text}")))
}

fn pom(artifacts: &[Artifact]) -> String {
    let dependency = |artifact: &Artifact| {
        let Artifact { group, name, version } = artifact;
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
             <version>{version}</version></dependency>"
        )
    };
    let dependencies: String = artifacts.iter().map(dependency).collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\
         <modelVersion>4.0.0</modelVersion><groupId>headwater</groupId><artifactId>servers</artifactId>\
         <version>1</version><packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    )
}
