use super::dataset::shown;
use super::mask::without_literals;
use std::collections::BTreeMap;

#[test]
fn options_that_hold_secrets_are_not_told() {
    for (key, value) in [
        ("properties.sasl.jaas.config", "x"),
        ("properties.ssl.keystore.key", "x"),
        ("properties.anything", "x"),
        ("password", "x"),
        ("aws.credentials", "x"),
        ("s3.access-key", "x"),
        ("url", "jdbc:postgresql://user:pw@host/db"),
        ("url", "https://h/p?sas=1"),
        ("pem", "-----BEGIN PRIVATE KEY-----"),
    ] {
        let options = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert!(shown(&options).is_empty(), "{key} = {value}");
    }
    for (key, value) in
        [("connector", "kafka"), ("properties.bootstrap.servers", "a:1"), ("topic", "t"), ("path", "s3://b/a@b")]
    {
        let options = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(shown(&options), options);
    }
}

#[test]
fn literals_are_masked_on_request() {
    let text = "INSERT INTO o SELECT `1a`, 'it''s', 3.5, x'0f' /* 'no' */ FROM t -- 42\nWHERE a = 'Smith'";
    assert_eq!(without_literals(text), "INSERT INTO o SELECT `1a`, ?, ?, ?  FROM t \nWHERE a = ?");
}
