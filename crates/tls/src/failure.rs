//! What a connection between processes fails of, in words that say what to do.

use headwater_types::{Error, ErrorKind};
use rustls::{AlertDescription, CertificateError, OtherError};
use std::io;

/// What TLS has to say about an error of a connection between processes; `None` where it is no matter of TLS.
///
/// Errors of [`ErrorKind::User`] are those of certificates and settings, which another attempt does not change.
pub fn explain(error: &io::Error) -> Option<Error> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let user = |message: String| Some(Error::new(ErrorKind::User, "tls-refused", message));
    match tls {
        rustls::Error::InvalidMessage(_) => user(format!(
            "the peer does not speak TLS ({tls}): 'security.ssl.internal.enabled' has to be the same in all processes"
        )),
        rustls::Error::InvalidCertificate(what) => user(format!(
            "the certificate of the peer is not trusted ({}): its authority has to be in \
             'security.ssl.internal.truststore'",
            because(what)
        )),
        rustls::Error::NoCertificatesPresented => user(
            "the peer shows no certificate, which processes of a cluster have to: set 'security.ssl.internal.keystore' \
             there"
                .to_owned(),
        ),
        rustls::Error::AlertReceived(alert) => received(*alert).map_or_else(
            || Some(Error::retryable("tls-failed", format!("TLS failed: the peer says {alert:?}"))),
            user,
        ),
        other => Some(Error::retryable("tls-failed", format!("TLS failed: {other}"))),
    }
}

/// Why a certificate is not taken.
fn because(error: &CertificateError) -> String {
    match error {
        CertificateError::Other(OtherError(inner)) => inner.to_string(),
        known => known.to_string(),
    }
}

/// What the peer thinks of us.
fn received(alert: AlertDescription) -> Option<String> {
    use AlertDescription::*;
    match alert {
        CertificateRequired | NoCertificate => Some(format!(
            "the peer asks for a certificate ({alert:?}): set 'security.ssl.internal.keystore' in this process"
        )),
        UnknownCA
        | BadCertificate
        | UnsupportedCertificate
        | CertificateRevoked
        | CertificateExpired
        | CertificateUnknown
        | DecryptError
        | AccessDenied => Some(format!(
            "the peer does not trust the certificate of this process ({alert:?}): its authority has to be in \
             'security.ssl.internal.truststore' there"
        )),
        _ => None,
    }
}
