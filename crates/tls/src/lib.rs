//! TLS by Flink's `security.ssl.*` keys, for the REST port (`Part::Rest`) and between processes (`Part::Internal`).
//!
//! Flink's key stores are files of the JVM; here `keystore` and `truststore` name PEM files: the certificate chain with
//! its private key, and the authorities that are trusted. Where chain and key are two files, as in a Kubernetes secret,
//! `headwater.ssl.<part>.certificate` and `.private-key` name them. A key store of the JVM is refused with the command
//! that converts it.
//!
//! Between processes both sides always show a certificate, whose authority is checked and no host name, since processes
//! come and go on any host; see `trust`. At the REST port clients show one where `authentication-enabled` says so.
//! Private keys never appear in errors or `Debug` output.
//!
//! Files are read whenever a side is made: who makes one for every connection takes up certificates that were replaced, and so
//! does who asks a [`Reloading`] one.

mod failure;
mod pem;
mod reloading;
mod trust;

pub use failure::{explain, explain_server};
pub use reloading::Reloading;

use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use pem::Pem;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;
use trust::{Fingerprint, Trust};

/// Which connections are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those of clients to the REST port.
    Rest,
    /// Those between JobManagers, TaskManagers and clients that submit plans.
    Internal,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Internal => "internal",
        }
    }
}

