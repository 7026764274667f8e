//! Submitting: encoded plans, and SQL scripts where Flink has jars.

use crate::fixture::Fixture;
use headwater_plan::{JobGraph, encode};
use headwater_rest::cluster::{ScriptOptions, Scripts};
use headwater_rest::testing::http;
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};

/// Takes any script, and answers with what it was asked for.
pub struct Echo;

impl Scripts for Echo {
    fn plan(&self, script: &str, _: &ScriptOptions) -> Result<Vec<JobGraph>> {
        match script {
            "none" => Ok(vec![]),
            name => Ok(vec![JobGraph {
                name: name.to_owned(),
                max_parallelism: 1,
                vertices: vec![],
                edges: vec![],
                config: Default::default(),
            }]),
        }
    }

    fn run(&self, script: &str, options: &ScriptOptions) -> Result<Vec<JobId>> {
        let told: Vec<String> = options.config.iter().map(|(key, value)| format!("{key}={value}")).collect();
        match script {
            "options" => Err(Error::user("told", told.join(" "))),
            _ => Ok(vec![JobId(7), JobId(8)]),
        }
    }
}

const SECURED: [(&str, &str); 3] = [
    ("web.submit.enable", "true"),
    ("headwater.rest.authentication.token", "strong"),
    ("headwater.rest.authentication.operate-token", "middle"),
];
const ADMIN: &str = "Authorization: Bearer strong\r\n";

/// Sends a request as an administrator; its status and document.
fn ask(fixture: &Fixture, method: &str, path: &str, body: &str, headers: &str) -> (u16, serde_json::Value) {
    let (status, text) = http::request(fixture.address(), method, path, body, &format!("{ADMIN}{headers}"));
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}")))
}

/// Uploads a script; its status and document.
fn upload(fixture: &Fixture, name: &str, script: &str) -> (u16, serde_json::Value) {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"{name}\"\r\n\r\n{script}\r\n--b--\r\n"
    );
    ask(fixture, "POST", "/jars/upload", &body, "Content-Type: multipart/form-data; boundary=b\r\n")
}

fn uploaded(fixture: &Fixture, script: &str) -> String {
    let (status, answer) = upload(fixture, "job.sql", script);
    assert_eq!((status, &answer["status"]), (200, &"success".into()), "{answer}");
    answer["filename"].as_str().and_then(|path| path.rsplit('/').next()).expect("a path").to_owned()
}

#[test]
fn a_script_is_uploaded_planned_run_and_removed() {
    let fixture = Fixture::new(&SECURED);
    let id = uploaded(&fixture, "name of the job");
    let (_, listed) = ask(&fixture, "GET", "/jars", "", "");
    assert_eq!((&listed["files"][0]["id"], &listed["files"][0]["name"]), (&id.as_str().into(), &"job.sql".into()));
    let (_, plan) = ask(&fixture, "GET", &format!("/jars/{id}/plan"), "", "");
    assert_eq!(plan["plan"]["name"], "name of the job");
    let (status, run) = ask(&fixture, "POST", &format!("/jars/{id}/run"), "{}", "");
    assert_eq!((status, run["jobid"].as_str()), (200, Some(format!("{:032x}", 7).as_str())));
    let (status, run) = ask(&fixture, "POST", &format!("/jars/{id}/run-application"), "", "");
    assert_eq!((status, run["applicationid"].as_str()), (202, Some(format!("{:032x}", 7).as_str())));
    assert_eq!(ask(&fixture, "DELETE", &format!("/jars/{id}"), "", "").0, 200);
    assert_eq!(ask(&fixture, "DELETE", &format!("/jars/{id}"), "", "").0, 404);
}

#[test]
fn what_a_script_is_run_with_comes_by_body_or_query() {
    let fixture = Fixture::new(&SECURED);
    let id = uploaded(&fixture, "options");
    let body = r#"{"parallelism": 3, "savepointPath": "/s", "allowNonRestoredState": true, "claimMode": "CLAIM",
                   "flinkConfiguration": {"pipeline.name": "p"}}"#;
    let query = "?parallelism=4&savepointPath=/q&allowNonRestoredState=false";
    for (query, body, expected) in [
        ("", body, ["parallelism.default=3", "recovery.path=/s", "unclaimed-state=true", "pipeline.name=p"]),
        (query, "", ["parallelism.default=4", "recovery.path=/q", "unclaimed-state=false", "[told]"]),
    ] {
        let (status, answer) = ask(&fixture, "POST", &format!("/jars/{id}/run{query}"), body, "");
        let said = answer["errors"][0].as_str().unwrap_or_default();
        assert!(status == 400 && expected.iter().all(|part| said.contains(part)), "{status} {answer}");
    }
    for body in [r#"{"programArgsList": ["x"]}"#, r#"{"entryClass": "a.B"}"#, r#"{"parallelism": "many"}"#, "["] {
        assert_eq!(ask(&fixture, "POST", &format!("/jars/{id}/run"), body, "").0, 400, "{body}");
    }
}

