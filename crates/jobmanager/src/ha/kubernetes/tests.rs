//! Against an API server that refuses what the real one refuses, and misbehaves as networks do.

use super::super::election::Leadership;
use super::super::options::{ElectedBy, HaOptions};
use super::*;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use headwater_env::{MemoryStorage, StorageProvider};
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use tokio::sync::oneshot;

/// What an API server knows, and how it behaves.
#[derive(Default)]
struct Served {
    lease: Option<Value>,
    /// What was there before the last write.
    before: Option<Value>,
    version: u64,
    writes: Vec<(u64, String)>,
    /// Answers to writes are lost, after these were done.
    loses_answers: u32,
    /// Reads see what was there before the last write.
    lags: bool,
    is_down: bool,
}

type Shared = Arc<Mutex<Served>>;
type Answer = (StatusCode, Json<Value>);

fn of(shared: &Shared) -> MutexGuard<'_, Served> {
    shared.lock().unwrap()
}

fn refuse(status: StatusCode, message: &str) -> Answer {
    (status, Json(json!({"kind": "Status", "message": message})))
}

/// What every request has to bring.
fn admitted(headers: &HeaderMap, served: &Served) -> Result<(), Answer> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    match (served.is_down, token) {
        (true, _) => Err(refuse(StatusCode::SERVICE_UNAVAILABLE, "etcd is gone")),
        (false, Some("Bearer fresh")) => Ok(()),
        (false, _) => Err(refuse(StatusCode::UNAUTHORIZED, "Unauthorized")),
    }
}

/// What the real one checks of a Lease.
fn check(lease: &Value) -> Result<(), Answer> {
    let micro = |field: &str| {
        let text = lease["spec"][field].as_str().unwrap_or_default();
        text.len() == 27 && text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
    };
    let positive = lease["spec"]["leaseDurationSeconds"].as_i64().is_some_and(|seconds| seconds > 0);
    let transitions = lease["spec"]["leaseTransitions"].as_i64().is_some_and(|count| count >= 0);
    match micro("renewTime") && micro("acquireTime") && positive && transitions && lease["kind"] == "Lease" {
        true => Ok(()),
        false => Err(refuse(StatusCode::UNPROCESSABLE_ENTITY, "Lease is invalid")),
    }
}

impl Served {
    fn store(&mut self, mut lease: Value) -> Answer {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned();
        self.writes.push((lease["spec"]["leaseTransitions"].as_u64().unwrap(), holder));
        self.before = self.lease.replace(lease.clone());
        if self.loses_answers > 0 {
            self.loses_answers -= 1;
            return refuse(StatusCode::GATEWAY_TIMEOUT, "the answer was lost");
        }
        (StatusCode::OK, Json(lease))
    }
}

async fn read(State(shared): State<Shared>, headers: HeaderMap, Path((_, name)): Path<(String, String)>) -> Answer {
    let served = of(&shared);
    if let Err(refused) = admitted(&headers, &served) {
        return refused;
    }
    let seen = if served.lags { &served.before } else { &served.lease };
    match seen.as_ref().filter(|lease| lease["metadata"]["name"] == name) {
        Some(lease) => (StatusCode::OK, Json(lease.clone())),
        None => refuse(StatusCode::NOT_FOUND, "leases.coordination.k8s.io not found"),
    }
}

async fn create(State(shared): State<Shared>, headers: HeaderMap, Json(lease): Json<Value>) -> Answer {
    let mut served = of(&shared);
    if let Err(refused) = admitted(&headers, &served).and_then(|()| check(&lease)) {
        return refused;
    }
    if served.lease.is_some() {
        return refuse(StatusCode::CONFLICT, "leases.coordination.k8s.io already exists");
    }
    served.store(lease)
}

