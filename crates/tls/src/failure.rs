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

/// What TLS has to say about a REST server that cannot be reached, by the causes of an error; `None` where it is no matter
/// of TLS.
pub fn explain_server(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let tls = causes.into_iter().find_map(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(|error| error.get_ref()?.downcast_ref());
        inner.or_else(|| cause.downcast_ref::<rustls::Error>())
    })?;
    Some(match tls {
        rustls::Error::InvalidMessage(_) => "it does not speak TLS: name it by http://, and leave \
                                             'security.ssl.rest.enabled' unset"
            .to_owned(),
        rustls::Error::InvalidCertificate(what) => distrusted(what),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::NoCertificate) => {
            "it asks for a certificate: set 'security.ssl.rest.authentication-enabled' and 'security.ssl.rest.keystore'"
                .to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("it ends the TLS handshake: {alert:?}"),
        other => format!("TLS failed: {other}"),
    })
}

/// Why the certificate of a server is not taken, and what to do.
fn distrusted(error: &CertificateError) -> String {
    use CertificateError::*;
    match error {
        UnknownIssuer => "its certificate is not trusted: its authority has to be in 'security.ssl.rest.truststore'".to_owned(),
        NotValidForName | NotValidForNameContext { .. } => {
            format!("its certificate is not for the name it was called by ({error})")
        }
        Expired | ExpiredContext { .. } => "its certificate has expired".to_owned(),
        NotValidYet | NotValidYetContext { .. } => "its certificate is not valid yet: compare the clocks".to_owned(),
        other if because(other).contains("CaUsedAsEndEntity") => {
            "its certificate is not trusted: it is that of an authority, used as that of a server; let the authority sign \
             another one for the server"
                .to_owned()
        }
        other => format!("its certificate is not trusted: {}", because(other)),
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