/// What the configuration says about TLS, when it is on.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    part: Part,
    keystore: Option<PathBuf>,
    certificate: Option<PathBuf>,
    private_key: Option<PathBuf>,
    truststore: Option<PathBuf>,
    /// Of the certificates that peers may show; any that is trusted where there are none.
    fingerprints: Vec<Fingerprint>,
    authenticates: bool,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authenticates = self.authenticates;
        f.debug_struct("Options")
            .field("part", &self.part)
            .field("authenticates", &authenticates)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// What `security.ssl.<part>.*` says; `None` where TLS is off.
    ///
    /// # Errors
    /// When a value is not one.
    pub fn from_config(config: &Configuration, part: Part) -> Result<Option<Self>> {
        let flag = |name: &str| flag(config, &format!("security.ssl.{}.{name}", part.name()));
        if !flag("enabled")? {
            return Ok(None);
        }
        let path = |name: &str| {
            let set = config.get(&key(part, name)).or_else(|| config.get(&format!("security.ssl.{name}")));
            set.map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from)
        };
        Ok(Some(Self {
            part,
            keystore: path("keystore"),
            certificate: path("certificate"),
            private_key: path("private-key"),
            truststore: path("truststore"),
            fingerprints: match part {
                Part::Internal => Fingerprint::list(config, &key(part, "cert.fingerprint"))?,
                Part::Rest => vec![],
            },
            authenticates: part == Part::Internal || flag("authentication-enabled")?,
        }))
    }

    /// Tries whether both sides can be made.
    ///
    /// # Errors
    /// When one cannot, and what is to be done.
    pub fn check(&self) -> Result<()> {
        self.server()?;
        self.client().map(drop)
    }

    /// Whether clients have to show a certificate.
    pub fn authenticates(&self) -> bool {
        self.authenticates
    }

    /// The side that is called.
    ///
    /// # Errors
    /// When a file is missing, cannot be read, or holds something else.
    pub fn server(&self) -> Result<Arc<ServerConfig>> {
        let own = self.own()?.ok_or_else(|| self.missing("keystore", "the certificate to show and its private key"))?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| self.unusable("keystore", e))?;
        let builder = match (self.part, self.authenticates) {
            (Part::Internal, _) => builder.with_client_cert_verifier(Arc::new(self.trust()?)),
            (Part::Rest, false) => builder.with_no_client_auth(),
            (Part::Rest, true) => {
                let roots = Arc::new(self.roots()?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
                builder.with_client_cert_verifier(verifier.map_err(|e| self.unusable("truststore", e))?)
            }
        };
        let config = builder.with_single_cert(own.certificates()?, own.private_key()?);
        Ok(Arc::new(config.map_err(|e| self.unusable("keystore", e))?))
    }

    /// The side that calls.
    ///
    /// # Errors
    /// When a file is missing, cannot be read, or holds something else.
    pub fn client(&self) -> Result<Arc<ClientConfig>> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| self.unusable("truststore", e))?;
        let builder = match self.part {
            Part::Internal => builder.dangerous().with_custom_certificate_verifier(Arc::new(self.trust()?)),
            Part::Rest => builder.with_root_certificates(self.roots()?),
        };
        let config = match self.own()?.filter(|_| self.authenticates) {
            None if self.authenticates && self.part == Part::Internal => {
                return Err(self.missing("keystore", "the certificate to show and its private key"));
            }
            None => builder.with_no_client_auth(),
            Some(own) => builder
                .with_client_auth_cert(own.certificates()?, own.private_key()?)
                .map_err(|e| self.unusable("keystore", e))?,
        };
        Ok(Arc::new(config))
    }

    /// The authorities that are trusted, as PEM; `None` where none are named.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn trusted_pem(&self) -> Result<Option<Vec<u8>>> {
        let read = |path: &PathBuf| Pem::read(path, &self.key("truststore")).map(Pem::into_bytes);
        self.truststore.as_ref().map(read).transpose()
    }

    /// What a client shows, certificates and key as PEM; `None` where it shows nothing.
    ///
    /// # Errors
    /// When a file cannot be read, or holds something else.
    pub fn own_pem(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.own()?.filter(|_| self.authenticates).map(Pem::into_bytes))
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in self.trusted()? {
            roots.add(certificate).map_err(|e| self.unusable("truststore", e))?;
        }
        Ok(roots)
    }

    /// The certificates of the trust store.
    fn trusted(&self) -> Result<Vec<CertificateDer<'static>>> {
        let path = self.truststore.as_ref();
        let path = path.ok_or_else(|| self.missing("truststore", "the certificates of the authorities to trust"))?;
        Pem::read(path, &self.key("truststore"))?.certificates()
    }

    /// Who is trusted between processes.
    fn trust(&self) -> Result<Trust> {
        let trust = Trust::new(self.roots()?, self.trusted()?, self.fingerprints.clone(), provider());
        trust.map_err(|e| self.unusable("truststore", e))
    }

    /// The own certificates and key; `None` where neither is named.
    fn own(&self) -> Result<Option<Pem>> {
        match (&self.certificate, &self.private_key, &self.keystore) {
            (Some(certificate), Some(key), _) => {
                let certificate = Pem::read(certificate, &self.key("certificate"))?;
                Ok(Some(certificate.with(Pem::read(key, &self.key("private-key"))?)))
            }
            (Some(_), None, _) => Err(self.missing("private-key", "the key of 'certificate'")),
            (None, Some(_), _) => Err(self.missing("certificate", "the certificates of 'private-key'")),
            (None, None, Some(path)) => Pem::read(path, &self.key("keystore")).map(Some),
            (None, None, None) => Ok(None),
        }
    }

    fn key(&self, name: &str) -> String {
        key(self.part, name)
    }

    fn missing(&self, name: &str, what: &str) -> Error {
        let key = self.key(name);
        Error::user("tls-not-configured", format!("'{key}' is not set: it names a PEM file with {what}"))
    }

    fn unusable(&self, name: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        let message = format!("what '{}' names cannot be used: {error}", self.key(name));
        Error::user("tls-not-configured", message).with_source(error)
    }
}

/// The key of a part. Those that Flink does not have are ours.
fn key(part: Part, name: &str) -> String {
    let family = match name {
        "certificate" | "private-key" => "headwater.ssl",
        _ => "security.ssl",
    };
    format!("{family}.{}.{name}", part.name())
}

fn flag(config: &Configuration, name: &str) -> Result<bool> {
    match config.get(name).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Error::user("bad-config-value", format!("'{name}' is '{other}': expected true or false"))),
    }
}

/// Named, because programs that link several providers have no default one.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests;
