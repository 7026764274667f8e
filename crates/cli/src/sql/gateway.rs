//! `headwater sql --gateway URL`: the statements run in a session of a SQL gateway, the results look as if it were here.
//!
//! The session ends with the client. Jobs that INSERT starts are the gateway's and go on; a query ends with its result,
//! or with Ctrl-C.

use super::Ending;
use super::client::{INSERTED, SUBMITTED, SUCCEEDED, Trouble};
use super::runner::shape;
use crate::args::Format;
use crate::cluster_client::Api;
use crate::output::{self, Shape};
use crate::signals;
use chrono_tz::Tz;
use headwater_sql::session::Rows;
use headwater_sql_gateway::decode;
use headwater_sql_parser::ast::Statement;
use headwater_types::config::{Configuration, DML_SYNC};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Keys that are about this process, or secret: a session gets none of them.
const OWN_KEYS: [&str; 3] = ["headwater.rest.", "security.", "rest."];

/// A session of a gateway.
pub struct Gateway {
    api: Api,
    session: String,
}

/// A statement that runs there; it is closed when this is dropped.
struct Operation<'a> {
    gateway: &'a Gateway,
    path: String,
    token: u64,
}

impl Gateway {
    /// Opens a session with these keys.
    ///
    /// # Errors
    /// When the gateway cannot be reached, or refuses.
    pub fn open(address: &str, config: &Configuration, define: &[(String, String)]) -> Result<Self> {
        let api = Api::gateway(address, config)?;
        let of_session = define.iter().filter(|(key, _)| !OWN_KEYS.iter().any(|own| key.starts_with(own)));
        let properties: serde_json::Map<String, Value> =
            of_session.map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
        let opened = api.send(Method::POST, "/sessions", Some(&json!({ "properties": properties })))?;
        let session = opened["sessionHandle"]
            .as_str()
            .ok_or_else(|| Error::user("no-gateway", "no SQL gateway answers there"))?;
        Ok(Self { api, session: format!("/sessions/{session}") })
    }

    /// The configuration of the session.
    ///
    /// # Errors
    /// When the gateway cannot be reached, or the session is closed.
    fn config(&self) -> Result<Configuration> {
        let document = self.api.get(&self.session)?;
        let mut config = Configuration::new();
        for (key, value) in document["properties"].as_object().into_iter().flatten() {
            config.set(key, value.as_str().unwrap_or_default());
        }
        Ok(config)
    }

    /// The tables that a FROM clause may name.
    pub fn tables(&self) -> Vec<String> {
        let Ok(mut operation) = self.submit("SHOW TABLES") else { return vec![] };
        let Ok(page) = operation.first() else { return vec![] };
        small(&page)
            .map(|rows| rows.rows.into_iter().filter_map(|mut row| row.pop().flatten()).collect())
            .unwrap_or_default()
    }

    /// Runs a statement and shows its result.
    pub fn run(&self, statement: &Statement, text: &str, format: Format) -> std::result::Result<Ending, Trouble> {
        signals::watch();
        let mut operation = self.submit(text)?;
        let page = match operation.first() {
            Err(Trouble::Interrupted) => return Ok(Ending::Interrupted),
            page => page?,
        };
        if page["isQueryResult"] == true {
            let config = self.config()?;
            let columns = decode::columns(&page["results"])?;
            let shape = Shape { zone: Tz::UTC, ..shape(&columns, &config, format)? };
            return operation.stream(page, shape, format);
        }
        let mut rows = small(&page)?;
        while operation.page()?.is_some_and(|page| small(&page).map(|more| rows.rows.extend(more.rows)).is_ok()) {}
        self.show(statement, &page, &rows, format)?;
        Ok(Ending::Done)
    }

    /// Shows what is no query.
    fn show(
        &self,
        statement: &Statement,
        page: &Value,
        rows: &Rows,
        format: Format,
    ) -> std::result::Result<(), Trouble> {
        let tells = matches!(format, Format::Table | Format::Changelog);
        let mut out = io::BufWriter::new(io::stdout().lock());
        let is_stop = matches!(statement, Statement::StopJob { .. });
        match (page["jobID"].as_str(), page["resultKind"] == "SUCCESS") {
            (Some(_), _) if tells && self.config()?.boolean(DML_SYNC)? => writeln!(out, "{INSERTED}")?,
            (Some(job), _) if tells => writeln!(out, "{SUBMITTED}\nJob ID: {job}\n")?,
            (None, true) if tells && is_stop => writeln!(out, "[INFO] The specified job is stopped.")?,
            (None, false) if tells && is_stop => {
                let path = rows.rows.first().and_then(|row| row.first().cloned().flatten()).unwrap_or_default();
                writeln!(out, "[INFO] The specified job is stopped with savepoint {path}.")?;
            }
            (None, true) if tells => writeln!(out, "{SUCCEEDED}")?,
            (None, true) => {}
            _ => output::write_rows(&mut out, format, rows)?,
        }
        Ok(out.flush()?)
    }

