//! What happens to records that cannot be decoded: see [`headwater_formats::bad_records`].
//!
//! Dead letters go to a directory (`errors.dead-letter.path`), durable before a checkpoint holds positions behind
//! them, or to a topic (`errors.dead-letter.topic`), acknowledged before any row behind them is handed out.

mod topic;

use crate::client::Properties;
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{Options, ReaderContext};
use headwater_env::Env;
use headwater_formats::bad_records::{Counter, ErrorMode, LetterFile, letter, shown};
use headwater_formats::json::quoted;
use headwater_types::{Error, Result};
use std::path::PathBuf;
use topic::LetterTopic;

/// What a table says about bad records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadRecordPolicy {
    Fail,
    Skip,
    /// Letters in files of a directory.
    Directory(PathBuf),
    /// Letters in a topic of the table's brokers.
    Topic(String),
}

impl BadRecordPolicy {
    pub(crate) fn from_options(options: Options<'_>) -> Result<Self> {
        let targets = (options.get("errors.dead-letter.path"), options.get("errors.dead-letter.topic"));
        match (ErrorMode::from_options(options)?, targets) {
            (ErrorMode::Fail, _) => Ok(Self::Fail),
            (ErrorMode::Skip, _) => Ok(Self::Skip),
            (ErrorMode::DeadLetter, (Some(path), None)) if path.contains("://") && !path.starts_with("file:") => {
                Err(bad_option("errors.dead-letter.path", path, "a directory of the machine"))
            }
            (ErrorMode::DeadLetter, (Some(path), None)) => {
                let path = path.strip_prefix("file://").or(path.strip_prefix("file:")).unwrap_or(path);
                Ok(Self::Directory(PathBuf::from(path)))
            }
            (ErrorMode::DeadLetter, (None, Some(topic))) => {
                let read = options.get("topic").unwrap_or_default();
                if read.split(';').any(|read| read.trim() == topic) {
                    let expected = "a topic that the table does not read: its letters would be bad records again";
                    return Err(bad_option("errors.dead-letter.topic", topic, expected));
                }
                Ok(Self::Topic(topic.to_owned()))
            }
            (ErrorMode::DeadLetter, _) => {
                let expected = "one of the options 'errors.dead-letter.path' and 'errors.dead-letter.topic' beside it";
                Err(bad_option("errors.mode", "dead-letter", expected))
            }
        }
    }
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defect<'a> {
    /// `key` or `value`.
    pub(crate) part: &'static str,
    /// The bytes of that part.
    pub(crate) raw: &'a [u8],
    pub(crate) reason: &'a str,
    /// Whether the format's own options say to leave the record out.
    pub(crate) ignored: bool,
}

/// The bytes of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
}

enum Letters {
    /// No record was bad yet, or nobody keeps them.
    None,
    File(LetterFile),
    Topic(Box<LetterTopic>),
}

/// Applies the policy for one subtask.
pub(crate) struct BadRecords {
    policy: BadRecordPolicy,
    properties: Properties,
    subtask: u32,
    env: Env,
    waker: std::sync::Arc<dyn Fn() + Send + Sync>,
    counter: Counter,
    letters: Letters,
}

impl BadRecords {
    pub(crate) fn new(policy: BadRecordPolicy, properties: Properties, context: &ReaderContext) -> Self {
        Self {
            policy,
            properties,
            subtask: context.subtask,
            env: context.env.clone(),
            waker: context.waker.clone(),
            counter: Counter::new(context.on_bad_record.clone()),
            letters: Letters::None,
        }
    }

    /// Fails, or keeps and counts the record and goes on.
    pub(crate) fn handle(&mut self, defect: Defect<'_>, raw: Raw<'_>, at: Position<'_>) -> Result<()> {
        if !defect.ignored {
            match &self.policy {
                BadRecordPolicy::Fail => return Err(failure(defect, at)),
                BadRecordPolicy::Skip => {}
                BadRecordPolicy::Directory(_) => self.write(defect, at)?,
                BadRecordPolicy::Topic(topic) => {
                    let topic = topic.clone();
                    self.produce(topic, defect, raw, at)?;
                }
            }
        }
        self.counter.add(|| format!("{}-{}@{}", at.topic, at.partition, at.offset), defect.reason);
        Ok(())
    }

    fn write(&mut self, defect: Defect<'_>, at: Position<'_>) -> Result<()> {
        let BadRecordPolicy::Directory(directory) = &self.policy else { return Ok(()) };
        if matches!(self.letters, Letters::None) {
            self.letters = Letters::File(LetterFile::create(directory, self.subtask, &self.env)?);
        }
        let Letters::File(file) = &mut self.letters else { return Ok(()) };
        let (topic, Position { partition, offset, .. }) = (quoted(at.topic), at);
        let place =
            format!("\"topic\":{topic},\"partition\":{partition},\"offset\":{offset},\"part\":\"{}\"", defect.part);
        file.append(&letter(self.env.now_ms(), &place, defect.reason, defect.raw))
    }

    fn produce(&mut self, topic: String, defect: Defect<'_>, raw: Raw<'_>, at: Position<'_>) -> Result<()> {
        if matches!(self.letters, Letters::None) {
            let letters = LetterTopic::new(topic, &self.properties, self.env.clone(), self.waker.clone())?;
            self.letters = Letters::Topic(Box::new(letters));
        }
        match &mut self.letters {
            Letters::Topic(letters) => letters.send(defect, raw, at),
            _ => Ok(()),
        }
    }

    /// Whether rows behind the letters written so far may be handed out; otherwise the waker is called later.
    pub(crate) fn is_settled(&mut self) -> Result<bool> {
        match &mut self.letters {
            Letters::Topic(letters) => letters.is_settled(),
            _ => Ok(true),
        }
    }

    /// Makes the letters in files durable and visible.
    pub(crate) fn publish(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.letters, Letters::None) {
            Letters::File(file) => file.publish(),
            other => {
                self.letters = other;
                Ok(())
            }
        }
    }
}

fn failure(defect: Defect<'_>, at: Position<'_>) -> Error {
    let Position { topic, partition, offset } = at;
    let Defect { part, raw, reason, .. } = defect;
    let message = format!(
        "bad record in the topic '{topic}', partition {partition}, offset {offset}: its {part} cannot be read: {reason}; \
         the {part} is: {}; set 'errors.mode' to 'skip' or 'dead-letter' to go on without such records",
        shown(raw)
    );
    Error::user("bad-record", message)
}
