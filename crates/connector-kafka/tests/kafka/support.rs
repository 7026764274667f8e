//! The broker, tables, and sources and sinks driven by hand.

use headwater_connector_api::{
    Committable, Committer, Connector, ReaderContext, ReaderPoll, Sink, SinkWriter, Source, SourceReader, Split,
    SplitAssignment, SplitEnumerator, WriterContext,
};
use headwater_connector_kafka::{Kafka as KafkaConnector, UpsertKafka};
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_env::Env;
use headwater_formats::{text::java, values};
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SinkSpec, SourceSpec, TableSpec, Value};
use headwater_test_servers::{Kafka, KafkaOptions};
use headwater_types::{LogicalType, Result, RowKind, TypeRoot};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

static BROKER: LazyLock<Kafka> =
    LazyLock::new(|| Kafka::start(&KafkaOptions { tls: true, properties: vec![] }).expect("a Kafka broker"));

/// The broker of all tests that leave it alive.
pub fn broker() -> &'static Kafka {
    &BROKER
}

/// How often something is looked at before a test gives up, and the pause in between.
pub const LOOKS: usize = 6_000;
pub const PAUSE: Duration = Duration::from_millis(5);

pub fn string() -> LogicalType {
    LogicalType::string()
}

pub fn int() -> LogicalType {
    TypeRoot::Int.into()
}

// ---------------------------------------------------------------------------------------------- topics

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
    &RUNTIME
}

fn admin(bootstrap: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap()
}

pub fn create_topic(topic: &str, partitions: i32) {
    create_topic_at(&broker().bootstrap(), topic, partitions);
}

pub fn create_topic_at(bootstrap: &str, topic: &str, partitions: i32) {
    create_topic_with(bootstrap, topic, partitions, &[]);
}

pub fn create_topic_with(bootstrap: &str, topic: &str, partitions: i32, config: &[(&str, &str)]) {
    let admin = admin(bootstrap);
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    new.config = config.to_vec();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    for result in runtime().block_on(admin.create_topics([&new], &options)).unwrap() {
        result.unwrap();
    }
    // A topic is there a moment after it was created.
    for _ in 0..LOOKS {
        let metadata = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(20)).unwrap();
        let found = metadata.topics().first();
        if found.is_some_and(|t| t.error().is_none() && t.partitions().len() == partitions as usize) {
            return;
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("the topic {topic} does not come up");
}

pub fn grow_topic(topic: &str, partitions: usize) {
    let admin = admin(&broker().bootstrap());
    let options = AdminOptions::new();
    let new = NewPartitions::new(topic, partitions);
    for result in runtime().block_on(admin.create_partitions([&new], &options)).unwrap() {
        result.unwrap();
    }
}

pub fn partitions_of(topic: &str) -> usize {
    let admin = admin(&broker().bootstrap());
    let metadata = admin.inner().fetch_metadata(Some(topic), Duration::from_secs(20)).unwrap();
    metadata.topics()[0].partitions().len()
}

// ---------------------------------------------------------------------------------------------- records

/// A record as a test writes or reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub key: Option<String>,
    pub value: Option<Vec<u8>>,
    pub timestamp: Option<i64>,
    pub headers: Vec<(String, String)>,
}

pub fn value(text: &str) -> Record {
    Record { value: Some(text.into()), ..Record::default() }
}

pub fn keyed(key: &str, text: Option<&str>) -> Record {
    Record { key: Some(key.into()), value: text.map(Into::into), ..Record::default() }
}

pub fn produce(topic: &str, records: &[Record]) {
    let producer: ThreadedProducer<DefaultProducerContext> =
        ClientConfig::new().set("bootstrap.servers", broker().bootstrap()).set("linger.ms", "0").create().unwrap();
    for record in records {
        let mut message = BaseRecord::<str, [u8]>::to(topic).partition(record.partition);
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        message.timestamp = record.timestamp;
        if !record.headers.is_empty() {
            let insert =
                |all: OwnedHeaders, (key, value): &(String, String)| all.insert(Header { key, value: Some(value) });
            message.headers = Some(record.headers.iter().fold(OwnedHeaders::new(), insert));
        }
        producer.send(message).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(Duration::from_secs(20)).unwrap();
}

/// All records of a topic, partition after partition.
pub fn consume(topic: &str, isolation: &str) -> Vec<Record> {
    consume_at(&broker().bootstrap(), topic, isolation)
}

pub fn consume_at(bootstrap: &str, topic: &str, isolation: &str) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "test-reader")
        .set("enable.auto.commit", "false")
        .set("isolation.level", isolation)
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(20)).unwrap();
    let mut list = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut records, mut ended) = (vec![], 0);
    while ended < list.count() {
        match consumer.poll(Duration::from_secs(20)) {
            Some(Ok(message)) => records.push(Record {
                partition: message.partition(),
                key: message.key().map(|key| String::from_utf8(key.to_vec()).unwrap()),
                value: message.payload().map(<[u8]>::to_vec),
                timestamp: message.timestamp().to_millis(),
                headers: headers(&message),
            }),
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{error}"),
            None => panic!("the topic {topic} has no end"),
        }
    }
    records.sort_by_key(|record| record.partition);
    records
}

