//! PEM files.

use headwater_types::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// Largest file that is read: hundreds of certificates.
const BYTES_MAX: u64 = 1 << 20;

/// The content of a PEM file, and where it is from.
pub(crate) struct Pem {
    bytes: Vec<u8>,
    /// For errors: the key of the configuration and the path.
    from: String,
}

impl Pem {
    /// Reads a file; key stores of the JVM are told from it and refused.
    pub(crate) fn read(path: &Path, key: &str) -> Result<Self> {
        let from = format!("{} (of '{key}')", path.display());
        let refuse = |what: &str| Error::user("tls-not-configured", format!("{from} {what}"));
        let length = std::fs::metadata(path).map_err(|e| refuse(&format!("cannot be read: {e}")))?.len();
        if length > BYTES_MAX {
            return Err(refuse(&format!("is larger than {BYTES_MAX} bytes: expected a PEM file")));
        }
        let bytes = std::fs::read(path).map_err(|e| refuse(&format!("cannot be read: {e}")))?;
        match bytes.as_slice() {
            [0xfe, 0xed, 0xfe, 0xed, ..] => Err(refuse(
                "is a JKS key store of the JVM; convert it: keytool -importkeystore -srckeystore IN.jks \
                 -destkeystore OUT.p12 -deststoretype pkcs12, then openssl pkcs12 -in OUT.p12 -nodes -out OUT.pem",
            )),
            [0x30, ..] => Err(refuse(
                "is a PKCS #12 key store, or DER; convert it: openssl pkcs12 -in IN.p12 -nodes -out OUT.pem",
            )),
            _ => Ok(Self { bytes, from }),
        }
    }

    /// The content of two files.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.bytes.push(b'\n');
        self.bytes.extend(other.bytes);
        self.from = format!("{}, {}", self.from, other.from);
        self
    }

    /// All certificates; at least one.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let read: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match read {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            Ok(_) => Err(self.lacks("no certificate (-----BEGIN CERTIFICATE-----)")),
            Err(error) => Err(self.lacks(&format!("something else than certificates: {error}"))),
        }
    }

    /// The private key.
    pub(crate) fn private_key(&self) -> Result<PrivateKeyDer<'static>> {
        let encrypted = b"ENCRYPTED PRIVATE KEY";
        if self.bytes.windows(encrypted.len()).any(|window| window == encrypted) {
            return Err(self.lacks("an encrypted private key; decrypt it: openssl pkey -in IN.pem -out OUT.pem"));
        }
        // The parser's error could quote the file.
        PrivateKeyDer::from_pem_slice(&self.bytes)
            .map_err(|_| self.lacks("no private key (-----BEGIN PRIVATE KEY-----)"))
    }

    fn lacks(&self, what: &str) -> Error {
        Error::user("tls-not-configured", format!("{} holds {what}", self.from))
    }

    /// The content.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
