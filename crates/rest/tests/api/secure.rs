//! TLS with and without certificates of clients, and what happens to those who do not speak it.

use crate::fixture::Fixture;
use headwater_rest::testing::http;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::blocking::Client;
use reqwest::{Certificate, Identity};
use std::path::Path;

/// An authority and what it has signed, as PEM files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority can be made") }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for this host with its key.
    fn sign(&self) -> String {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("the names are valid");
        let key = KeyPair::generate().expect("a key can be made");
        let signed = params.signed_by(&key, &self.issuer).expect("it can be signed");
        format!("{}{}", signed.pem(), key.serialize_pem())
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("the file can be written");
    path.to_str().expect("the path of a temporary directory is text").to_owned()
}

fn client(trusted: &str, identity: Option<&str>) -> Client {
    let trusted = Certificate::from_pem(trusted.as_bytes()).expect("a certificate");
    let builder = Client::builder().tls_built_in_root_certs(false).add_root_certificate(trusted);
    let builder = match identity {
        Some(pem) => builder.identity(Identity::from_pem(pem.as_bytes()).expect("an identity")),
        None => builder,
    };
    builder.build().expect("a client")
}

#[test]
fn the_api_is_served_over_tls_and_only_so() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().expect("a temporary directory"));
    let keystore = write(directory.path(), "server.pem", &authority.sign());
    let fixture = Fixture::new(&[("security.ssl.rest.enabled", "true"), ("security.ssl.rest.keystore", &keystore)]);
    let url = format!("https://localhost:{}/overview", fixture.address().port());
    let answer = client(&authority.pem(), None).get(&url).send().expect("it answers");
    assert_eq!(answer.status(), 200);
    assert!(client(&Authority::new().pem(), None).get(&url).send().is_err(), "another authority is not trusted");
    for request in [&b"GET /overview HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"\x16\x03\x01\x00\x05hello", b""] {
        let answer = http::garbage(fixture.address(), request);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&answer));
    }
    let again = client(&authority.pem(), None).get(&url).send().expect("it lives on");
    assert_eq!(again.status(), 200);
}

#[test]
fn clients_show_a_certificate_where_that_is_wanted() {
    let (authority, directory) = (Authority::new(), tempfile::tempdir().expect("a temporary directory"));
    let keystore = write(directory.path(), "server.pem", &authority.sign());
    let truststore = write(directory.path(), "ca.pem", &authority.pem());
    let fixture = Fixture::new(&[
        ("security.ssl.rest.enabled", "true"),
        ("security.ssl.rest.authentication-enabled", "true"),
        ("security.ssl.rest.keystore", &keystore),
        ("security.ssl.rest.truststore", &truststore),
    ]);
    let url = format!("https://localhost:{}/overview", fixture.address().port());
    let known = client(&authority.pem(), Some(&authority.sign()));
    assert_eq!(known.get(&url).send().expect("it answers").status(), 200);
    assert!(client(&authority.pem(), None).get(&url).send().is_err(), "no certificate");
    let stranger = client(&authority.pem(), Some(&Authority::new().sign()));
    assert!(stranger.get(&url).send().is_err(), "a certificate of another authority");
}

#[test]
fn certificates_that_are_replaced_are_shown_without_a_restart() {
    let (old, new, directory) =
        (Authority::new(), Authority::new(), tempfile::tempdir().expect("a temporary directory"));
    let keystore = write(directory.path(), "server.pem", &old.sign());
    let replace = |text: &str| {
        let staged = write(directory.path(), "staged.pem", text);
        std::fs::rename(staged, &keystore).expect("it takes the place of the other");
    };
    let fixture = Fixture::new(&[("security.ssl.rest.enabled", "true"), ("security.ssl.rest.keystore", &keystore)]);
    let url = format!("https://localhost:{}/overview", fixture.address().port());
    // A client of its own for every call: connections that are open keep their certificates.
    let is_trusted =
        |by: &Authority| client(&by.pem(), None).get(&url).send().is_ok_and(|answer| answer.status() == 200);
    let open = client(&old.pem(), None);
    assert!(open.get(&url).send().is_ok() && is_trusted(&old) && !is_trusted(&new));
    replace("half a certificate");
    assert!(is_trusted(&old), "what cannot be used replaces nothing");
    replace(&new.sign());
    assert!(is_trusted(&new) && !is_trusted(&old));
    assert!(open.get(&url).send().is_ok(), "the connection goes on");
}
