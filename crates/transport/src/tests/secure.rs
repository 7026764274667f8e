//! Connections with TLS, and those where one side has it.

use super::*;
use crate::messages::{MessageListener, dial};
use headwater_tls::{Options, Part};
use headwater_types::ErrorKind;
use headwater_types::config::Configuration;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::Path;

/// An authority, whose certificate lies in a directory.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("trust.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), directory }
    }

    /// Signs for a process; rewrites what it had.
    fn sign(&self, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let path = self.directory.path().join(format!("{name}.pem"));
        std::fs::write(path, key.serialize_pem() + &certificate.pem()).unwrap();
    }

    /// A process with a certificate of this authority, that trusts another one.
    fn identity(&self, name: &str, trusted: &Self) -> Identity {
        self.sign(name);
        let path = |authority: &Self, file: &str| path(authority.directory.path(), file);
        let mut config = Configuration::new();
        config.set("security.ssl.internal.enabled", "true");
        config.set("security.ssl.internal.keystore", path(self, &format!("{name}.pem")));
        config.set("security.ssl.internal.truststore", path(trusted, "trust.pem"));
        let tls = Options::from_config(&config, Part::Internal).unwrap();
        Identity { tls, ..Identity::new(name, "test") }
    }
}

fn path(directory: &Path, file: &str) -> String {
    directory.join(file).display().to_string()
}

fn plain(name: &str) -> Identity {
    Identity::new(name, "test")
}

#[test]
fn rows_travel_by_tls_compressed_or_not() {
    let authority = Authority::new();
    let producers = authority.identity("a", &authority);
    let packed = Identity { compression: Codec::Zstd, ..producers.clone() };
    for producers in [producers, packed] {
        let pair = Pair::of(producers, authority.identity("b", &authority));
        pair.assert_joined(0);
        pair.assert_joined(1);
    }
}

#[test]
fn rows_are_compressed_without_tls_as_well() {
    let pair = Pair::of(Identity { compression: Codec::Zstd, ..plain("a") }, plain("b"));
    (0..3).for_each(|number| pair.assert_joined(number));
}

/// Who calls whom, what each is told, and whether another attempt could change that.
#[test]
fn both_sides_are_told_why_they_do_not_come_together() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let secure = || ours.identity("secure", &ours);
    let cases = [
        (theirs.identity("stranger", &ours), secure(), "does not trust the certificate of this process"),
        (ours.identity("distrusts", &theirs), secure(), "the certificate of the peer is not trusted"),
        (plain("plain"), secure(), "the peer speaks TLS, and this process does not"),
        (secure(), plain("plain"), "the peer does not speak TLS"),
    ];
    for (caller, called, expected) in cases {
        let (name, good) = (caller.name.clone(), called.clone());
        let pair = Pair::of(caller.clone(), called);
        let sender = pair.sender(channel(0));
        let broken = pair.broken(1);
        assert!(broken[0].2.contains(expected), "{name}: {}", broken[0].2);
        assert!(sender.is_closed());
        let listener = MessageListener::bind(loopback(), good.clone(), pair.runtime.handle()).unwrap();
        let address = listener.address().unwrap().to_string();
        let (refused, accepted, fine) = pair.runtime.block_on(async {
            let call = async { (dial(&address, &caller).await.err().unwrap(), dial(&address, &good).await) };
            let accept = async {
                let first = listener.accept().await.unwrap().greet().await.err().unwrap();
                let second = listener.accept().await.unwrap().greet().await;
                (first, second.map(|(reader, _writer)| reader.peer).ok())
            };
            let ((refused, fine), (told, peer)) = tokio::join!(call, accept);
            assert_eq!(peer.as_deref(), Some(good.name.as_str()), "the process lives");
            (refused, told, fine)
        });
        assert!(fine.is_ok());
        assert_eq!((refused.kind(), refused.code()), (ErrorKind::User, "tls-refused"), "{name}: {refused}");
        assert!(refused.message().contains(expected), "{name}: {refused}");
        assert_eq!(accepted.code(), "tls-refused", "{name}: {accepted}");
    }
}

#[test]
fn certificates_that_are_replaced_are_used_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let pair = Pair::of(old.identity("a", &old), old.identity("b", &old));
    pair.assert_joined(0);
    let address = pair.consumers().address().to_string();
    let call = || pair.runtime.block_on(stream::dial(&address, &new.identity("c", &new))).err();
    assert!(call().unwrap().message().contains("not trusted"));
    new.sign("b");
    for file in ["trust.pem", "b.pem"] {
        std::fs::copy(new.directory.path().join(file), old.directory.path().join(file)).unwrap();
    }
    assert!(call().is_none(), "the files are read for every connection");
    std::fs::write(old.directory.path().join("b.pem"), "half").unwrap();
    let refused = call().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Retryable, "{refused}");
}
