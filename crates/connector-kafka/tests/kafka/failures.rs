//! What a person is told when something is wrong.

use crate::support::*;
use expect_test::expect;
use headwater_types::ErrorKind;

#[test]
fn a_broker_that_is_down() {
    let [port] = headwater_test_servers::ports::free().unwrap();
    let bootstrap = format!("127.0.0.1:{port}");
    let options = [
        ("topic", "down"),
        ("format", "json"),
        ("properties.bootstrap.servers", bootstrap.as_str()),
        ("properties.default.api.timeout.ms", "1500"),
        ("scan.startup.mode", "earliest-offset"),
    ];
    let table = table(&[("id", int())], &options);
    let error = read(&scan(&table, &[])).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Retryable, "kafka-unreachable"));
    let text = error.to_string().replace(&port.to_string(), "PORT");
    assert!(text.starts_with("reading the partitions of the topic 'down' at 127.0.0.1:PORT: "), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    let spec = write_spec(&table);
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    assert_eq!(barrier(writer.as_mut(), 1, false).unwrap_err().code(), "kafka-unreachable");
}

#[test]
fn a_topic_that_is_not_there() {
    let table =
        table(&[("id", int())], &[("topic", "missing"), ("format", "json"), ("scan.startup.mode", "earliest-offset")]);
    let text = error_of(read(&scan(&table, &[]))).replace(&broker().bootstrap(), "BROKER");
    expect!["kafka-topic-missing: reading the partitions of the topic 'missing' at BROKER: UnknownTopicOrPartition (Broker: Unknown topic or partition); create the topic or correct the option 'topic'"].assert_eq(&text);
    let spec = write_spec(&table);
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    // Also when no row is written.
    assert_eq!(barrier(writer.as_mut(), 1, false).unwrap_err().code(), "kafka-topic-missing");
}

#[test]
fn records_that_do_not_decode() {
    create_topic("bad", 1);
    produce("bad", &[value("{\"id\":1}"), value("{\"id\":"), value("{\n \"id\": 3\n}")]);
    let table = table(
        &[("id", int())],
        &[
            ("topic", "bad"),
            ("format", "json"),
            ("scan.startup.mode", "earliest-offset"),
            ("scan.bounded.mode", "latest-offset"),
        ],
    );
    expect!["bad-record: bad record in the topic 'bad', partition 0, offset 1: its value cannot be read: field 'id': expected a value, found the end of the line; the value is: {\"id\":; set 'errors.mode' to 'skip' or 'dead-letter' to go on without such records"]
        .assert_eq(&error_of(read(&scan(&table, &[]))));
    let mut skipping = Reading::start(&scan(&with(&table, &[("errors.mode", "skip")]), &[])).unwrap();
    assert_eq!(skipping.until(2).unwrap(), ["+I[1]", "+I[3]"]);
    assert_eq!(*skipping.bad.lock().unwrap(), 1);
    let ignoring = with(&table, &[("json.ignore-parse-errors", "true")]);
    assert_eq!(read(&scan(&ignoring, &[])).unwrap(), ["+I[1]", "+I[3]"]);
}

fn bad_records(topic: &str, options: &[(&str, &str)]) -> headwater_plan::TableSpec {
    create_topic(topic, 1);
    produce(topic, &[value("{\"id\":1}"), keyed("k", Some("{\"id\":oops}")), value("{\"id\":3}")]);
    let base = [
        ("topic", topic),
        ("format", "json"),
        ("scan.startup.mode", "earliest-offset"),
        ("scan.bounded.mode", "latest-offset"),
        ("errors.mode", "dead-letter"),
    ];
    with(&table(&[("id", int())], &base), options)
}

