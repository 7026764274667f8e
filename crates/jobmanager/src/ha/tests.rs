//! One leader at a time, whatever the others think; records that the next one finds.

use super::lease::StorageLease;
use super::*;
use crate::archive::EndedJob;
use crate::overview::{Attempt, Failure, JobDetails, JobSummary, Place};
use crate::state::{JobResult, JobState, JobStatus, TaskState};
use headwater_checkpoint::Statistics;
use headwater_env::{Env, MemoryStorage, Storage, StorageProvider};
use headwater_plan::JobGraph;
use headwater_runtime::testing::{GraphBuilder, sink, source};
use headwater_types::config::Configuration;
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use headwater_types::{Error, ErrorKind};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

fn candidate(name: &str) -> Candidate {
    Candidate { name: name.to_owned(), address: format!("{name}:6123"), rest: None }
}

fn options(storage: &Arc<MemoryStorage>) -> HaOptions {
    let (lease_duration, retry_period) = (Duration::from_millis(200), Duration::from_millis(5));
    HaOptions {
        uri: "memory://c".to_owned(),
        storage: storage.clone(),
        elected_by: ElectedBy::Storage,
        lease_duration,
        renew_deadline: lease_duration,
        retry_period,
    }
}

#[test]
fn of_two_contenders_for_a_generation_one_wins() {
    let lease = StorageLease::new(Arc::new(MemoryStorage::new()));
    assert_eq!(lease.look().unwrap(), None);
    assert!(lease.acquire(1, &candidate("a")).unwrap());
    assert!(lease.acquire(1, &candidate("a")).unwrap(), "the answer to the first attempt got lost");
    assert!(!lease.acquire(1, &candidate("b")).unwrap());
    let holder = lease.look().unwrap().unwrap();
    assert_eq!((holder.generation, holder.address.as_str(), holder.beat), (1, "a:6123", Some(0)));
    assert!(lease.renew(1, 1).unwrap());
    assert!(lease.acquire(2, &candidate("b")).unwrap());
    assert!(!lease.renew(1, 2).unwrap(), "a later generation deposes");
    assert!(!lease.acquire(1, &candidate("c")).unwrap(), "its object is gone, and a higher one is there");
    assert_eq!(lease.look().unwrap().unwrap().address, "b:6123");
}

#[test]
fn a_silent_leader_is_replaced_and_one_that_gave_up_at_once() {
    let mut election = Election::default();
    let holder = |generation, beat| Holder { generation, address: String::new(), rest: None, beat };
    let looks = [
        (None, 0, Step::Contend(1)),
        (Some(holder(1, Some(1))), 10, Step::Wait),
        (Some(holder(1, Some(1))), 109, Step::Wait),
        (Some(holder(1, Some(2))), 111, Step::Wait),
        (Some(holder(1, Some(2))), 210, Step::Wait),
        (Some(holder(2, Some(2))), 211, Step::Wait),
        (Some(holder(2, Some(2))), 311, Step::Contend(3)),
        (Some(holder(3, None)), 312, Step::Contend(4)),
    ];
    for (holder, now_ms, step) in looks {
        assert_eq!(election.observed(holder.as_ref(), now_ms, 100), step, "{now_ms}");
    }
}

#[test]
fn leadership_passes_on_and_its_loss_is_told() {
    let storage = Arc::new(MemoryStorage::new());
    let (options, env) = (options(&storage), Env::real());
    let (_stop, stopped) = sync_channel(1);
    let win = |name: &str| {
        let (lost, told) = sync_channel::<Error>(1);
        let told_lost = move |error| drop(lost.try_send(error));
        (Leadership::win(&options, &env, &candidate(name), &stopped, told_lost).unwrap().unwrap(), told)
    };
    let (first, _) = win("a");
    assert_eq!(first.generation(), 1);
    drop(first);
    let (second, told) = win("b");
    assert_eq!(second.generation(), 2, "the lease was given up, nobody waits for it to expire");
    assert!(options.lease().acquire(3, &candidate("c")).unwrap());
    assert_eq!(told.recv_timeout(Duration::from_secs(60)).unwrap().kind(), ErrorKind::Fenced);
}

/// Storage, and the records of a term in it.
fn term(storage: &Arc<MemoryStorage>, generation: u64) -> Records {
    let lease = Arc::new(StorageLease::new(storage.clone()));
    assert!(lease.acquire(generation, &candidate("x")).unwrap());
    Records::of(storage.clone(), lease, generation)
}

fn graph() -> JobGraph {
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[]), sink(&[])]);
    graph.build()
}

/// A job that restarted once and then failed.
fn ended() -> EndedJob {
    let (job, subtask) = (JobId(3), SubtaskId { vertex: VertexId(0), index: 0 });
    let error = || Error::user("test", "why");
    let states = VecDeque::from([(JobState::Created, 5), (JobState::Running, 6), (JobState::Failed, 9)]);
    let attempt = Attempt { number: 1, states: vec![(TaskState::Running, 7), (TaskState::Failed, 8)] };
    let graph = Arc::new(graph());
    let place = Place { task_manager: "tm".to_owned(), endpoint: "host:1".to_owned() };
    EndedJob {
        details: JobDetails {
            summary: JobSummary {
                job,
                graph,
                state: JobState::Failed,
                started_ms: 5,
                ended_ms: Some(9),
                changed_ms: 9,
                tasks: vec![TaskState::Failed],
            },
            states,
            subtasks: BTreeMap::from([(subtask, VecDeque::from([attempt]))]),
            failures: VecDeque::from([Failure {
                at_ms: 8,
                error: error(),
                subtask: Some(subtask),
                place: Some(place),
            }]),
            failures_truncated: false,
            root_cause: Some(error()),
            parts: BTreeMap::new(),
            places: BTreeMap::new(),
        },
        status: JobStatus {
            job,
            name: "toy".to_owned(),
            state: JobState::Failed,
            tasks: BTreeMap::from([(subtask, TaskState::Failed)]),
            restarts: 1,
            restart_cause: Some(error()),
            restart_delay_ms: 0,
            waits_for: None,
        },
        statistics: Statistics::default(),
        rescales: vec![],
        result: JobResult {
            job,
            name: "toy".to_owned(),
            state: JobState::Failed,
            error: Some(error()),
            operators: vec![],
        },
    }
}