async fn replace(State(shared): State<Shared>, headers: HeaderMap, Json(lease): Json<Value>) -> Answer {
    let mut served = of(&shared);
    if let Err(refused) = admitted(&headers, &served).and_then(|()| check(&lease)) {
        return refused;
    }
    let there = served.lease.as_ref().map(|there| there["metadata"]["resourceVersion"].clone());
    match there {
        None => refuse(StatusCode::NOT_FOUND, "leases.coordination.k8s.io not found"),
        Some(version) if version != lease["metadata"]["resourceVersion"] => {
            refuse(StatusCode::CONFLICT, "the object has been modified")
        }
        Some(_) => served.store(lease),
    }
}

/// A cluster of Kubernetes with storage beside it. Ends when dropped.
struct Cluster {
    shared: Shared,
    storage: Arc<MemoryStorage>,
    directory: tempfile::TempDir,
    server: String,
    _stop: oneshot::Sender<()>,
}

impl Cluster {
    fn new() -> Self {
        let shared = Shared::default();
        let leases = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases";
        let router = Router::new()
            .route(leases, post(create))
            .route(&format!("{leases}/{{name}}"), get(read).put(replace))
            .with_state(shared.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let ended = async { drop(stopped.await) };
                axum::serve(listener, router).with_graceful_shutdown(ended).await.unwrap();
            });
        });
        let directory = tempfile::tempdir().unwrap();
        let cluster = Self { shared, storage: Arc::new(MemoryStorage::new()), directory, server, _stop: stop };
        cluster.put_token("fresh");
        cluster
    }

    fn put_token(&self, token: &str) {
        std::fs::write(self.directory.path().join("token"), format!("{token}\n")).unwrap();
    }

    fn options(&self) -> KubernetesOptions {
        let mut config = Configuration::new();
        config.set("headwater.kubernetes.api-server", &self.server);
        config.set("headwater.kubernetes.service-account-dir", self.directory.path().to_str().unwrap());
        KubernetesOptions::from_config(&config, "c", Duration::from_secs(10)).unwrap()
    }

    fn lease(&self) -> KubernetesLease {
        let fence = StorageLease::new(self.storage.clone());
        KubernetesLease::new(&self.options(), fence, Env::real(), 15).unwrap()
    }

    fn shared(&self) -> HaOptions {
        let (lease_duration, retry_period) = (Duration::from_millis(400), Duration::from_millis(10));
        HaOptions {
            uri: "memory://c".to_owned(),
            storage: self.storage.clone(),
            elected_by: ElectedBy::Kubernetes(self.options()),
            lease_duration,
            renew_deadline: lease_duration,
            retry_period,
        }
    }

    /// The term that storage knows.
    fn begun(&self) -> u64 {
        StorageLease::new(self.storage.clone()).generation().unwrap()
    }
}

fn candidate(name: &str) -> Candidate {
    Candidate { name: name.to_owned(), address: format!("{name}:6123"), rest: Some(format!("{name}:8081")) }
}

#[test]
fn of_several_candidates_one_leads_and_storage_knows_its_term() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.lease(), cluster.lease());
    assert_eq!(a.look().unwrap(), None);
    assert!(a.acquire(1, &candidate("a")).unwrap());
    assert!(!b.acquire(1, &candidate("b")).unwrap());
    let holder = b.look().unwrap().unwrap();
    assert_eq!((holder.generation, holder.address.as_str(), holder.rest.as_deref()), (1, "a:6123", Some("a:8081")));
    assert_eq!(cluster.begun(), 1);
    assert!(a.renew(1, 1).unwrap());
    assert_ne!(b.look().unwrap().unwrap().beat, holder.beat, "a renewal is seen");
    assert!(b.acquire(2, &candidate("b")).unwrap());
    assert!(!a.renew(1, 2).unwrap(), "it was replaced");
    assert!(b.renew(2, 1).unwrap());
    b.release(2).unwrap();
    assert_eq!(a.look().unwrap().unwrap().beat, None, "nobody has to wait");
    let document = of(&cluster.shared).lease.clone().unwrap();
    assert_eq!(
        (document["metadata"]["name"].as_str(), document["spec"]["leaseTransitions"].as_u64()),
        (Some("c-leader"), Some(2))
    );
}

