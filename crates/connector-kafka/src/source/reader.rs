//! The reader of one subtask: all its partitions through one consumer.
//!
//! librdkafka fetches ahead on its own threads, within a bound in bytes; a call of `poll` takes what is there, decodes
//! it, and hands out one batch for each run of records of one partition. A split's position moves when its batch
//! is handed out, so a snapshot between two batches is exact.

use super::batch::{Message, Queue};
use super::rows::Rows;
use super::scan::Scan;
use super::split::KafkaSplit;
use super::{Consumer, consumer};
use crate::bad_records::BadRecords;
use crate::client::{Context, Properties, explain, explain_code, log};
use hashbrown::HashMap;
use headwater_connector_api::{ReaderContext, ReaderPoll, SourceReader, Split};
use headwater_data::ChangeBatch;
use headwater_types::{Error, ErrorKind, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of records after which a batch ends, however few rows it has.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// What waits to be handed out.
struct Ready {
    split: usize,
    /// Position of the split afterwards.
    next: i64,
    batch: Option<ChangeBatch>,
}

/// A client and its queue, in the order in which they must go.
struct Client {
    queue: Queue,
    consumer: Consumer,
}

pub(super) struct KafkaReader {
    properties: Properties,
    context: ReaderContext,
    bad: BadRecords,
    rows: Rows,
    client: Option<Client>,
    /// By number; `None` for those that have ended.
    splits: Vec<Option<KafkaSplit>>,
    active: usize,
    /// Number of a split by topic and partition.
    numbers: HashMap<(String, i32), usize>,
    /// The same by the quicker identity of a topic.
    quick: HashMap<(usize, i32), usize>,
    ready: VecDeque<Ready>,
    rows_left: u64,
}

impl KafkaReader {
    pub(super) fn new(scan: Arc<Scan>, properties: Properties, context: ReaderContext) -> Result<Self> {
        Ok(Self {
            rows: Rows::new(scan.clone())?,
            bad: BadRecords::new(scan.bad_records.clone(), properties.clone(), &context),
            rows_left: scan.limit.unwrap_or(u64::MAX),
            properties,
            context,
            client: None,
            splits: vec![],
            active: 0,
            numbers: HashMap::new(),
            quick: HashMap::new(),
            ready: VecDeque::new(),
        })
    }

    /// The client, made when the first partition is there to read.
    fn client(&mut self) -> Result<&Client> {
        if self.client.is_none() {
            let mut consumer = consumer(&self.properties, Context::default())?;
            let queue = Queue::of(&consumer)?;
            let waker = self.context.waker.clone();
            consumer.set_nonempty_callback(move || waker());
            self.client = Some(Client { queue, consumer });
        }
        self.client.as_ref().ok_or_else(|| Error::internal("the client was just made"))
    }

    /// Takes what the client has until there is a batch worth handing out.
    fn fetch(&mut self) -> Result<()> {
        let rows_max = self.context.batch_rows.max(1);
        let mut current = None;
        let (mut next, mut bytes) = (0, 0);
        loop {
            let Client { queue, consumer } = self.client()?;
            let messages = queue.take();
            if messages.is_empty() {
                let trouble = &consumer.context().trouble;
                queue.take_log(|level, facility, text| log(trouble, level, facility, text));
                break;
            }
            for message in &messages {
                let Some(split) = self.split_of(message)? else { continue };
                if current.is_some_and(|c| c != split) || self.rows.len() >= rows_max {
                    bytes += self.end_batch(current, next)?;
                }
                current = Some(split);
                next = self.take_message(split, message)?;
            }
            bytes += self.rows.bytes();
            if self.rows.len() >= rows_max || bytes >= BATCH_BYTES_MAX || self.ready.len() >= rows_max {
                break;
            }
        }
        self.end_batch(current, next).map(|_| ())
    }

    /// Takes a message or a partition's end into the rows; the split's position after it.
    fn take_message(&mut self, split: usize, message: &Message) -> Result<i64> {
        let offset = message.offset();
        if message.error().is_some() {
            // The end of the partition: its offset is that of the record to come.
            return Ok(offset);
        }
        let stop = self.splits[split].as_ref().and_then(|split| split.stop);
        if stop.is_none_or(|stop| offset < stop) {
            self.rows.push(message, &mut self.bad)?;
        }
        Ok(offset + 1)
    }

    /// Queues the rows of a split; the bytes they were decoded from.
    fn end_batch(&mut self, split: Option<usize>, next: i64) -> Result<usize> {
        let Some(split) = split else { return Ok(0) };
        let (rows, bytes) = (self.rows.len() as u64, self.rows.bytes());
        (self.context.on_bytes)(bytes as u64);
        let batch = self.rows.finish(self.rows_left)?;
        self.rows_left = self.rows_left.saturating_sub(rows);
        let batch = (batch.num_rows() > 0).then_some(batch);
        self.ready.push_back(Ready { split, next, batch });
        Ok(bytes)
    }

    /// The split a message belongs to; `None` for what is to be passed over.
    fn split_of(&mut self, message: &Message) -> Result<Option<usize>> {
        match message.error() {
            None | Some(Code::PartitionEOF) => {}
            Some(code) => return self.report(message, code).map(|()| None),
        }
        let quick = (message.topic_id(), message.partition());
        let number = match self.quick.get(&quick) {
            Some(number) => Some(*number),
            None => {
                let number = self.numbers.get(&(message.topic().to_string(), message.partition())).copied();
                if let Some(number) = number {
                    self.quick.insert(quick, number);
                }
                number
            }
        };
        Ok(number.filter(|number| self.splits[*number].is_some()))
    }

    /// Fails on errors that do not pass by themselves.
    fn report(&self, message: &Message, code: Code) -> Result<()> {
        let (topic, partition) = (message.topic(), message.partition());
        if code == Code::AutoOffsetReset {
            return Err(lost(topic, partition, &message.error_text()));
        }
        let is_own_group = self.properties.group().is_some();
        if matches!(code, Code::PollExceeded) || (code == Code::GroupAuthorizationFailed && !is_own_group) {
            return Ok(());
        }
        let trouble = self.client.as_ref().map(|client| client.consumer.context().trouble.clone()).unwrap_or_default();
        let doing = if topic.is_empty() {
            "reading from Kafka".into()
        } else {
            format!("reading the topic '{topic}', partition {partition}")
        };
        let error = explain_code(&doing, code, &trouble);
        if error.kind() == ErrorKind::Retryable {
            tracing::warn!(%error, "reading from Kafka is interrupted");
            return Ok(());
        }
        Err(error)
    }

    /// Hands out what was decoded; `None` when it was only a position.
    fn hand_out(&mut self, ready: Ready) -> Result<Option<ReaderPoll>> {
        let number = ready.split as u32;
        let Some(split) = &mut self.splits[ready.split] else { return Ok(None) };
        split.next = split.next.max(ready.next);
        let is_finished = split.is_finished();
        match (ready.batch, is_finished) {
            (Some(batch), true) => {
                self.ready.push_front(Ready { batch: None, ..ready });
                Ok(Some(ReaderPoll::SplitBatch { split: number, batch }))
            }
            (Some(batch), false) => Ok(Some(ReaderPoll::SplitBatch { split: number, batch })),
            (None, true) => {
                self.end_split(ready.split)?;
                Ok(Some(ReaderPoll::SplitFinished(number)))
            }
            (None, false) => Ok(None),
        }
    }

    fn end_split(&mut self, number: usize) -> Result<()> {
        let (Some(split), Some(client)) = (self.splits[number].take(), &self.client) else { return Ok(()) };
        self.active -= 1;
        let mut list = TopicPartitionList::new();
        list.add_partition(&split.topic, split.partition);
        let unassigned = client.consumer.incremental_unassign(&list);
        unassigned.map_err(|e| explain("ending the reading of a partition", &e, &client.consumer.context().trouble))
    }
}

fn lost(topic: &str, partition: i32, text: &str) -> Error {
    let message = format!(
        "the next record to read of the topic '{topic}', partition {partition}, is not in its log: {text}; records may have \
         been removed by the topic's retention before they were read; set 'properties.auto.offset.reset' to 'earliest' to go \
         on with the first record there is"
    );
    Error::user("kafka-offset-lost", message)
}

impl SourceReader for KafkaReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        let split = KafkaSplit::decode(&split)?;
        let number = self.splits.len();
        self.numbers.insert(split.topic_partition(), number);
        self.quick.clear();
        let mut list = TopicPartitionList::new();
        let added = list.add_partition_offset(&split.topic, split.partition, Offset::Offset(split.next));
        added.map_err(|e| Error::internal(format!("the offset {} cannot be read from: {e}", split.next)))?;
        let is_finished = split.is_finished();
        let next = split.next;
        self.splits.push(Some(split));
        self.active += 1;
        let client = self.client()?;
        let assigned = client.consumer.incremental_assign(&list);
        assigned.map_err(|e| explain("starting to read a partition", &e, &client.consumer.context().trouble))?;
        // Told before its first rows, so that event time waits for it from the start.
        self.ready.push_back(Ready { split: number, next, batch: Some(self.rows.no_rows()) });
        if is_finished {
            self.ready.push_back(Ready { split: number, next, batch: None });
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        if self.ready.is_empty() {
            if self.rows_left == 0 {
                return Ok(ReaderPoll::Finished);
            }
            if self.active == 0 {
                return Ok(ReaderPoll::NeedSplit);
            }
            self.fetch()?;
        }
        // Positions behind a bad record count once its letter has arrived.
        if !self.bad.is_settled()? {
            return Ok(ReaderPoll::Pending(None));
        }
        while let Some(ready) = self.ready.pop_front() {
            if let Some(poll) = self.hand_out(ready)? {
                return Ok(poll);
            }
        }
        Ok(ReaderPoll::Pending(None))
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        self.bad.publish()?;
        self.splits.iter().flatten().map(KafkaSplit::encode).collect()
    }
}

impl Drop for KafkaReader {
    /// Closing a client waits for its threads.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let Client { queue, consumer } = client;
            drop(queue);
            self.context.env.spawn_blocking("kafka-close", move || drop(consumer));
        }
    }
}
