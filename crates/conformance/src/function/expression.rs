//! Expressions with the text they display as.

use super::evaluate::{InputRow, absent_field, referenced_fields};
use super::test_rows::{TestRow, TestRows};
use crate::outcome::{Status, Stop};
use headwater_embedded::Engine;
use headwater_functions::text::Formatter;
use headwater_sql::zone::session_zone;
use serde_json::Value as Json;

/// Expected text of an expression that must fail.
const FAIL: &str = "FAIL";

/// A case as written.
pub(crate) struct ExpressionCase {
    pub(crate) id: String,
    source: String,
    sql: String,
    expected: String,
}

impl ExpressionCase {
    /// Reads a case; without an id of its own it is called by its source and line.
    pub(crate) fn parse(json: &Json, line: usize) -> Result<Self, String> {
        let text = |key: &str| json.get(key).and_then(Json::as_str).map(str::to_string);
        let sql = text("sql").ok_or("an expression case needs 'sql'")?;
        let expected = text("expected").ok_or("an expression case needs 'expected'")?;
        let source = text("src").unwrap_or_default();
        let id = text("id").unwrap_or_else(|| format!("{source}#{line}"));
        Ok(Self { id, source, sql, expected })
    }

    /// Runs the case. Sources named `*ValidationTest` hold expressions that must be refused.
    pub(crate) fn run(&self, engine: &mut Engine, rows: Option<&TestRows>) -> Result<(), Stop> {
        if has_placeholder(&self.sql) || has_placeholder(&self.expected) {
            return Err(Stop::skipped("the case holds a placeholder"));
        }
        let actual = self.evaluate(engine, rows);
        let must_fail = self.expected == FAIL || self.source.ends_with("ValidationTest");
        match actual {
            Ok(text) if must_fail => Err(Stop::failed(format!("{} should have failed but is {text}", self.sql))),
            Ok(text) if text == self.expected => Ok(()),
            Ok(text) => Err(Stop::failed(format!("{} is {text}, expected {}", self.sql, self.expected))),
            Err(stop) if must_fail && stop.status == Status::Failed => Ok(()),
            Err(stop) => Err(Stop { reason: format!("{}: {}", self.sql, stop.reason), ..stop }),
        }
    }

    fn evaluate(&self, engine: &mut Engine, rows: Option<&TestRows>) -> Result<String, Stop> {
        engine.session_mut().set_config("table.local-time-zone", "UTC");
        let fields = referenced_fields(&self.sql);
        let row = match fields.is_empty() {
            true => InputRow::declare(engine, vec![])?,
            false => {
                let row = rows.and_then(|rows| rows.of(&self.source));
                let row = row.ok_or_else(|| Stop::skipped("there is no test row for the case"))?;
                self.declare(engine, row, &fields)?
            }
        };
        let evaluated = row.select(engine, &self.sql)?;
        let zone = session_zone(engine.session().config())?;
        let column = evaluated.batch.rows().column(0);
        let mut text = String::new();
        Formatter::for_cast(column.as_ref(), &evaluated.types[0], zone)?.push(&mut text, 0);
        Ok(text)
    }

    /// Declares the fields up to the last one that is used.
    fn declare(&self, engine: &mut Engine, row: &TestRow, fields: &[usize]) -> Result<InputRow, Stop> {
        let last = fields.iter().copied().max().unwrap_or_default();
        let typed = (0..=last).map(|i| match row.field(i) {
            Some(field) => Ok(field),
            None if fields.contains(&i) => Err(Stop::skipped(format!("the field f{i} could not be written down"))),
            None => Ok(absent_field()),
        });
        InputRow::declare(engine, typed.collect::<Result<_, _>>()?)
    }
}

/// Whether the text holds `$name` or `${..}`, which a program would have filled in.
fn has_placeholder(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| pair[0] == b'$' && (pair[1].is_ascii_alphabetic() || pair[1] == b'{'))
}