#[test]
fn answers_that_are_lost_or_late_make_no_second_leader() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.lease(), cluster.lease());
    of(&cluster.shared).loses_answers = 1;
    assert!(a.acquire(1, &candidate("a")).unwrap(), "what counts is what is there");
    of(&cluster.shared).loses_answers = 1;
    assert_eq!(a.renew(1, 1).unwrap_err().kind(), ErrorKind::Retryable);
    assert!(a.renew(1, 2).unwrap());
    assert!(b.acquire(2, &candidate("b")).unwrap());
    of(&cluster.shared).lags = true;
    assert_eq!(a.renew(1, 3).unwrap_err().code(), "lease-changed", "it reads what was, and its write comes too late");
    assert!(!a.acquire(3, &candidate("a")).unwrap(), "the same");
    of(&cluster.shared).lags = false;
    assert!(!a.renew(1, 4).unwrap());
    assert_eq!(cluster.begun(), 2);
}

#[test]
fn a_lease_that_is_deleted_begins_no_term_again() {
    let cluster = Cluster::new();
    let (a, b) = (cluster.lease(), cluster.lease());
    assert!(a.acquire(1, &candidate("a")).unwrap() && a.acquire(2, &candidate("a")).unwrap());
    of(&cluster.shared).lease = None;
    assert!(!a.renew(2, 1).unwrap());
    let found = b.look().unwrap().unwrap();
    assert_eq!((found.generation, found.beat), (2, None), "whoever comes begins a later term");
    assert!(!b.acquire(1, &candidate("b")).unwrap(), "storage has seen that one");
    assert!(b.acquire(3, &candidate("b")).unwrap());
    assert_eq!(cluster.begun(), 3);
}

#[test]
fn what_others_write_into_the_lease_stays_and_tokens_are_read_again() {
    let cluster = Cluster::new();
    let lease = cluster.lease();
    assert!(lease.acquire(1, &candidate("a")).unwrap());
    {
        let mut served = of(&cluster.shared);
        let mut labelled = served.lease.clone().unwrap();
        labelled["metadata"]["labels"] = json!({"team": "streams"});
        assert_eq!(served.store(labelled).0, StatusCode::OK);
    }
    assert!(lease.renew(1, 1).unwrap());
    assert_eq!(of(&cluster.shared).lease.as_ref().unwrap()["metadata"]["labels"]["team"], "streams");
    cluster.put_token("stale");
    let error = lease.renew(1, 2).unwrap_err();
    assert_eq!(error.code(), "kubernetes-refused");
    assert!(error.message().contains("'get', 'create' and 'update' of 'leases'"), "{error}");
    assert!(!error.to_string().contains("stale"), "{error}");
    cluster.put_token("fresh");
    assert!(lease.renew(1, 2).unwrap());
}

/// Leads with this name until it is dropped, or loses the lease: then it says why.
fn win(shared: &HaOptions, name: &str) -> (Leadership, Receiver<Error>) {
    let (_stop, stopped): (SyncSender<()>, _) = sync_channel(1);
    let (lost, told) = sync_channel(1);
    let tell = move |error| drop(lost.try_send(error));
    let won = Leadership::win(shared, &Env::real(), &candidate(name), &stopped, tell);
    (won.unwrap().expect("nobody stops it"), told)
}

#[test]
fn leadership_passes_on_when_a_leader_ends_and_when_it_is_cut_off() {
    let cluster = Cluster::new();
    let shared = cluster.shared();
    let (first, _) = win(&shared, "a");
    assert_eq!(first.generation(), 1);
    drop(first);
    let (second, told) = win(&shared, "b");
    assert_eq!((second.generation(), cluster.begun()), (2, 2));
    of(&cluster.shared).is_down = true;
    let lost = told.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(lost.message().contains("the lease expired"), "{lost}");
    of(&cluster.shared).is_down = false;
    let (third, _) = win(&shared, "c");
    assert_eq!(third.generation(), 3, "after so long without a sign of life");
    assert_eq!(third.lease().generation().unwrap(), 3, "what a leader does is fenced by storage");
}

