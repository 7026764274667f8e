use super::breaker::Breaker;
use super::queue::Queue;
use super::spool::Spool;
use super::*;
use crate::transport::Failure;
use proptest::prelude::*;

fn message(number: u64, periodic: bool, bytes: usize) -> Message {
    Message { key: "run:n/j".to_owned(), json: vec![b'x'; bytes], periodic, number }
}

#[test]
fn a_full_queue_gives_periodic_events_up_first() {
    let queue = Queue::new(30);
    queue.push(message(1, false, 10));
    queue.push(message(2, true, 10));
    queue.push(message(3, true, 10));
    queue.push(message(4, false, 15));
    queue.push(message(5, false, 10));
    let left: Vec<u64> = std::iter::from_fn(|| queue.take(Duration::ZERO)).map(|m| m.number).collect();
    assert_eq!(left, [1, 4]);
    assert_eq!((queue.counters().emitted, queue.counters().dropped), (5, 3));
}

#[test]
fn the_breaker_opens_longer_each_time_and_closes_with_a_success() {
    let (first, longest) = (Duration::from_millis(10), Duration::from_millis(15));
    let mut breaker = Breaker::new(2, (first, longest));
    assert!(!breaker.failed(0) && breaker.allows(0));
    assert!(breaker.failed(0));
    assert!(!breaker.allows(9) && breaker.allows(10));
    assert!(!breaker.failed(10) && !breaker.allows(24) && breaker.allows(25));
    breaker.succeeded();
    assert!(breaker.allows(0) && !breaker.is_open());
}

#[test]
fn the_spool_survives_the_process_and_keeps_what_does_not_repeat() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(directory.path().join("s"), 60, 1);
    for (number, periodic) in [(1, false), (2, true), (3, false)] {
        assert_eq!(spool.push(&message(number, periodic, 20), 5).unwrap(), Some(u64::from(number == 3)), "{number}");
    }
    assert_eq!(spool.push(&message(4, true, 20), 6).unwrap(), None);
    std::fs::write(directory.path().join("s/zzz-broken-e.json"), "").unwrap();
    let mut again = Spool::new(directory.path().join("s"), 60, 2);
    let mut left = vec![];
    while let Some((name, message)) = again.oldest() {
        left.push(message.number);
        again.remove(&name);
    }
    assert_eq!(left, [1, 3]);
}

/// Fails as often as it was told to.
struct Flaky {
    failures: Arc<AtomicU64>,
    taken: Arc<std::sync::Mutex<Vec<u64>>>,
}

impl Transport for Flaky {
    fn send(&mut self, message: &Message, _: Duration) -> Result<(), Failure> {
        let failed = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if failed {
            return Err(Failure::retryable("not now"));
        }
        self.taken.lock().unwrap().push(message.number);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever fails in between, everything arrives once and in order, as long as there is room.
    #[test]
    fn nothing_is_lost_or_reordered(failures in 0u64..12, events in 1u64..20, spools: bool) {
        let directory = tempfile::tempdir().unwrap();
        let failing = Arc::new(AtomicU64::new(failures));
        let taken = Arc::new(std::sync::Mutex::new(vec![]));
        let limits = Limits {
            spool: spools.then(|| directory.path().to_owned()),
            attempts: if spools { 2 } else { 20 },
            pause: Duration::from_micros(10),
            open: (Duration::from_millis(1), Duration::from_millis(2)),
            ..Limits::default()
        };
        let transport = Flaky { failures: failing, taken: taken.clone() };
        let client = Client::with(Box::new(transport), limits, &Env::real()).unwrap();
        for number in 1..=events {
            client.queue.push(message(number, false, 10));
        }
        while client.counters().sent < events {
            std::thread::yield_now();
        }
        drop(client);
        prop_assert_eq!(&*taken.lock().unwrap(), &(1..=events).collect::<Vec<_>>());
    }
}
