//! The transactional sink: rows are output when the checkpoint that they were staged for is committed.
//!
//! ```text
//! staged/<sink>/<execution>-<subtask>-<n>           rows that wait for their commit, when the option says so
//! output/<sink>/<checkpoint>/<subtask>-<n>          a committed transaction
//! ```
//!
//! A transaction is text: a line a row, its kind and its values separated by tabs.

use super::Troubles;
use crate::process::Life;
use crate::storage::{ObjectStore, ROOT, View};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use headwater_connector_api::{Committable, Committer, Options, Sink, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_env::Storage;
use headwater_plan::TableSpec;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Directory of committed transactions.
pub(crate) const OUTPUT: &str = "output";
/// Directory of staged transactions.
const STAGED: &str = "staged";

/// The sink.
pub(super) struct Transactional {
    name: String,
    staged: bool,
    keeps: bool,
    every: i64,
    store: Arc<ObjectStore>,
    life: Arc<Life>,
    troubles: Arc<Troubles>,
}

impl Transactional {
    pub(super) fn new(
        table: &TableSpec,
        store: Arc<ObjectStore>,
        life: Arc<Life>,
        troubles: Arc<Troubles>,
    ) -> Result<Self> {
        let options = Options(&table.options);
        Ok(Self {
            name: table.path[2].clone(),
            staged: options.boolean("staged", false)?,
            keeps: options.boolean("keeps", false)?,
            every: options.integer("every")?.unwrap_or(1),
            store,
            life,
            troubles,
        })
    }

    fn storage(&self) -> View {
        View::new(&self.store, &self.life, ROOT)
    }
}

impl Sink for Transactional {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).map_err(|_| corrupt("a kept row is no text"));
        Ok(Box::new(Writer {
            name: self.name.clone(),
            storage: self.storage(),
            troubles: self.troubles.clone(),
            staged: self.staged,
            keeps: self.keeps,
            every: self.every,
            asked: 0,
            number: 0,
            lines: context.restored.iter().map(text).collect::<Result<_>>()?,
            context,
        }))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        let (name, storage, troubles) = (self.name.clone(), self.storage(), self.troubles.clone());
        Ok(Some(Box::new(Commits { name, storage, troubles })))
    }
}

/// What is to be committed: the rows, or where they are.
#[derive(Serialize, Deserialize)]
struct Transaction {
    id: String,
    staged: Option<String>,
    rows: String,
}

struct Writer {
    name: String,
    storage: View,
    troubles: Arc<Troubles>,
    staged: bool,
    keeps: bool,
    every: i64,
    asked: i64,
    number: u64,
    lines: Vec<String>,
    context: WriterContext,
}

impl SinkWriter for Writer {
    fn is_ready(&mut self) -> bool {
        if !self.troubles.await_open(&self.context.waker) {
            return false;
        }
        self.asked += 1;
        let ready = self.asked % self.every == 0;
        if !ready {
            (self.context.waker)();
        }
        ready
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        self.troubles.write.call("the simulated writer")?;
        self.lines.extend(lines(&batch)?);
        Ok(())
    }

    /// May keep the newest row for the state, so that writer state matters too.
    fn take_committables(&mut self, _checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        let kept = if self.keeps && !end { self.lines.pop() } else { None };
        let rows: String = std::mem::replace(&mut self.lines, kept.into_iter().collect()).concat();
        if rows.is_empty() {
            return Ok(vec![]);
        }
        self.number += 1;
        let id = format!("{}-{:06}", self.context.subtask, self.number);
        let mut transaction = Transaction { id, staged: None, rows };
        if self.staged {
            let path = format!("{STAGED}/{}/{}-{}", self.name, self.context.job, transaction.id);
            self.storage.put(&path, transaction.rows.as_bytes())?;
            transaction.rows.clear();
            transaction.staged = Some(path);
        }
        let bytes = serde_json::to_vec(&transaction).map_err(|e| Error::internal(format!("a transaction: {e}")))?;
        Ok(vec![Committable(bytes)])
    }

    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(self.lines.iter().map(|line| line.clone().into_bytes()).collect())
    }
}

fn lines(batch: &ChangeBatch) -> Result<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let internal = |e| Error::internal(format!("rows cannot be shown: {e}"));
    let columns = batch.rows().columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(internal)?;
    let line = |row: usize| {
        let values: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
        format!("{}\t{}\n", batch.kind(row).short(), values.join("\t"))
    };
    Ok((0..batch.num_rows()).map(line).collect())
}

struct Commits {
    name: String,
    storage: View,
    troubles: Arc<Troubles>,
}

impl Committer for Commits {
    fn commit(&mut self, checkpoint: u64, committables: &[Committable]) -> Result<()> {
        for Committable(bytes) in committables {
            self.troubles.commit.call("the simulated committer")?;
            let transaction = serde_json::from_slice(bytes).map_err(|_| corrupt("a committable"))?;
            self.commit_one(checkpoint, transaction)?;
        }
        Ok(())
    }

    fn abort(&mut self) -> Result<()> {
        for object in self.storage.list(&format!("{STAGED}/{}/", self.name))? {
            self.storage.delete(&object.path)?;
        }
        Ok(())
    }
}

impl Commits {
    /// Commits a transaction, which may have been committed before.
    fn commit_one(&self, checkpoint: u64, transaction: Transaction) -> Result<()> {
        let path = format!("{OUTPUT}/{}/{checkpoint:06}/{}", self.name, transaction.id);
        let committed = self.storage.get(&path)?;
        let rows = match (&transaction.staged, &committed) {
            (None, _) => transaction.rows.into_bytes(),
            (Some(_), Some(rows)) => rows.clone(),
            (Some(staged), None) => self.storage.get(staged)?.ok_or_else(|| {
                self.troubles.violation(format!("{staged} is to be committed for {checkpoint}, and is gone"));
                corrupt("a staged transaction is gone")
            })?,
        };
        match committed {
            Some(before) if before == rows => {}
            Some(_) => self.troubles.violation(format!("{path} was committed with other rows before")),
            None => self.storage.put(&path, &rows)?,
        }
        // Litter when it fails.
        transaction.staged.map_or(Ok(()), |staged| self.storage.delete(&staged).or(Ok(())))
    }
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corruption, "bad-transaction", format!("{what} cannot be read"))
}