#[test]
fn bad_records_are_kept_in_a_directory() {
    let directory = std::env::temp_dir().join(format!("headwater-letters-{}", std::process::id()));
    let table = bad_records("letters-path", &[("errors.dead-letter.path", directory.to_str().unwrap())]);
    let mut reading = Reading::start(&scan(&table, &[])).unwrap();
    assert_eq!(reading.until(2).unwrap(), ["+I[1]", "+I[3]"]);
    assert_eq!(*reading.bad.lock().unwrap(), 1);
    // A checkpoint whose positions are behind the record makes its letter visible.
    reading.reader.snapshot().unwrap();
    let letters: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [letters] = &letters[..] else { panic!("one file of letters is there: {letters:?}") };
    let text = std::fs::read_to_string(letters).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let (_, text) = text.split_once(',').unwrap();
    expect![[r#"
        "topic":"letters-path","partition":0,"offset":1,"part":"value","reason":"field 'id': 'oops' is not a JSON value","raw":"{\"id\":oops}"}
    "#]]
    .assert_eq(text);
}

#[test]
fn bad_records_are_kept_in_a_topic() {
    create_topic("letters", 1);
    let table = bad_records("letters-topic", &[("errors.dead-letter.topic", "letters")]);
    let mut reading = Reading::start(&scan(&table, &[])).unwrap();
    assert_eq!(reading.until(2).unwrap(), ["+I[1]", "+I[3]"]);
    // The rows behind it were handed out, so the letter has arrived.
    let letters = consume("letters", "read_committed");
    let [letter] = &letters[..] else { panic!("one letter has arrived: {letters:?}") };
    assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (Some("k"), Some(&b"{\"id\":oops}"[..])));
    let headers: Vec<_> = letter.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    expect![[r#"
        headwater.error.topic=letters-topic
        headwater.error.partition=0
        headwater.error.offset=1
        headwater.error.part=value
        headwater.error.reason=field 'id': 'oops' is not a JSON value"#]]
    .assert_eq(&headers.join("\n"));
}

#[test]
fn a_dead_letter_topic_that_is_missing_fails_the_job() {
    let options = [("errors.dead-letter.topic", "letters-missing"), ("properties.message.timeout.ms", "3000")];
    let table = bad_records("letters-nowhere", &options);
    let mut reading = Reading::start(&scan(&table, &[])).unwrap();
    let error = error_of(reading.until(2).map(|_| ()));
    assert!(error.contains("letters-missing"), "{error}");
    assert!(reading.rows.is_empty(), "no row behind the record was handed out");
}

#[test]
fn an_offset_that_the_log_has_lost() {
    create_topic("lost", 1);
    produce("lost", &[value("{\"id\":1}")]);
    let table = table(
        &[("id", int())],
        &[
            ("topic", "lost"),
            ("format", "json"),
            ("scan.startup.mode", "specific-offsets"),
            ("scan.startup.specific-offsets", "partition:0,offset:17"),
        ],
    );
    let mut reading = Reading::start(&scan(&table, &[])).unwrap();
    let error = error_of(reading.until(1).map(|_| ()));
    assert!(
        error.starts_with("kafka-offset-lost: the next record to read of the topic 'lost', partition 0"),
        "{error}"
    );
}

#[test]
fn records_that_are_too_large() {
    create_topic_with(&broker().bootstrap(), "large", 1, &[("max.message.bytes", "2000")]);
    let options = [("topic", "large"), ("format", "raw")];
    let spec = write_spec(&table(&[("text", string())], &options));
    let error = write_all(&spec, &inserts(&[&[text(&"x".repeat(5_000))]])).unwrap_err();
    assert_eq!(error.code(), "kafka-record-too-large", "{error}");
    let once = [("sink.delivery-guarantee", "exactly-once"), ("sink.transactional-id-prefix", "large")];
    let spec = write_spec(&with(&spec.table, &once));
    let error = write_all(&spec, &inserts(&[&[text(&"x".repeat(5_000))]])).unwrap_err();
    assert_eq!(error.code(), "kafka-record-too-large", "{error}");
}

/// What a broker would refuse in a commit, after any restart again, is refused before it is in a checkpoint.
#[test]
fn exactly_once_stages_nothing_that_cannot_be_committed() {
    create_topic("staged-large", 1);
    let once = [
        ("topic", "staged-large"),
        ("format", "raw"),
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", "staged-large"),
    ];
    let large = |options: &[(&str, &str)]| {
        let spec = write_spec(&with(&table(&[("text", string())], &once), options));
        let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
        write(writer.as_mut(), batch(&spec, &inserts(&[&[text(&"x".repeat(1_000_000))]]))).map(|()| writer)
    };
    let error = error_of(large(&[]));
    assert!(error.starts_with("kafka-record-too-large: writing a record of 1000036 bytes to the topic"), "{error}");
    let mut writer = large(&[("properties.max.request.size", "1048576")]).unwrap();
    let staged = barrier(writer.as_mut(), 1, false).unwrap();
    let spec = write_spec(&with(&table(&[("text", string())], &once), &[("properties.max.request.size", "1048576")]));
    committer(&spec).commit(1, &staged).unwrap();
    assert_eq!(consume("staged-large", "read_committed").len(), 1);
}

#[test]
fn a_compacted_topic_without_keys_is_refused() {
    create_topic_with(&broker().bootstrap(), "compacted", 1, &[("cleanup.policy", "compact")]);
    let options = [("topic", "compacted"), ("format", "json")];
    let error = error_of(write_all(&write_spec(&table(&[("id", int())], &options)), &[]));
    assert!(error.starts_with("kafka-refused: the topic 'compacted' is compacted"), "{error}");
    let keyed = with(&table(&[("id", int())], &options), &[("key.format", "json"), ("key.fields", "id")]);
    write_all(&write_spec(&keyed), &inserts(&[&[headwater_plan::Value::Int(1)]])).unwrap();
}

#[test]
fn options_are_checked() {
    let columns = [("id", int()), ("name", string())];
    let base = [("topic", "t"), ("format", "json"), ("scan.startup.mode", "earliest-offset")];
    let once = ("sink.delivery-guarantee", "exactly-once");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("topics", "x")],
            "unknown-option: the kafka connector does not know the option 'topics'; did you mean 'topic'?",
        ),
        (
            &[("key.format", "json")],
            "missing-option: the kafka connector needs the option 'key.fields': it names the columns of the key, as 'key.format' is set",
        ),
        (
            &[("key.fields", "nope"), ("key.format", "json")],
            "unknown-column: the option 'key.fields' names 'nope', which is no column of the table: id, name",
        ),
        (
            &[("value.format", "json")],
            "bad-option-value: the options 'format' and 'value.format' mean the same: leave one out",
        ),
        (&[("json.nope", "1")], "unknown-option: the kafka connector does not know the option 'json.nope'"),
        (
            &[once],
            "missing-option: 'sink.delivery-guarantee' = 'exactly-once' needs the option 'sink.transactional-id-prefix'",
        ),
        (
            &[("properties.acks", "0")],
            "kafka-could-lose-records: 'properties.acks' = '0' could lose records: the broker does not say whether it has a record; leave it out",
        ),
        (
            &[("properties.partitioner.class", "a.B")],
            "unknown-option: the option 'properties.partitioner.class' is not supported: use the option 'sink.partitioner'",
        ),
        (
            &[("properties.nonsense", "1")],
            "bad-option-value: the options 'properties.*': the Kafka client does not take the property 'nonsense'",
        ),
        (
            &[("properties.linger.ms", "x")],
            "bad-option-value: the options 'properties.*': the Kafka client does not take the property 'linger.ms'",
        ),
        (
            &[("topic-pattern", "x")],
            "bad-option-value: 't' is not a valid value of the option 'topic': expected exactly one topic and no 'topic-pattern'",
        ),
    ];
    for (options, expected) in cases {
        let spec = write_spec(&with(&table(&columns, &base), options));
        let found = error_of(sink(&spec).map(|_| ()));
        assert!(found.starts_with(expected), "{found}");
    }
    let letters: &[(&[(&str, &str)], &str)] = &[
        (&[("errors.mode", "dead-letter")], "expected one of the options 'errors.dead-letter.path' and"),
        (&[("errors.mode", "dead-letter"), ("errors.dead-letter.topic", "t")], "that the table does not read"),
        (&[("errors.mode", "dead-letter"), ("errors.dead-letter.path", "s3://b")], "a directory of the machine"),
        (&[("errors.mode", "drop")], "one of fail, skip, dead-letter"),
    ];
    for (options, expected) in letters {
        let found = error_of(source(&scan(&with(&table(&columns, &base), options), &[])).map(|_| ()));
        assert!(found.contains(expected), "{found}");
    }
    let mut keyed = table(&columns, &base);
    keyed.primary_key = vec!["id".into()];
    let found = error_of(sink(&write_spec(&keyed)).map(|_| ()));
    assert!(
        found.starts_with("bad-primary-key: the kafka connector with the format 'json' cannot keep a PRIMARY KEY"),
        "{found}"
    );
    let group = with(&table(&columns, &base), &[("scan.startup.mode", "group-offsets")]);
    let found = error_of(source(&scan(&group, &[])).map(|_| ()));
    assert!(
        found.starts_with("missing-option: reading by the offsets of a group needs the option 'properties.group.id'"),
        "{found}"
    );
}

#[test]
fn settings_of_brokers_that_contradict_the_promise() {
    create_topic("promise", 1);
    let options = [
        ("topic", "promise"),
        ("format", "json"),
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", "promise"),
        ("properties.transaction.timeout.ms", "3600000"),
    ];
    let spec = write_spec(&table(&[("id", int())], &options));
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    let error = error_of(barrier(writer.as_mut(), 1, false));
    assert!(
        error.starts_with("kafka-transaction-timeout: 'properties.transaction.timeout.ms' = '3600000' is larger than"),
        "{error}"
    );
}
