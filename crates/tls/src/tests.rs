use super::*;
use std::fs;
use std::path::Path;

/// A certificate that signs itself, with its key, as PEM.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate can be made");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn config(pairs: &[(&str, &str)]) -> Configuration {
    let mut config = Configuration::new();
    pairs.iter().for_each(|(key, value)| config.set(*key, *value));
    config
}

fn options(part: Part, pairs: &[(&str, &str)]) -> Options {
    Options::from_config(&config(pairs), part).expect("valid").expect("TLS is on")
}

fn write(directory: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.join(name);
    fs::write(&path, content).expect("the file can be written");
    path.to_str().expect("the path of a temporary directory is text").to_owned()
}

#[test]
fn it_is_off_unless_told_otherwise() {
    assert_eq!(Options::from_config(&config(&[]), Part::Rest).expect("valid"), None);
    let odd = config(&[("security.ssl.rest.enabled", "perhaps")]);
    assert!(Options::from_config(&odd, Part::Rest).unwrap_err().message().contains("expected true or false"));
}

#[test]
fn both_ways_to_name_certificate_and_key_serve() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (certificate, key) = certificate();
    let both = write(directory.path(), "both.pem", format!("{key}{certificate}"));
    let (chain, key) = (write(directory.path(), "tls.crt", &certificate), write(directory.path(), "tls.key", key));
    let on = ("security.ssl.rest.enabled", "true");
    options(Part::Rest, &[on, ("security.ssl.rest.keystore", &both)]).server().expect("one file");
    options(Part::Rest, &[on, ("security.ssl.keystore", &both)]).server().expect("the key for all parts");
    let two = [on, ("headwater.ssl.rest.certificate", &chain), ("headwater.ssl.rest.private-key", &key)];
    options(Part::Rest, &two).server().expect("two files");
    let mutual = [two[0], two[1], two[2], ("security.ssl.rest.authentication-enabled", "true")];
    assert!(options(Part::Rest, &mutual).server().unwrap_err().message().contains("truststore' is not set"));
    let trusted = [mutual[0], mutual[1], mutual[2], mutual[3], ("security.ssl.rest.truststore", &chain)];
    let options = options(Part::Rest, &trusted);
    options.server().expect("mutual");
    options.client().expect("mutual");
    assert!(options.own_pem().expect("readable").is_some());
}

#[test]
fn between_processes_both_sides_always_authenticate() {
    assert!(options(Part::Internal, &[("security.ssl.internal.enabled", "true")]).authenticates());
    assert!(!options(Part::Rest, &[("security.ssl.rest.enabled", "true")]).authenticates());
}

#[test]
fn what_is_no_pem_file_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (certificate, key) = certificate();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("a.jks", vec![0xfe, 0xed, 0xfe, 0xed, 0, 0], "keytool"),
        ("a.p12", vec![0x30, 0x82, 1, 2], "openssl pkcs12"),
        ("empty.pem", vec![], "no certificate"),
        ("chain.pem", certificate.clone().into_bytes(), "no private key"),
        ("key.pem", key.clone().into_bytes(), "no certificate"),
        ("encrypted.pem", format!("{certificate}{encrypted}").into_bytes(), "openssl pkey"),
    ];
    for (name, content, expected) in cases {
        let path = write(directory.path(), name, content);
        let pairs = [("security.ssl.rest.enabled", "true"), ("security.ssl.rest.keystore", path.as_str())];
        let message = options(Part::Rest, &pairs).server().unwrap_err().message().to_owned();
        assert!(message.contains(expected) && message.contains(name), "{name}: {message}");
        assert!(!message.contains("PRIVATE KEY-----\nM"), "{message}");
    }
    let pairs = [("security.ssl.rest.enabled", "true"), ("security.ssl.rest.keystore", "/nowhere.pem")];
    assert!(options(Part::Rest, &pairs).server().unwrap_err().message().contains("cannot be read"));
    assert!(options(Part::Rest, &pairs[..1]).server().unwrap_err().message().contains("keystore' is not set"));
}

/// A certificate as `openssl req -x509` makes it, and its authority's key with it: made out for an authority.
fn authority() -> (rcgen::Certificate, rcgen::Issuer<'static, rcgen::KeyPair>, String) {
    let mut params = rcgen::CertificateParams::new(vec![]).expect("no names");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("a key can be made");
    let pem = key.serialize_pem();
    let certificate = params.self_signed(&key).expect("it signs itself");
    (certificate, rcgen::Issuer::new(params, key), pem)
}

