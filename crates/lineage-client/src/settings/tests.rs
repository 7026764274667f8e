use super::*;
use serde_json::json;

fn load(file: Option<&str>, variables: &[(&str, &str)], config: &[(&str, &str)]) -> Settings {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(directory.path().join("openlineage.yml"), text).unwrap();
    }
    let mut configuration = Configuration::new();
    config.iter().for_each(|(key, value)| configuration.set(*key, *value));
    let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let around = Surroundings { variables, directory: directory.path().into(), temporary: directory.path().into() };
    Settings::load(&configuration, &around)
}

#[test]
fn without_a_transport_nothing_is_sent() {
    assert!(!load(None, &[], &[]).is_on());
    assert!(!load(Some("transport:\n  type: console\n"), &[("OPENLINEAGE_DISABLED", "true")], &[]).is_on());
    assert!(load(Some("transport:\n  type: console\n"), &[], &[]).is_on());
}

#[test]
fn the_file_gives_way_to_the_environment_and_that_to_the_configuration() {
    let file = "transport: {type: http, url: 'http://file', endpoint: e}\njob: {namespace: f}\n";
    let settings = load(Some(file), &[("OPENLINEAGE_URL", "http://env"), ("OPENLINEAGE_NAMESPACE", "e")], &[]);
    assert_eq!(settings.transport, Some(json!({"type": "http", "url": "http://env", "endpoint": "e"})));
    assert_eq!(settings.producer.namespace, "e");
    let settings = load(Some(file), &[("OPENLINEAGE_NAMESPACE", "e")], &[("openlineage.job.namespace", "c")]);
    assert_eq!(settings.producer.namespace, "c");
}

#[test]
fn variables_reach_every_option() {
    let variables = [
        ("OPENLINEAGE__TRANSPORT__TYPE", "kafka"),
        ("OPENLINEAGE__TRANSPORT__TOPIC_NAME", "t"),
        ("OPENLINEAGE__TRANSPORT__PROPERTIES", r#"{"bootstrap.servers": "b:1"}"#),
        ("OPENLINEAGE__TRACKING_INTERVAL_IN_SECONDS", "7"),
    ];
    let settings = load(None, &variables, &[]);
    let expected = json!({"type": "kafka", "topicName": "t", "properties": {"bootstrap.servers": "b:1"}});
    assert_eq!(settings.transport, Some(expected));
    assert_eq!(settings.interval, Duration::from_secs(7));
}

#[test]
fn both_spellings_of_flink_are_read() {
    let old = [
        ("execution.job-listener.openlineage.namespace", "n"),
        ("execution.job-listener.openlineage.job-name", "j"),
        ("execution.job-listener.openlineage.tracking-interval", "1 h"),
    ];
    let settings = load(None, &[], &old);
    assert_eq!((settings.producer.namespace.as_str(), settings.producer.job_name.as_deref()), ("n", Some("j")));
    assert_eq!(settings.interval, Duration::from_secs(3600));
    let new = [
        ("openlineage.job.namespace", "n2"),
        ("openlineage.job.owners.team", "data"),
        ("openlineage.job.tags", "[env:prod;pii;a:b:c]"),
        ("openlineage.facets.sql.disabled", "true"),
        ("openlineage.flink.disableCheckpointTracking", "true"),
    ];
    let both: Vec<_> = old.into_iter().chain(new).collect();
    let settings = load(None, &[], &both);
    assert_eq!(settings.producer.namespace, "n2");
    assert_eq!(settings.producer.owners[0].kind.as_deref(), Some("team"));
    let tags: Vec<_> = settings.producer.job_tags.iter().map(|t| (t.key.as_str(), t.value.as_str())).collect();
    assert_eq!(tags, [("env", "prod"), ("pii", "true"), ("a", "b")]);
    assert!(settings.producer.disabled_facets.contains("sql") && !settings.tracks_checkpoints);
}

#[test]
fn the_parent_comes_from_the_environment() {
    let run = "01890a5d-ac96-774b-bcce-b302099a8057";
    let id = format!("http://airflow:8080/dag.task/{run}");
    let parent = load(None, &[("OPENLINEAGE_PARENT_ID", &id)], &[]).parent.unwrap();
    assert_eq!((parent.job.namespace.as_str(), parent.job.name.as_str()), ("http://airflow:8080", "dag.task"));
    assert_eq!(parent.run.run_id, run);
    for bad in ["x", "a/b/c", "a/01890a5d-ac96-774b-bcce-b302099a8057"] {
        let settings = load(None, &[("OPENLINEAGE_PARENT_ID", bad)], &[]);
        assert!(settings.parent.is_none() && settings.warnings.len() == 1, "{bad}");
    }
}

#[test]
fn what_is_odd_is_told_without_secrets() {
    let settings = load(Some("transport: [\n  apiKey: hush"), &[], &[("openlineage.disabled", "perhaps")]);
    assert_eq!(settings.warnings.len(), 2, "{:?}", settings.warnings);
    assert!(!format!("{:?} {settings:?}", settings.warnings).contains("hush"));
    let settings = load(Some("transport: {type: http, url: u, auth: {type: api_key, apiKey: hush}}"), &[], &[]);
    assert!(settings.is_on() && !format!("{settings:?}").contains("hush"));
}

#[test]
fn hosts_of_one_system_get_one_name() {
    let config = [
        ("openlineage.dataset.namespaceResolvers.prod.type", "hostList"),
        ("openlineage.dataset.namespaceResolvers.prod.hosts", "[k1;k2]"),
        ("openlineage.dataset.namespaceResolvers.prod.schema", "kafka"),
        ("openlineage.dataset.namespaceResolvers.odd.type", "what"),
    ];
    let settings = load(None, &[], &config);
    assert_eq!(settings.warnings.len(), 1);
    let resolve = |namespace: &str| settings.resolvers[0].resolve(namespace);
    assert_eq!(resolve("kafka://K2:9092").as_deref(), Some("kafka://prod"));
    assert_eq!((resolve("kafka://k3:9092"), resolve("s3://k1"), resolve("file")), (None, None, None));
    let options =
        json!({"g": {"type": "patternGroup", "regex": "(?<cluster>[a-z]+)-\\d+", "matchingGroup": "cluster"}});
    let group = resolvers_of(&options);
    assert_eq!(group[0].resolve("kafka://east-3:9092").as_deref(), Some("kafka://east"));
}

fn resolvers_of(options: &Value) -> Vec<NamespaceResolver> {
    super::resolve::resolvers(Some(options), &mut vec![])
}

#[test]
fn an_address_is_that_of_an_http_endpoint_and_a_slip_is_told() {
    let settings = load(None, &[], &[("openlineage.transport.url", "http://here")]);
    assert_eq!(settings.transport, Some(json!({"url": "http://here", "type": "http"})));
    let settings = load(None, &[], &[("openlineage.transport.typ", "http")]);
    assert!(!settings.is_on());
    assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
    assert!(settings.warnings[0].contains("it has typ"), "{:?}", settings.warnings);
    assert!(load(None, &[], &[]).warnings.is_empty());
}