    fn submit(&self, text: &str) -> std::result::Result<Operation<'_>, Trouble> {
        let body = json!({ "statement": text });
        let submitted = self.ask(Method::POST, &format!("{}/statements", self.session), Some(&body))?;
        let handle = submitted["operationHandle"].as_str().unwrap_or_default();
        Ok(Operation { gateway: self, path: format!("{}/operations/{handle}", self.session), token: 0 })
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> std::result::Result<Value, Trouble> {
        self.api.try_send(method, path, body)?.map_err(|errors| Trouble::Told(cause(&errors)))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // A session that is not closed ends by itself.
        let _ = self.api.send(Method::DELETE, &self.session, None);
    }
}

impl Operation<'_> {
    /// The first page, once there is one. An interrupt ends the statement.
    fn first(&mut self) -> std::result::Result<Value, Trouble> {
        loop {
            if let Some(page) = self.page()? {
                return Ok(page);
            }
            if signals::take() {
                return Err(Trouble::Interrupted);
            }
        }
    }

    /// The next page; `None` while the statement is executed, and after the last.
    fn page(&mut self) -> std::result::Result<Option<Value>, Trouble> {
        let path = format!("{}/result/{}?rowFormat=JSON", self.path, self.token);
        let page = self.gateway.ask(Method::GET, &path, None)?;
        match page["resultType"].as_str() {
            Some("PAYLOAD") => self.token += 1,
            // Asked for again it is the same: who looks for more has to see that there is none.
            Some("EOS") if self.token > 0 => return Ok(None),
            Some("EOS") => {}
            _ => return Ok(None),
        }
        Ok(Some(page))
    }

    /// Decimals of the page that was answered last as texts: as numbers they lose digits on their way.
    fn exact(&self, columns: &[(String, LogicalType)], page: &mut Value) -> std::result::Result<(), Trouble> {
        let decimals: Vec<usize> =
            (0..columns.len()).filter(|at| matches!(columns[*at].1.root, TypeRoot::Decimal(..))).collect();
        let Some(rows) = page["results"]["data"].as_array_mut().filter(|rows| !rows.is_empty()) else { return Ok(()) };
        if decimals.is_empty() {
            return Ok(());
        }
        let path = format!("{}/result/{}?rowFormat=PLAIN_TEXT", self.path, self.token.saturating_sub(1));
        let texts = self.gateway.ask(Method::GET, &path, None)?;
        for (at, row) in rows.iter_mut().enumerate() {
            for column in &decimals {
                row["fields"][*column] = texts["results"]["data"][at]["fields"][*column].clone();
            }
        }
        Ok(())
    }

    /// Shows the rows of a query to its end, or to an interrupt.
    fn stream(mut self, first: Value, shape: Shape, format: Format) -> std::result::Result<Ending, Trouble> {
        let columns: Vec<(String, LogicalType)> = shape.columns.clone();
        let mut writer = output::writer(format, shape);
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut page = Some(first);
        let mut ending = Ending::Done;
        while let Some(mut found) = page {
            self.exact(&columns, &mut found)?;
            let batch = decode::batch(&columns, &found["results"])?;
            if batch.num_rows() > 0 {
                writer.batch(&mut out, &batch)?;
            }
            if signals::take() {
                ending = Ending::Interrupted;
                break;
            }
            page = match found["resultType"] == "EOS" {
                true => None,
                false => self.page()?,
            };
        }
        writer.finish(&mut out)?;
        out.flush()?;
        Ok(ending)
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        let _ = self.gateway.api.send(Method::DELETE, &format!("{}/close", self.path), None);
    }
}

/// The rows of a statement that is no query: texts and truth values.
fn small(page: &Value) -> Result<Rows> {
    let cell = |value: &Value| match value {
        Value::Null => None,
        Value::Bool(value) => Some(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let row =
        |row: &Value| row["fields"].as_array().map(|fields| fields.iter().map(cell).collect()).unwrap_or_default();
    let rows = page["results"]["data"].as_array().map(|rows| rows.iter().map(row).collect()).unwrap_or_default();
    Ok(Rows { columns: decode::columns(&page["results"])?, rows })
}

/// What is behind the exceptions of an answer.
fn cause(errors: &[String]) -> String {
    let last = errors.last().map_or("the gateway does not say why", String::as_str);
    let text = last.split("\n\nEnd of exception on server side").next().unwrap_or(last);
    let inner = text.rsplit_once("Caused by: ").map_or(text, |(_, inner)| inner);
    // The class of the exception is Flink's.
    match inner.split_once(": ") {
        Some((class, message)) if class.contains('.') && !class.contains(' ') => message.to_owned(),
        _ => inner.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_what_the_engine_said() {
        let errors = |text: &str| vec!["Internal server error.".to_owned(), text.to_owned()];
        let whole = "<Exception on server side:\na.B: Failed to execute the operation x.\nCaused by: org.C: error: no\n \
                     --> line 1\n\nEnd of exception on server side>";
        assert_eq!(cause(&errors(whole)), "error: no\n --> line 1");
        assert_eq!(cause(&errors("Not found: /x")), "Not found: /x");
        assert_eq!(cause(&[]), "the gateway does not say why");
    }
}
