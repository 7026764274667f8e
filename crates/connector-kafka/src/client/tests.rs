use super::jaas::parse;
use super::{Properties, Trouble, explain_code};
use expect_test::expect;
use headwater_connector_api::Options;
use rdkafka::error::RDKafkaErrorCode as Code;
use std::collections::BTreeMap;

fn properties(given: &[(&str, &str)]) -> headwater_types::Result<Properties> {
    let all = [("bootstrap.servers", "a:1")].iter().chain(given);
    let options: BTreeMap<_, _> = all.map(|(n, v)| (format!("properties.{n}"), v.to_string())).collect();
    Properties::new(Options(&options))
}

#[test]
fn logins_are_read() {
    let cases = [
        (
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"a\" password=\"b\";",
            Ok(("a", "b")),
        ),
        ("ScramLoginModule required\n username='a b' password=\"c\\\"d;e\" tokenauth=\"true\";", Ok(("a b", "c\"d;e"))),
        ("PlainLoginModule required username=a password=b ;", Ok(("a", "b"))),
        ("PlainLoginModule required username=\"a\";", Err("it has no 'password'")),
        ("PlainLoginModule required username=\"a\" password=\"b\"", Err("it does not end with a semicolon")),
        ("PlainLoginModule required username=\"a\" password=\"b;", Err("a quote is not closed")),
        ("Krb5LoginModule required;", Err("the login module 'Krb5LoginModule'")),
    ];
    for (text, expected) in cases {
        match (parse(text), expected) {
            (Ok(login), Ok((user, password))) => {
                assert_eq!((login.user.as_str(), login.password.as_str()), (user, password))
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
                assert!(!error.to_string().contains("\"a\""), "{error}");
            }
            (found, _) => panic!("{text}: {}", found.is_ok()),
        }
    }
}

#[test]
fn names_are_translated() {
    let jaas = "PlainLoginModule required username=\"u\" password=\"p\";";
    let given = properties(&[
        ("sasl.jaas.config", jaas),
        ("sasl.mechanism", "PLAIN"),
        ("security.protocol", "SASL_SSL"),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.location", "/ca"),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", "/own"),
        ("ssl.endpoint.identification.algorithm", ""),
        ("buffer.memory", "1048576"),
        ("fetch.max.wait.ms", "7"),
        ("max.poll.records", "10"),
        ("client.id.prefix", "billing"),
        ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor"),
        ("statistics.interval.ms", "0"),
    ]);
    let config = given.unwrap().native();
    let mut found: Vec<_> = config.config_map().iter().map(|(n, v)| format!("{n}={v}")).collect();
    found.sort();
    expect![[r#"
        bootstrap.servers=a:1
        client.id=billing
        fetch.wait.max.ms=7
        queue.buffering.max.kbytes=1024
        sasl.mechanism=PLAIN
        sasl.password=[sanitized for safety]
        sasl.username=u
        security.protocol=SASL_SSL
        ssl.ca.location=/ca
        ssl.certificate.location=/own
        ssl.endpoint.identification.algorithm=none
        ssl.key.location=/own
        statistics.interval.ms=0"#]]
    .assert_eq(&found.join("\n"));
}

#[test]
fn offsets_are_committed_to_a_group_unless_it_is_said_otherwise() {
    let (group, no) = (("group.id", "g"), ("commit.offsets.on.checkpoint", "false"));
    for (given, expected) in [(&[][..], false), (&[group], true), (&[group, no], false)] {
        assert_eq!(properties(given).unwrap().commits_offsets().unwrap(), expected, "{given:?}");
    }
}

#[test]
fn refusals_name_the_alternative() {
    let cases = [
        (("ssl.keystore.location", "/a.jks"), "a keystore of the type JKS is not supported: convert it"),
        (("ssl.protocol", "TLSv1"), "leave it out: TLS 1.2 or newer is negotiated"),
        (("interceptor.classes", "a.B"), "Java classes cannot be loaded"),
        (("sasl.mechanism", "GSSAPI"), "expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512: Kerberos and OAuth"),
        (("commit.offsets.on.checkpoint", "perhaps"), "expected true or false"),
        (("auto.offset.reset", "never"), "expected none, earliest or latest"),
        (("default.api.timeout.ms", "0"), "expected a number of milliseconds"),
        (("security.protocol", "TLS"), "the Kafka client does not take the property 'security.protocol'"),
    ];
    for (given, expected) in cases {
        let error = properties(&[given]).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_reason_of_a_lost_connection_decides() {
    let trouble = Trouble::default();
    let code = |trouble: &Trouble| explain_code("x", Code::BrokerTransportFailure, trouble).code();
    assert_eq!(code(&trouble), "kafka-unreachable");
    trouble.note("sasl_plaintext://a:1: SASL authentication error: no");
    assert_eq!(code(&trouble), "kafka-authentication");
    trouble.note("ssl://a:1: SSL handshake failed: certificate verify failed");
    assert_eq!(code(&trouble), "kafka-tls");
}
