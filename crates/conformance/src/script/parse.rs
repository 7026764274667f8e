//! The format: a statement that ends with `;`, the text it prints, and a line `!ok`, `!info`, `!warning` or `!error`.

use headwater_sql_parser::{is_complete, split_statements};

/// A script.
pub(crate) struct Script {
    pub(crate) statements: Vec<Statement>,
}

/// A statement with what it must print.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its first line, from 1.
    pub(crate) line: usize,
    pub(crate) sql: String,
    pub(crate) expected: String,
    pub(crate) tag: Tag,
}

/// The gravest kind of message in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tag {
    Ok,
    Info,
    Warning,
    Error,
}

impl Tag {
    /// The line that says so.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Ok => "!ok",
            Self::Info => "!info",
            Self::Warning => "!warning",
            Self::Error => "!error",
        }
    }

    fn of(line: &str) -> Option<Self> {
        [Self::Ok, Self::Info, Self::Warning, Self::Error].into_iter().find(|tag| tag.line() == line.trim_end())
    }
}

/// A line number and what is wrong there.
type BadLine = (usize, String);

impl Script {
    /// Reads a script.
    pub(crate) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(text.lines()) {
            reader.line(number, line)?;
        }
        reader.finish()
    }
}

/// Collects one statement at a time.
#[derive(Default)]
struct Reader {
    done: Vec<Statement>,
    /// First line and text of the statement.
    sql: Option<(usize, String)>,
    /// What it prints, as soon as it has ended.
    expected: Option<String>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), BadLine> {
        let tag = Tag::of(line);
        match (&mut self.sql, &mut self.expected, tag) {
            (None, _, Some(tag)) => return Err((number, format!("{} without a statement before", tag.line()))),
            (None, _, None) if line.trim().is_empty() || line.starts_with('#') => {}
            (None, _, None) => {
                self.sql = Some((number, format!("{line}\n")));
                self.end_of_statement();
            }
            (Some((start, _)), None, Some(tag)) => {
                let start = *start;
                return Err((number, format!("{} before the end of the statement of line {start}", tag.line())));
            }
            (Some(_), None, None) if line.trim_end() == "!output" => self.expected = Some(String::new()),
            (Some((_, sql)), None, None) => {
                sql.push_str(line);
                sql.push('\n');
                self.end_of_statement();
            }
            (Some(_), Some(expected), None) if expected.is_empty() && line.trim_end() == "!output" => {}
            (Some(_), Some(expected), None) => {
                expected.push_str(line);
                expected.push('\n');
            }
            (Some(_), Some(_), Some(tag)) => self.end_of_case(tag),
        }
        Ok(())
    }

    fn end_of_statement(&mut self) {
        let Some((_, sql)) = &self.sql else { return };
        let ended = sql.trim_end().ends_with(';') && is_complete(sql) && !split_statements(sql).is_empty();
        self.expected = ended.then(String::new);
    }

    fn end_of_case(&mut self, tag: Tag) {
        let (Some((line, sql)), Some(expected)) = (self.sql.take(), self.expected.take()) else { return };
        self.done.push(Statement { line, sql, expected, tag });
    }

    fn finish(self) -> Result<Script, BadLine> {
        match self.sql {
            None => Ok(Script { statements: self.done }),
            Some((line, _)) => Err((line, "a statement without !ok, !info, !warning or !error behind it".to_owned())),
        }
    }
}
