//! SASL and TLS under the names of Kafka's Java client.

use crate::support::*;
use headwater_plan::{TableSpec, Value};
use headwater_test_servers::kafka::{ADMIN, GUEST, PASSWORD};

fn sasl(topic: &str, mechanism: &str, module: &str, user: &str, password: &str) -> TableSpec {
    let jaas =
        format!("org.apache.kafka.common.security.{module} required username=\"{user}\" password=\"{password}\";");
    let bootstrap = broker().bootstrap_sasl();
    table(
        &[("id", int())],
        &[
            ("topic", topic),
            ("format", "json"),
            ("scan.startup.mode", "earliest-offset"),
            ("scan.bounded.mode", "latest-offset"),
            ("properties.bootstrap.servers", &bootstrap),
            ("properties.security.protocol", "SASL_PLAINTEXT"),
            ("properties.sasl.mechanism", mechanism),
            ("properties.sasl.jaas.config", &jaas),
            ("properties.default.api.timeout.ms", "10000"),
        ],
    )
}

const PLAIN: (&str, &str) = ("PLAIN", "plain.PlainLoginModule");
const SCRAM: (&str, &str) = ("SCRAM-SHA-256", "scram.ScramLoginModule");

#[test]
fn users_log_in() {
    create_topic("sasl", 1);
    for (at, (mechanism, module)) in [PLAIN, SCRAM].into_iter().enumerate() {
        let table = sasl("sasl", mechanism, module, ADMIN, PASSWORD);
        write_all(&write_spec(&table), &inserts(&[&[Value::Int(at as i64)]])).unwrap();
        assert_eq!(read(&scan(&table, &[])).unwrap().len(), at + 1);
    }
}

#[test]
fn a_wrong_password_is_told() {
    create_topic("sasl-wrong", 1);
    let error = error_of(read(&scan(&sasl("sasl-wrong", PLAIN.0, PLAIN.1, ADMIN, "wrong-password"), &[])));
    assert!(error.starts_with("kafka-authentication: reading the partitions of the topic 'sasl-wrong'"), "{error}");
    assert!(!error.contains("wrong-password"), "{error}");
}

#[test]
fn a_user_without_rights_is_told() {
    create_topic("sasl-rights", 1);
    let table = sasl("sasl-rights", PLAIN.0, PLAIN.1, GUEST, PASSWORD);
    let error = error_of(read(&scan(&table, &[])));
    assert!(error.starts_with("kafka-authorization: reading the partitions of the topic 'sasl-rights'"), "{error}");
    let spec = write_spec(&table);
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    assert_eq!(barrier(writer.as_mut(), 1, false).unwrap_err().code(), "kafka-authorization");
}

#[test]
fn tls_with_pem_files() {
    create_topic("tls", 1);
    let authority = broker().certificates().unwrap().authority.to_string_lossy().into_owned();
    let bootstrap = broker().bootstrap_tls();
    let options = [
        ("topic", "tls"),
        ("format", "json"),
        ("scan.startup.mode", "earliest-offset"),
        ("scan.bounded.mode", "latest-offset"),
        ("properties.bootstrap.servers", bootstrap.as_str()),
        ("properties.security.protocol", "SSL"),
        ("properties.ssl.truststore.type", "PEM"),
        ("properties.ssl.truststore.location", &authority),
        ("properties.default.api.timeout.ms", "10000"),
    ];
    let trusted = table(&[("id", int())], &options);
    write_all(&write_spec(&trusted), &inserts(&[&[Value::Int(7)]])).unwrap();
    assert_eq!(read(&scan(&trusted, &[])).unwrap(), ["+I[7]"]);
    let mut untrusted = with(&trusted, &[("properties.default.api.timeout.ms", "2000")]);
    untrusted.options.remove("properties.ssl.truststore.location");
    let error = error_of(read(&scan(&untrusted, &[])));
    assert!(error.starts_with("kafka-tls: ") && error.contains("certificate verify failed"), "{error}");
    let store =
        with(&trusted, &[("properties.ssl.truststore.type", "JKS"), ("properties.ssl.truststore.location", "a.jks")]);
    assert!(
        error_of(source(&scan(&store, &[])).map(|_| ())).starts_with("unsupported-store: a truststore of the type JKS")
    );
}