fn headers(message: &impl Message) -> Vec<(String, String)> {
    use rdkafka::message::Headers;
    let Some(headers) = message.headers() else { return vec![] };
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
    headers.iter().map(|header| (header.key.to_string(), text(header.value))).collect()
}

/// The values of a topic's records.
pub fn texts(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| match &record.value {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => "<none>".into(),
    };
    records.iter().map(text).collect()
}

// ---------------------------------------------------------------------------------------------- tables

/// A table; the options of the connection are added unless they are given.
pub fn table(columns: &[(&str, LogicalType)], options: &[(&str, &str)]) -> TableSpec {
    let mut all: std::collections::BTreeMap<_, _> =
        options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    all.entry("connector".into()).or_insert_with(|| "kafka".into());
    all.entry("properties.bootstrap.servers".into()).or_insert_with(|| broker().bootstrap());
    TableSpec {
        path: ["c", "d", "t"].map(String::from),
        columns: columns.iter().map(|(n, t)| (n.to_string(), t.clone())).collect(),
        partition_keys: vec![],
        primary_key: vec![],
        options: all,
    }
}

/// The same table with other options.
pub fn with(table: &TableSpec, options: &[(&str, &str)]) -> TableSpec {
    let mut table = table.clone();
    table.options.extend(options.iter().map(|(k, v)| (k.to_string(), v.to_string())));
    table
}

fn connector(table: &TableSpec) -> Box<dyn Connector> {
    match table.options["connector"].as_str() {
        "upsert-kafka" => Box::new(UpsertKafka),
        _ => Box::new(KafkaConnector),
    }
}

/// A scan of all columns and some metadata.
pub fn scan(table: &TableSpec, metadata: &[&str]) -> SourceSpec {
    let physical = table.columns.iter().enumerate().map(|(at, (name, ty))| ProducedColumn {
        name: name.clone(),
        origin: ColumnOrigin::Physical(at),
        ty: ty.clone(),
    });
    let known = connector(table).metadata(table);
    let metadata = metadata.iter().map(|key| ProducedColumn {
        name: (*key).into(),
        origin: ColumnOrigin::Metadata((*key).into()),
        ty: known.iter().find(|column| column.key == *key).unwrap().ty.clone(),
    });
    SourceSpec { table: table.clone(), produced: physical.chain(metadata).collect(), limit: None }
}

pub fn source(spec: &SourceSpec) -> Result<Box<dyn Source>> {
    Ok(connector(&spec.table).source(spec)?.expect("a source"))
}

pub fn sink(spec: &SinkSpec) -> Result<Box<dyn Sink>> {
    Ok(connector(&spec.table).sink(spec)?.expect("a sink"))
}

pub fn write_spec(table: &TableSpec) -> SinkSpec {
    SinkSpec { table: table.clone(), metadata: vec![], overwrite: false, target_columns: vec![] }
}

// ---------------------------------------------------------------------------------------------- reading

/// The error of a call whose success would be no news.
pub fn error_of<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// A source with one reader, driven by hand.
pub struct Reading {
    pub enumerator: Box<dyn SplitEnumerator>,
    pub reader: Box<dyn SourceReader>,
    pub rows: Vec<String>,
    pub finished: Vec<u32>,
    subtask: u32,
    parallelism: u32,
    env: Env,
    next_request_ms: i64,
    no_more_splits: bool,
    pub bad: Arc<Mutex<u64>>,
}

fn reader_context(env: &Env, subtask: u32, parallelism: u32, bad: &Arc<Mutex<u64>>) -> ReaderContext {
    let bad = bad.clone();
    ReaderContext {
        subtask,
        parallelism,
        batch_rows: 64,
        env: env.clone(),
        waker: Arc::new(|| ()),
        on_bad_record: Arc::new(move || *bad.lock().unwrap() += 1),
        on_bytes: Arc::new(|_| ()),
    }
}

impl Reading {
    pub fn start(spec: &SourceSpec) -> Result<Self> {
        Self::start_at(spec, None, &[], 0, 1)
    }

    /// A reader that goes on from an enumerator's and a reader's snapshot.
    pub fn start_at(
        spec: &SourceSpec,
        state: Option<&[u8]>,
        splits: &[Split],
        subtask: u32,
        parallelism: u32,
    ) -> Result<Self> {
        let (env, bad) = (Env::real(), Arc::default());
        let source = source(spec)?;
        assert!(source.reads_splits_together());
        let enumerator = match state {
            Some(state) => source.restore_enumerator(&env, state)?,
            None => source.enumerator(&env)?,
        };
        let mut reader = source.reader(reader_context(&env, subtask, parallelism, &bad))?;
        splits.iter().try_for_each(|split| reader.add_split(split.clone()))?;
        let (rows, finished) = (vec![], vec![]);
        let (next_request_ms, no_more_splits) = (0, false);
        Ok(Self { enumerator, reader, rows, finished, subtask, parallelism, env, next_request_ms, no_more_splits, bad })
    }

