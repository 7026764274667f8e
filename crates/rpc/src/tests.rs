//! Peers that misbehave.

use crate::job_manager::Client;
use crate::wire::{Downward, Upward, decode, encode};
use crate::{Submitters, serve};
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::{ClientAnswer, ClientRequest, Handle, JobManager, Options, TaskManagerInfo};
use headwater_transport::messages::{MessageListener, MessageReader, MessageWriter, dial};
use headwater_transport::{Identity, Liveness, is_probe};
use headwater_types::config::Configuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A JobManager that expects heartbeats often, and where it is.
fn job_manager() -> (JobManager, String, Identity) {
    let options = Options {
        env: Env::real(),
        registry: Registry::new(),
        config: Configuration::new(),
        storage: Arc::new(headwater_storage::Provider),
        records: None,
    };
    let manager = options.start().unwrap();
    let liveness = Liveness { interval: Duration::from_millis(20), timeout: Duration::from_millis(200) };
    let identity = Identity { liveness, ..Identity::new("test", "test") };
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let listener = MessageListener::bind(loopback, identity.clone(), &tokio::runtime::Handle::current()).unwrap();
    let (address, handle) = (listener.address().unwrap().to_string(), manager.handle());
    tokio::spawn(async move { serve(&listener, handle, 7, Submitters::Known).await });
    (manager, address, identity)
}

/// A TaskManager that has registered and leaves everything else to the test.
async fn registered(address: &str, identity: &Identity) -> (MessageReader, MessageWriter) {
    let (mut reader, writer) = dial(address, identity).await.unwrap();
    let info = TaskManagerInfo { id: "odd".to_owned(), ..TaskManagerInfo::in_process() };
    writer.send(encode(&Upward::Register(info)).unwrap()).unwrap();
    let welcome = decode(&reader.next().await.unwrap().unwrap()).unwrap();
    assert!(matches!(welcome, Downward::Welcome { generation: 7 }));
    (reader, writer)
}

async fn members(manager: &Handle) -> usize {
    let manager = manager.clone();
    tokio::task::spawn_blocking(move || manager.task_managers().unwrap().len()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_manager_that_answers_no_heartbeats_is_lost_though_its_connection_lives() {
    let (manager, address, identity) = job_manager();
    let (mut reader, _writer) = registered(&address, &identity).await;
    let mut heartbeats = 0;
    while let Ok(Some(bytes)) = reader.next().await {
        heartbeats += usize::from(matches!(decode(&bytes).unwrap(), Downward::Heartbeat(_)));
    }
    assert!(heartbeats >= 10, "{heartbeats} heartbeats make up the timeout");
    assert_eq!(members(&manager.handle()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_answers_them_stays_and_one_that_leaves_may_go() {
    let (manager, address, identity) = job_manager();
    let (mut reader, writer) = registered(&address, &identity).await;
    let mut heartbeats = 0;
    while let Ok(Some(bytes)) = reader.next().await {
        let number = match decode(&bytes).unwrap() {
            Downward::Heartbeat(number) => number,
            Downward::Command(_) => continue,
            _ => panic!("nobody else has anything to say"),
        };
        heartbeats += 1;
        writer.send(encode(&Upward::Heartbeat(number)).unwrap()).unwrap();
        if heartbeats == 30 {
            assert_eq!(members(&manager.handle()).await, 1, "three times the timeout has passed");
            writer.send(encode(&Upward::Leave).unwrap()).unwrap();
        }
        assert!(heartbeats < 1_000, "it was not let go");
    }
    assert_eq!(members(&manager.handle()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_another_host_may_ask_and_not_submit() {
    let (manager, _, identity) = job_manager();
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let listener = MessageListener::bind(loopback, identity.clone(), &tokio::runtime::Handle::current()).unwrap();
    let (address, manager) = (listener.address().unwrap().to_string(), manager.handle());
    tokio::spawn(async move {
        let caller = listener.accept().await.unwrap();
        assert!(caller.is_known(), "loopback");
        let (mut reader, writer) = caller.greet().await.unwrap();
        let first = decode(&reader.next().await.unwrap().unwrap()).unwrap();
        let Upward::Ask { number, request } = first else { panic!("it asks") };
        Client { reader, writer, manager, may_submit: false }.answer_all(number, request).await.unwrap();
    });
    let (mut reader, writer) = dial(&address, &identity).await.unwrap();
    let mut answers = vec![];
    for (number, request) in [(1, ClientRequest::Submit(vec![])), (2, ClientRequest::TaskManagers)] {
        writer.send(encode(&Upward::Ask { number, request }).unwrap()).unwrap();
        answers.push(decode::<Downward>(&reader.next().await.unwrap().unwrap()).unwrap());
    }
    let [Downward::Answer { number: 1, answer: first }, Downward::Answer { number: 2, answer: second }] = &answers[..]
    else {
        panic!("both are answered")
    };
    assert!(matches!(first, ClientAnswer::Submitted(Err(error)) if error.code() == "submission-refused"));
    assert!(matches!(second, ClientAnswer::TaskManagers(found) if found.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_whether_somebody_listens_is_no_news() {
    let (_, _, identity) = job_manager();
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let listener = MessageListener::bind(loopback, identity, &tokio::runtime::Handle::current()).unwrap();
    drop(std::net::TcpStream::connect(listener.address().unwrap()).unwrap());
    let error = listener.accept().await.unwrap().greet().await.err().unwrap();
    assert!(is_probe(&error), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_ends_the_connection_and_nothing_else() {
    let (manager, address, identity) = job_manager();
    for bytes in [vec![], vec![255; 64], encode(&Upward::Heartbeat(1)).unwrap()] {
        let (mut reader, writer) = dial(&address, &identity).await.unwrap();
        writer.send(bytes).unwrap();
        assert!(!matches!(reader.next().await, Ok(Some(_))));
    }
    let (_reader, _writer) = registered(&address, &identity).await;
    assert_eq!(members(&manager.handle()).await, 1);
}

/// Messages that are begun well, and bytes that are none.
fn messages() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        encode(&Upward::Register(TaskManagerInfo::in_process())).unwrap(),
        encode(&Upward::Heartbeat(7)).unwrap(),
        encode(&Upward::Leave).unwrap(),
        encode(&Upward::Ask { number: 1, request: ClientRequest::TaskManagers }).unwrap(),
        encode(&Upward::Ask { number: 2, request: ClientRequest::Submit(vec![1, 2, 3]) }).unwrap(),
    ];
    let begun = (select(known.to_vec()), any::<Index>(), vec(any::<u8>(), 0..40));
    let damaged = begun.prop_map(|(message, at, tail)| [&message[..at.index(message.len() + 1)], &tail].concat());
    prop_oneof![3 => damaged, 1 => vec(any::<u8>(), 0..200)]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_members_say_is_read_or_refused() {
    let (manager, address, identity) = job_manager();
    let mut runner = TestRunner::new(Config { cases: 1, ..Config::default() });
    for _ in 0..200 {
        let said = vec(messages(), 1..4).new_tree(&mut runner).unwrap().current();
        let (mut reader, writer) = dial(&address, &identity).await.unwrap();
        for message in said {
            drop((decode::<Upward>(&message), decode::<Downward>(&message)));
            let _ = writer.send(message);
        }
        drop(writer);
        while let Ok(Some(_)) = reader.next().await {}
    }
    let (_reader, _writer) = registered(&address, &identity).await;
    let handle = manager.handle();
    let named = |name: &str| handle.task_managers().unwrap().iter().any(|found| found.info.id == name);
    assert!(tokio::task::block_in_place(|| named("odd")), "others are served");
}