/// Whether the two shake hands; what either side says if not.
fn shake(caller: &Options, called: &Options) -> std::result::Result<(), (Option<String>, Option<String>)> {
    let name = "anything".try_into().expect("a name");
    let mut client = rustls::ClientConnection::new(caller.client().expect("usable"), name).expect("usable");
    let mut server = rustls::ServerConnection::new(called.server().expect("usable")).expect("usable");
    let told = |error: rustls::Error| {
        let error = std::io::Error::other(error);
        explain(&error).map(|error| error.message().to_owned())
    };
    let (mut to_server, mut to_client) = (vec![], vec![]);
    for _ in 0..8 {
        while client.wants_write() {
            client.write_tls(&mut to_server).expect("memory takes it");
        }
        let mut input = &to_server[..];
        while !input.is_empty() {
            server.read_tls(&mut input).expect("memory gives it");
        }
        to_server.clear();
        let refused = server.process_new_packets().err();
        while server.wants_write() {
            server.write_tls(&mut to_client).expect("memory takes it");
        }
        let mut input = &to_client[..];
        while !input.is_empty() {
            client.read_tls(&mut input).expect("memory gives it");
        }
        to_client.clear();
        let failed = client.process_new_packets().err();
        if refused.is_some() || failed.is_some() {
            return Err((failed.and_then(told), refused.and_then(told)));
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking(), "the handshake ends");
    Ok(())
}

/// TLS between processes with these files.
fn internal(keystore: &str, truststore: &str, more: &[(&str, &str)]) -> Options {
    let pairs = [
        ("security.ssl.internal.enabled", "true"),
        ("security.ssl.internal.keystore", keystore),
        ("security.ssl.internal.truststore", truststore),
    ];
    options(Part::Internal, &[&pairs[..], more].concat())
}

#[test]
fn processes_trust_an_authority_and_what_stands_in_the_trust_store_whatever_the_host() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (certificate, issuer, key) = authority();
    let trusted = write(directory.path(), "trusted.pem", certificate.pem());
    let signed = |name: &str| {
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let signed = params.signed_by(&key, &issuer).expect("it is signed");
        (write(directory.path(), name, key.serialize_pem() + &signed.pem()), signed)
    };
    let ((a, of_a), (b, _)) = (signed("a"), signed("b"));
    assert_eq!(shake(&internal(&a, &trusted, &[]), &internal(&b, &trusted, &[])), Ok(()));
    let own = write(directory.path(), "own.pem", format!("{key}{}", certificate.pem()));
    assert_eq!(shake(&internal(&own, &trusted, &[]), &internal(&b, &trusted, &[])), Ok(()), "made for an authority");
    assert_eq!(shake(&internal(&b, &trusted, &[]), &internal(&own, &trusted, &[])), Ok(()), "the other way round");

    let (stranger, stranger_key) = self::certificate();
    let stranger = write(directory.path(), "stranger.pem", stranger_key + &stranger);
    let (_, refused) = shake(&internal(&stranger, &trusted, &[]), &internal(&a, &trusted, &[])).unwrap_err();
    assert!(refused.expect("a matter of TLS").contains("'security.ssl.internal.truststore'"));

    use sha1::Digest;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    for pin in [hex(&sha1::Sha1::digest(of_a.der())), hex(&sha2::Sha256::digest(of_a.der())).replace(':', "")] {
        let pinned = [("security.ssl.internal.cert.fingerprint", pin.as_str())];
        assert_eq!(shake(&internal(&a, &trusted, &[]), &internal(&b, &trusted, &pinned)), Ok(()));
        let (_, refused) = shake(&internal(&b, &trusted, &[]), &internal(&b, &trusted, &pinned)).unwrap_err();
        assert!(refused.expect("a matter of TLS").contains("is none of 'security.ssl.internal.cert.fingerprint'"));
        let (refused, _) = shake(&internal(&a, &trusted, &pinned), &internal(&b, &trusted, &[])).unwrap_err();
        assert!(refused.expect("a matter of TLS").contains("cert.fingerprint"), "callers look, too");
    }
}

#[test]
fn what_was_shown_once_and_has_expired_is_not_trusted() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let key = rcgen::KeyPair::generate().expect("a key can be made");
    let mut params = rcgen::CertificateParams::new(vec![]).expect("no names");
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = params.self_signed(&key).expect("it signs itself").pem();
    let both = write(directory.path(), "both.pem", key.serialize_pem() + &expired);
    let (failed, _) = shake(&internal(&both, &both, &[]), &internal(&both, &both, &[])).unwrap_err();
    assert!(failed.expect("a matter of TLS").contains("xpired"));
}

#[test]
fn settings_between_processes_are_checked() {
    let on = ("security.ssl.internal.enabled", "true");
    let message = options(Part::Internal, &[on]).check().unwrap_err().message().to_owned();
    assert!(message.contains("'security.ssl.internal.keystore' is not set"), "{message}");
    let odd = config(&[on, ("security.ssl.internal.cert.fingerprint", "00:11")]);
    let message = Options::from_config(&odd, Part::Internal).unwrap_err().message().to_owned();
    assert!(message.contains("'00:11'") && message.contains("SHA-1"), "{message}");
}

#[test]
fn files_that_are_replaced_are_used_and_those_that_make_no_sense_are_not() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let pem = || {
        let (certificate, key) = certificate();
        key + &certificate
    };
    let replace = |content: &str| {
        let staged = write(directory.path(), "staged.pem", content);
        fs::rename(staged, directory.path().join("own.pem")).expect("it takes the place of the other");
    };
    let keystore = write(directory.path(), "own.pem", pem());
    let options =
        options(Part::Rest, &[("security.ssl.rest.enabled", "true"), ("security.ssl.rest.keystore", &keystore)]);
    let reloading = Reloading::new(options).expect("the first ones are good");
    let present = || {
        let mut told = None;
        let server = reloading.server(|outcome| told = Some(outcome.map_err(|error| error.code())));
        (server, told)
    };
    let (first, told) = present();
    assert_eq!(told, None);
    for (content, expected) in [("half", Some(Err("tls-not-configured"))), ("half", Some(Err("tls-not-configured")))] {
        replace(content);
        let (server, told) = present();
        assert!(told == expected && Arc::ptr_eq(&server, &first), "{told:?}");
        assert_eq!(present().1, None, "it is said once");
    }
    fs::remove_file(&keystore).expect("it is there");
    assert_eq!(present().1, Some(Err("tls-not-configured")));
    replace(&pem());
    let (second, told) = present();
    assert!(told == Some(Ok(())) && !Arc::ptr_eq(&second, &first));
    assert!(Arc::ptr_eq(&present().0, &second), "what has not changed is not read again");
}