    /// One turn; whether the source has ended.
    fn turn(&mut self) -> Result<bool> {
        while !self.no_more_splits && self.env.now_ms() >= self.next_request_ms {
            match self.enumerator.next_split(self.subtask, self.parallelism)? {
                SplitAssignment::Split(split) => self.reader.add_split(split)?,
                SplitAssignment::Wait(ms) => self.next_request_ms = self.env.now_ms() + ms as i64,
                SplitAssignment::NoMoreSplits => self.no_more_splits = true,
            }
        }
        match self.reader.poll()? {
            ReaderPoll::Batch(batch) | ReaderPoll::SplitBatch { batch, .. } => self.rows.extend(rows(&batch)),
            ReaderPoll::SplitFinished(split) => self.finished.push(split),
            ReaderPoll::NeedSplit if self.no_more_splits => return Ok(true),
            ReaderPoll::Pending(_) | ReaderPoll::NeedSplit => std::thread::park_timeout(PAUSE),
            ReaderPoll::Finished => return Ok(true),
        }
        Ok(false)
    }

    /// One turn, whatever it brings.
    pub fn step(&mut self) {
        self.turn().unwrap();
    }

    /// Reads on until there are this many rows.
    pub fn until(&mut self, count: usize) -> Result<&[String]> {
        for _ in 0..LOOKS {
            if self.rows.len() >= count {
                return Ok(&self.rows);
            }
            assert!(!self.turn()?, "the source ended after {:?}", self.rows);
        }
        panic!("no {count} rows, but {:?}", self.rows);
    }

    /// Reads to the end of a bounded source; its rows, sorted.
    pub fn read_to_end(mut self) -> Result<Vec<String>> {
        for _ in 0..LOOKS {
            if self.turn()? {
                self.rows.sort();
                return Ok(self.rows);
            }
        }
        panic!("the source does not end after {:?}", self.rows);
    }
}

/// All rows of a bounded scan, sorted.
pub fn read(spec: &SourceSpec) -> Result<Vec<String>> {
    Reading::start(spec)?.read_to_end()
}

/// The rows of a batch in Flink's text form.
pub fn rows(batch: &ChangeBatch) -> Vec<String> {
    let text = |row| {
        let mut out = vec![];
        java::row(&mut out, batch, row);
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).collect()
}

// ---------------------------------------------------------------------------------------------- writing

pub fn writer_context(subtask: u32, parallelism: u32) -> WriterContext {
    WriterContext {
        subtask,
        parallelism,
        job: "job".into(),
        env: Env::real(),
        waker: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
        restored: vec![],
        restored_checkpoint: None,
        checkpointing: true,
    }
}

/// A batch of a sink's input.
pub fn batch(spec: &SinkSpec, rows: &[(RowKind, Vec<Value>)]) -> ChangeBatch {
    let metadata = spec.metadata.iter().map(|m| (m.key.clone(), m.ty.clone()));
    let columns: Vec<_> = spec.table.columns.iter().cloned().chain(metadata).collect();
    let array = |(at, (_, ty)): (usize, &(String, LogicalType))| {
        values::array(ty, ty, rows.iter().map(|(_, row)| &row[at])).unwrap()
    };
    let arrays = columns.iter().enumerate().map(array).collect();
    let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
    let batch = arrow::array::RecordBatch::try_new(schema, arrays).unwrap();
    ChangeBatch::from_kinds(batch, rows.iter().map(|(kind, _)| *kind))
}

pub fn inserts(rows: &[&[Value]]) -> Vec<(RowKind, Vec<Value>)> {
    rows.iter().map(|row| (RowKind::Insert, row.to_vec())).collect()
}

pub fn text(text: &str) -> Value {
    Value::String(text.into())
}

/// Waits as the driver does.
pub fn write(writer: &mut dyn SinkWriter, batch: ChangeBatch) -> Result<()> {
    for _ in 0..LOOKS {
        if writer.is_ready() {
            return writer.write(batch);
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("the writer is not ready");
}

/// What the driver does at a barrier, or at the end.
pub fn barrier(writer: &mut dyn SinkWriter, checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
    for _ in 0..LOOKS {
        writer.flush()?;
        if writer.is_flushed()? {
            return writer.take_committables(checkpoint, end);
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("the writer is not flushed");
}

/// Writes rows with one writer to the end.
pub fn write_all(spec: &SinkSpec, rows: &[(RowKind, Vec<Value>)]) -> Result<()> {
    let sink = sink(spec)?;
    let mut writer = sink.writer(writer_context(0, 1))?;
    write(writer.as_mut(), batch(spec, rows))?;
    let committables = barrier(writer.as_mut(), 1, true)?;
    match sink.committer()? {
        Some(mut committer) => committer.commit(1, &committables),
        None => Ok(()),
    }
}

pub fn committer(spec: &SinkSpec) -> Box<dyn Committer> {
    sink(spec).unwrap().committer().unwrap().expect("a committer")
}
