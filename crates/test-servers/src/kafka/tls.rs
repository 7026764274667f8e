//! Certificates for a test, made by the `openssl` command.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// PEM files of a broker with TLS.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// What clients trust: the broker's certificate, which it signed itself.
    pub authority: PathBuf,
    /// The broker's certificate.
    pub server: PathBuf,
    /// The broker's private key.
    pub server_key: PathBuf,
}

impl Certificates {
    /// Makes a certificate for `localhost` in a directory.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        let (server, server_key) = (directory.join("server.pem"), directory.join("server.key"));
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout"])
            .arg(&server_key)
            .arg("-out")
            .arg(&server)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| io::Error::other(format!("'openssl' makes the certificates and cannot be run: {e}")))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(format!("openssl makes no certificate: {text}")));
        }
        Ok(Self { authority: server.clone(), server, server_key })
    }
}
