//! Whom a process believes another one to be.
//!
//! A peer has to show a certificate that an authority of the trust store has signed, or that stands there itself, and
//! that is valid today. Where fingerprints are configured it has to be one of those besides. Its host name is not
//! looked at, as in Flink: who holds a key of this authority is part of the cluster, on whichever host. So the authority
//! should sign for nothing else.

use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, SignatureScheme};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::sync::Arc;

/// The hash of a certificate: SHA-1, as in Flink, or SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<u8>);

impl Fingerprint {
    /// The fingerprints that a key names, separated by commas.
    pub(crate) fn list(config: &Configuration, key: &str) -> Result<Vec<Self>> {
        let text = config.get(key).unwrap_or_default();
        let named = text.split([',', ';']).map(str::trim).filter(|one| !one.is_empty());
        named.map(|one| Self::parse(one).ok_or_else(|| bad(key, one))).collect()
    }

    /// Hexadecimal digits, with colons or without.
    fn parse(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> =
            text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        let digits = digits.filter(|digits| matches!(digits.len(), 40 | 64))?;
        Some(Self(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
    }

    fn is_of(&self, certificate: &[u8]) -> bool {
        match self.0.len() {
            20 => Sha1::digest(certificate).as_slice() == self.0,
            _ => Sha256::digest(certificate).as_slice() == self.0,
        }
    }
}

fn bad(key: &str, value: &str) -> Error {
    let expected = "the SHA-1 or SHA-256 of a certificate, 40 or 64 hexadecimal digits: openssl x509 -fingerprint";
    Error::user("bad-config-value", format!("'{key}' names '{value}': expected {expected}"))
}

/// Checks what peers show, on both sides.
#[derive(Debug)]
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
    /// What the trust store holds, as it is.
    listed: Vec<CertificateDer<'static>>,
    fingerprints: Vec<Fingerprint>,
    callers: Arc<dyn ClientCertVerifier>,
    provider: Arc<CryptoProvider>,
}

/// What rustls is told.
type Checked<T> = std::result::Result<T, rustls::Error>;

impl Trust {
    /// Trusts what these have signed.
    pub(crate) fn new(
        roots: RootCertStore,
        listed: Vec<CertificateDer<'static>>,
        fingerprints: Vec<Fingerprint>,
        provider: Arc<CryptoProvider>,
    ) -> std::result::Result<Self, VerifierBuilderError> {
        let roots = Arc::new(roots);
        let callers = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build()?;
        Ok(Self { roots, listed, fingerprints, callers, provider })
    }

    /// Whether a certificate may be shown, by what its chain is found to be.
    fn accept(&self, shown: &CertificateDer<'_>, chain: Checked<()>) -> Checked<()> {
        match chain {
            Err(rustls::Error::InvalidCertificate(error)) if self.is_listed(shown) && !is_about_time(&error) => {}
            chain => chain?,
        }
        let is_pinned = self.fingerprints.is_empty() || self.fingerprints.iter().any(|known| known.is_of(shown));
        match is_pinned {
            true => Ok(()),
            false => {
                let own = Sha256::digest(shown).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                Err(CertificateError::Other(OtherError(Arc::new(NotPinned(own)))).into())
            }
        }
    }

    /// A certificate that signed itself may stand in the trust store, even where it is made out for an authority.
    fn is_listed(&self, shown: &CertificateDer<'_>) -> bool {
        self.listed.iter().any(|listed| listed == shown)
    }
}

fn is_about_time(error: &CertificateError) -> bool {
    use CertificateError::*;
    matches!(error, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
}

/// The certificate is trusted, and none of those that are named.
#[derive(Debug)]
struct NotPinned(String);

impl std::fmt::Display for NotPinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its fingerprint {} is none of 'security.ssl.internal.cert.fingerprint'", self.0)
    }
}

impl std::error::Error for NotPinned {}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Checked<ServerCertVerified> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let chain = ParsedCertificate::try_from(end_entity).and_then(|parsed| {
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)
        });
        self.accept(end_entity, chain).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Checked<HandshakeSignatureValid> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Checked<HandshakeSignatureValid> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Trust {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.callers.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Checked<ClientCertVerified> {
        let chain = self.callers.verify_client_cert(end_entity, intermediates, now).map(drop);
        self.accept(end_entity, chain).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Checked<HandshakeSignatureValid> {
        self.callers.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Checked<HandshakeSignatureValid> {
        self.callers.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.callers.supported_verify_schemes()
    }
}
