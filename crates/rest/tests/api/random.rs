//! Every endpoint, asked with anything in the place of its parameters, query and body.

use crate::fixture::Fixture;
use headwater_rest::testing::http;
use headwater_rest::{Method, endpoints};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Where the requests begin.
const SEED: u64 = 4;

/// What may stand in the place of a parameter: right in form, wrong in form, and what breaks parsers.
fn parameter() -> impl Strategy<Value = String> {
    let odd = vec![
        "0",
        "-1",
        "99999999999999999999",
        "%00",
        "%ff%fe",
        "..%2f..%2fetc",
        "%2e%2e",
        "a%20b",
        "%27%3b",
        "%F0%9F%8C%8A",
    ];
    let hex = "[0-9a-f]{32}";
    prop_oneof![3 => select(odd).prop_map(str::to_owned), 2 => hex.prop_map(|hex| hex), 1 => "[a-zA-Z0-9_.~-]{1,80}"]
}

/// Documents, nearly documents, and neither.
fn body() -> impl Strategy<Value = String> {
    let field = select(vec![
        "target-directory",
        "cancel-job",
        "triggerId",
        "drain",
        "savepoint-path",
        "checkpointType",
        "parallelism",
        "lowerBound",
        "upperBound",
        "programArgsList",
        "jobId",
        "formatType",
    ]);
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        "[a-zäöü\\\\u0-9]{0,20}".prop_map(|text| format!("\"{text}\"")),
        select(vec!["true", "[]", "{}", "[[[[", "{\"a\":", "1e999", "\"\\ud800\""]).prop_map(str::to_owned),
    ];
    let document = proptest::collection::vec((field, value), 0..6).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", fields.join(", "))
    });
    prop_oneof![4 => document, 1 => "\\PC{0,200}", 1 => Just("[".repeat(5_000))]
}

#[test]
fn whatever_is_asked_is_answered_and_nothing_breaks() {
    let fixture = Fixture::new(&[("headwater.rest.requests-per-second", "0")]);
    let known: Vec<_> = endpoints().iter().filter(|endpoint| endpoint.path != "/cluster").collect();
    let asked = (select(known), proptest::collection::vec(parameter(), 6), "[a-zA-Z]{0,12}", parameter(), body());
    // Always the same requests, unless PROPTEST_RNG_SEED asks for others.
    let rng_seed = match Config::default().rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        fixed => fixed,
    };
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, rng_seed, ..Config::default() });
    runner
        .run(&asked, |(endpoint, parameters, key, value, body)| {
            let mut parameters = parameters.into_iter();
            let segment = |segment: &str| match segment.starts_with(':') {
                true => parameters.next().unwrap_or_default(),
                false => segment.to_owned(),
            };
            let path: Vec<String> = endpoint.path.split('/').map(segment).collect();
            let path = format!("{}?{key}={value}", path.join("/"));
            let body = if endpoint.method == Method::GET { String::new() } else { body };
            let (status, text) = http::request(fixture.address(), endpoint.method.as_str(), &path, &body, "");
            let document: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            prop_assert!((200..600).contains(&status), "{path}: {status}");
            let said = document["errors"][0].as_str().unwrap_or_default();
            prop_assert!(said != "Internal server error.", "{path} {body}: a handler panicked");
            prop_assert!(status < 400 || !said.is_empty(), "{path} {body}: {status} {text}");
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(fixture.get("/overview")["jobs-running"], 1);
}