fn latest(checkpoint: u64) -> Latest {
    Latest { checkpoint, path: format!("chk-{checkpoint}"), places: vec![(0, "a".to_owned())] }
}

#[test]
fn the_next_leader_finds_jobs_and_their_last_checkpoints() {
    let storage = Arc::new(MemoryStorage::new());
    let first = term(&storage, 1);
    for job in 1..=3 {
        first.accept(JobId(job), "toy", &headwater_plan::encode(&graph()).unwrap(), 5).unwrap();
    }
    first.completed(JobId(1), &latest(3)).unwrap();
    first.completed(JobId(1), &latest(4)).unwrap();
    first.ended(JobId(3), &ended().archive()).unwrap();
    let second = term(&storage, 2);
    let (jobs, ended) = second.read().unwrap();
    let found: Vec<_> = jobs.iter().map(|record| (record.job.0, record.latest.clone())).collect();
    assert_eq!(found, [(1, Some(latest(4))), (2, None)]);
    assert_eq!((ended, jobs[0].submitted_ms), (vec![JobId(3)], 5));
    let (archive, plan) = second.read_ended(JobId(3)).unwrap();
    let found = archive.open(JobId(3), headwater_plan::decode(&plan).unwrap());
    assert_eq!(format!("{found:?}"), format!("{:?}", self::ended()));
    let names: Vec<String> = storage.list("jobs/").unwrap().into_iter().map(|object| object.path).collect();
    assert!(!names.iter().any(|name| name.contains(&format!("{:032x}/job", 3))), "{names:?}");
    storage.put(&format!("jobs/{:032x}/ended", 3), b"not JSON").unwrap();
    assert!(second.read_ended(JobId(3)).is_none(), "what is damaged is left out");
}

#[test]
fn a_deposed_leader_is_told_so_and_what_it_writes_is_not_looked_at() {
    let storage = Arc::new(MemoryStorage::new());
    let first = term(&storage, 1);
    first.accept(JobId(1), "job", &[7], 5).unwrap();
    first.completed(JobId(1), &latest(3)).unwrap();
    let second = term(&storage, 2);
    second.completed(JobId(1), &latest(4)).unwrap();
    let error = first.completed(JobId(1), &latest(9)).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Fenced, "jobmanager-deposed"));
    assert_eq!(first.accept(JobId(2), "job", &[7], 5).unwrap_err().kind(), ErrorKind::Fenced);
    assert_eq!(second.read().unwrap().0[0].latest, Some(latest(4)));
}

#[test]
fn what_a_deposed_leader_records_late_is_not_what_a_third_leader_starts_from() {
    let storage = Arc::new(MemoryStorage::new());
    let first = term(&storage, 1);
    for job in 1..=2 {
        first.accept(JobId(job), "job", &[7], 5).unwrap();
    }
    first.completed(JobId(1), &latest(3)).unwrap();
    let starts = |records: &Records| -> Vec<Option<Latest>> {
        records.read().unwrap().0.into_iter().map(|record| record.latest).collect()
    };
    let second = term(&storage, 2);
    assert_eq!(starts(&second), [Some(latest(3)), None]);
    // The second leader's tasks run from there when the first one, which does not know it yet, stores checkpoints.
    for job in 1..=2 {
        assert_eq!(first.completed(JobId(job), &latest(4)).unwrap_err().kind(), ErrorKind::Fenced);
    }
    let third = term(&storage, 3);
    assert_eq!(starts(&third), [Some(latest(3)), None]);
    third.completed(JobId(2), &latest(1)).unwrap();
    assert_eq!(starts(&third), [Some(latest(3)), Some(latest(1))], "reading again changes nothing");
    assert_eq!(second.read().unwrap_err().kind(), ErrorKind::Fenced, "who is deposed starts nothing");
}

#[test]
fn options_are_checked() {
    struct Memory;
    impl StorageProvider for Memory {
        fn open(&self, _uri: &str, _config: &Configuration) -> headwater_types::Result<Arc<dyn Storage>> {
            Ok(Arc::new(MemoryStorage::new()))
        }
    }
    let read = |settings: &[(&str, &str)]| {
        let mut config = Configuration::new();
        settings.iter().for_each(|(key, value)| config.set(*key, *value));
        HaOptions::from_config(&config, &Memory).map(|options| options.map(|options| options.uri))
    };
    assert_eq!(read(&[]).unwrap(), None);
    let on = ("high-availability.type", "storage");
    let directory = ("high-availability.storageDir", "s3://b/ha");
    assert_eq!(read(&[on, directory]).unwrap().unwrap(), "s3://b/ha/default");
    assert!(read(&[on]).unwrap_err().message().contains("high-availability.storageDir"));
    assert!(read(&[("high-availability.type", "zookeeper"), directory]).unwrap_err().message().contains("'zookeeper'"));
    let slow = ("high-availability.retry-period", "2 s");
    assert!(read(&[on, directory, slow]).unwrap_err().message().contains("at most half"));
}
