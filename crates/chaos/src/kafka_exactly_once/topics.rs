//! The topics of the experiment, and reading them whole.

use anyhow::{Context, Result};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::time::Duration;

/// What the job reads.
pub const EVENTS: &str = "events";
/// Results of windows.
pub const WINDOWED: &str = "windowed";
/// Changes of totals.
pub const TOTALS: &str = "totals";
/// Partitions of each topic.
pub const PARTITIONS: i32 = 3;

const TIMEOUT: Duration = Duration::from_secs(20);
/// After how long without records a reader stops for now.
const QUIET: Duration = Duration::from_millis(700);

/// Creates the topics.
pub fn create(bootstrap: &str) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = client(bootstrap).create()?;
    let names = [EVENTS, WINDOWED, TOTALS];
    let topics: Vec<_> = names.iter().map(|name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1))).collect();
    let created = admin.create_topics(&topics, &AdminOptions::new().operation_timeout(Some(TIMEOUT)));
    for result in block_on(created)? {
        result.map_err(|(topic, error)| anyhow::anyhow!("the topic {topic} was not created: {error}"))?;
    }
    Ok(())
}

/// Settings of every client.
pub fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

/// Reads on where it stopped: committed records only.
pub struct Reader {
    consumer: BaseConsumer,
}

impl Reader {
    /// A reader at the beginning of a topic.
    pub fn new(bootstrap: &str, topic: &str) -> Result<Self> {
        let mut config = client(bootstrap);
        config.set("group.id", "chaos").set("enable.auto.commit", "false").set("isolation.level", "read_committed");
        let consumer: BaseConsumer = config.create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { consumer })
    }

    /// Calls `visit` with the value of every record that there is, until none comes for a while.
    pub fn read(&mut self, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while let Some(message) = self.consumer.poll(QUIET) {
            visit(message?.payload().context("a record has no value")?)?;
        }
        Ok(())
    }
}

/// Waits for a future that other threads make ready.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park_timeout(Duration::from_millis(100)),
        }
    }
}