#[test]
fn among_many_candidates_no_term_has_two_leaders() {
    let cluster = Cluster::new();
    let shared = cluster.shared();
    let terms: Vec<u64> = std::thread::scope(|scope| {
        let contend = |name: String| {
            let shared = &shared;
            move || -> Vec<u64> { (0..4).map(|round| win(shared, &format!("{name}-{round}")).0.generation()).collect() }
        };
        let running: Vec<_> = ["a", "b", "c"].map(|name| scope.spawn(contend(name.to_owned()))).into_iter().collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut distinct = terms.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((distinct.len(), terms.len()), (12, 12), "{terms:?}");
    let writes = std::mem::take(&mut of(&cluster.shared).writes);
    let mut holders = std::collections::BTreeMap::new();
    for (term, holder) in writes.into_iter().filter(|(_, holder)| !holder.is_empty()) {
        assert_eq!(*holders.entry(term).or_insert_with(|| holder.clone()), holder, "in term {term}");
    }
}

fn cluster_of(options: &HaOptions) -> KubernetesOptions {
    match &options.elected_by {
        ElectedBy::Kubernetes(found) => found.clone(),
        ElectedBy::Storage => panic!("Kubernetes elects"),
    }
}

struct Memory;

impl StorageProvider for Memory {
    fn open(&self, _uri: &str, _config: &Configuration) -> headwater_types::Result<Arc<dyn headwater_env::Storage>> {
        Ok(Arc::new(MemoryStorage::new()))
    }
}

#[test]
fn options_are_those_of_flink_and_of_the_pod() {
    let directory = tempfile::tempdir().unwrap();
    let account = directory.path().to_str().unwrap();
    let base = [
        ("high-availability.type", "kubernetes"),
        ("high-availability.storageDir", "s3://b/ha"),
        ("headwater.kubernetes.api-server", "https://api:6443/"),
        ("headwater.kubernetes.service-account-dir", account),
    ];
    let read = |more: &[(&str, &str)]| {
        let mut config = Configuration::new();
        base.iter().chain(more).for_each(|(key, value)| config.set(*key, *value));
        HaOptions::from_config(&config, &Memory).map(|options| options.expect("it is on"))
    };
    let options = read(&[]).unwrap();
    let times = [options.lease_duration, options.renew_deadline, options.retry_period].map(|time| time.as_secs());
    assert_eq!(times, [15, 15, 5]);
    let named = |options: &HaOptions| {
        let found = cluster_of(options);
        (found.namespace, found.lease)
    };
    assert_eq!(named(&options), ("default".to_owned(), "default-leader".to_owned()));
    std::fs::write(directory.path().join("namespace"), "streams\n").unwrap();
    assert_eq!(
        named(&read(&[("kubernetes.cluster-id", "prod")]).unwrap()),
        ("streams".to_owned(), "prod-leader".to_owned())
    );
    assert_eq!(named(&read(&[("kubernetes.namespace", "other")]).unwrap()).0, "other");
    let mut nowhere = cluster_of(&options);
    nowhere.server = None;
    let fence = StorageLease::new(Arc::new(MemoryStorage::new()));
    let error = KubernetesLease::new(&nowhere, fence, Env::real(), 15).err().unwrap();
    assert!(error.message().contains("this process is in no pod"), "{error}");
    for (key, value, says) in [
        ("high-availability.kubernetes.leader-election.renew-deadline", "20 s", "must not be longer than"),
        ("high-availability.kubernetes.leader-election.retry-period", "8 s", "at most half"),
        ("kubernetes.cluster-id", "My Cluster", "lower-case letters"),
        ("kubernetes.namespace", "a/b", "lower-case letters"),
    ] {
        let message = read(&[(key, value)]).err().expect(value).message().to_owned();
        assert!(message.contains(says) && message.contains(key), "{message}");
    }
}