#[test]
fn scripts_are_taken_from_administrators_only_and_only_where_that_is_wanted() {
    let fixture = Fixture::new(&SECURED);
    for (token, status) in [("", 401), ("Authorization: Bearer middle\r\n", 403)] {
        assert_eq!(http::request(fixture.address(), "POST", "/jars/upload", "", token).0, status, "{token}");
        assert_eq!(http::request(fixture.address(), "POST", "/jobs", "", token).0, status, "{token}");
    }
    assert_eq!(upload(&fixture, "job.jar", "PK").0, 400);
    assert_eq!(upload(&fixture, "job.sql", &"x".repeat((1 << 20) + 1)).0, 400);
    let off = Fixture::new(&[SECURED[1]]);
    let (status, answer) = upload(&off, "job.sql", "x");
    assert!(status == 403 && answer["errors"][0].as_str().is_some_and(|text| text.contains("web.submit.enable")));
    let open = Fixture::new(&[SECURED[0]]);
    let (status, answer) = upload(&open, "job.sql", "x");
    assert!(status == 403 && answer["errors"][0].as_str().is_some_and(|text| text.contains("needs authentication")));
}

#[test]
fn a_plan_that_is_none_is_refused_and_one_runs() {
    let fixture = Fixture::new(&[]);
    let kind = "Content-Type: application/x-headwater-plan\r\n";
    for body in ["", "garbage", "\u{0}\u{1}\u{2}"] {
        let (status, answer) = http::request(fixture.address(), "POST", "/jobs", body, kind);
        assert!(status >= 400, "{answer}");
    }
    assert_eq!(http::request(fixture.address(), "POST", "/jobs", "{}", "").0, 501);
    let graph = JobGraph {
        name: "none".to_owned(),
        max_parallelism: 1,
        vertices: vec![],
        edges: vec![],
        config: Default::default(),
    };
    let plan = encode(&graph).expect("it can be encoded");
    let url = format!("http://{}/jobs", fixture.address());
    let client = reqwest::blocking::Client::new();
    let answer =
        client.post(url).header("Content-Type", "application/x-headwater-plan").body(plan).send().expect("it answers");
    assert_eq!(answer.status(), 202);
    let submitted: serde_json::Value = answer.json().expect("a document");
    let path = submitted["jobUrl"].as_str().expect("a path");
    assert_eq!(fixture.get(path)["name"], "none");
}

#[test]
fn nobody_submits_over_the_network_without_being_known() {
    let fixture = Fixture::elsewhere();
    let kind = "Content-Type: application/x-headwater-plan\r\n";
    let (status, answer) = http::request(fixture.address(), "POST", "/jobs", "x", kind);
    assert!(status == 403 && answer.contains("takes jobs with authentication only"), "{status} {answer}");
    assert_eq!(http::request(fixture.address(), "GET", "/jobs", "", "").0, 200);
}

#[test]
fn an_uploaded_plan_runs_as_often_as_it_is_asked_to() {
    let fixture = Fixture::new(&SECURED);
    let graph = JobGraph {
        name: "compiled".to_owned(),
        max_parallelism: 1,
        vertices: vec![],
        edges: vec![],
        config: Default::default(),
    };
    let plan = String::from_utf8(encode(&graph).expect("it can be encoded")).expect("plans are text");
    let (status, answer) = upload(&fixture, "job.plan", &plan);
    assert_eq!(status, 200, "{answer}");
    let id = answer["filename"].as_str().and_then(|path| path.rsplit('/').next()).expect("a path").to_owned();
    let (_, listed) = ask(&fixture, "GET", "/jars", "", "");
    assert_eq!(listed["files"][0]["entry"][0]["name"], "Job plan", "{listed}");
    let (_, shown) = ask(&fixture, "GET", &format!("/jars/{id}/plan"), "", "");
    assert_eq!(shown["plan"]["name"], "compiled", "{shown}");
    for (body, name) in [("", "compiled"), (r#"{"flinkConfiguration": {"pipeline.name": "other"}}"#, "other")] {
        let (status, run) = ask(&fixture, "POST", &format!("/jars/{id}/run"), body, "");
        assert_eq!(status, 200, "{run}");
        let job = run["jobid"].as_str().expect("an id");
        let (_, details) = ask(&fixture, "GET", &format!("/jobs/{job}"), "", "");
        assert_eq!(details["name"], name, "{details}");
    }
    let (status, answer) = ask(&fixture, "POST", &format!("/jars/{id}/run"), r#"{"parallelism": 2}"#, "");
    assert!(status == 400 && answer["errors"][0].as_str().is_some_and(|text| text.contains("has its parallelism")));
    assert_eq!(upload(&fixture, "job.plan", "HEADWATER-PLAN 1\n{").0, 400);
}
