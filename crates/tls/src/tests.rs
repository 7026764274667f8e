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
