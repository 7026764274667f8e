//! `SHOW` and `DESCRIBE`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{Describe, ObjectKind, ObjectName, Show, ShowFilter, ShowObjects, Statement};

/// The words before the pattern of most statements.
const ANY_CASE: &[&str] = &["LIKE", "ILIKE"];

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        self.advance();
        let show = match self.eat_any(&[
            "CATALOGS",
            "CURRENT",
            "COLUMNS",
            "PARTITIONS",
            "CREATE",
            "JARS",
            "JOBS",
            "MODULES",
        ]) {
            Some("CATALOGS") => Show::Catalogs(self.show_filter(ANY_CASE)?),
            Some("CURRENT") => self.show_current()?,
            Some("COLUMNS") => self.show_columns()?,
            Some("PARTITIONS") => self.show_partitions()?,
            Some("CREATE") => self.show_create()?,
            Some("JARS") => Show::Jars,
            Some("JOBS") => Show::Jobs,
            Some(_) => Show::Modules { full: false },
            None => self.show_list()?,
        };
        Ok(Statement::Show(Box::new(show)))
    }

    fn show_current(&mut self) -> Result<Show> {
        match self.expect_any(&["CATALOG", "DATABASE"])? {
            "CATALOG" => Ok(Show::CurrentCatalog),
            _ => Ok(Show::CurrentDatabase),
        }
    }

    fn show_columns(&mut self) -> Result<Show> {
        self.expect_any(&["FROM", "IN"])?;
        let table = self.object_name()?;
        let filter = self.show_filter(&["LIKE"])?;
        Ok(Show::Columns { table, filter })
    }

    fn show_partitions(&mut self) -> Result<Show> {
        let table = self.object_name()?;
        let spec = self.optional_partition()?;
        Ok(Show::Partitions { table, spec })
    }

    fn show_create(&mut self) -> Result<Show> {
        let or_alter = self.eat_all(&["OR", "ALTER"]);
        let kind = self.object_kind()?;
        let name = self.object_name()?;
        Ok(Show::Create { kind, or_alter, name })
    }

    fn show_list(&mut self) -> Result<Show> {
        if self.eat_all(&["FULL", "MODULES"]) {
            return Ok(Show::Modules { full: true });
        }
        let kind = self.show_objects()?;
        let from = self.show_from()?;
        let words = match kind {
            ShowObjects::Tables | ShowObjects::Views | ShowObjects::MaterializedTables | ShowObjects::Models => {
                &["LIKE"]
            }
            _ => ANY_CASE,
        };
        let filter = self.show_filter(words)?;
        Ok(Show::Objects { kind, from, filter })
    }

    fn show_objects(&mut self) -> Result<ShowObjects> {
        if self.eat_all(&["MATERIALIZED", "TABLES"]) {
            return Ok(ShowObjects::MaterializedTables);
        }
        if self.eat_all(&["USER", "FUNCTIONS"]) {
            return Ok(ShowObjects::UserFunctions);
        }
        let word =
            self.expect_any(&["DATABASES", "TABLES", "VIEWS", "FUNCTIONS", "PROCEDURES", "MODELS", "CONNECTIONS"])?;
        Ok(match word {
            "DATABASES" => ShowObjects::Databases,
            "TABLES" => ShowObjects::Tables,
            "VIEWS" => ShowObjects::Views,
            "FUNCTIONS" => ShowObjects::Functions,
            "PROCEDURES" => ShowObjects::Procedures,
            "MODELS" => ShowObjects::Models,
            _ => ShowObjects::Connections,
        })
    }

    fn show_from(&mut self) -> Result<Option<ObjectName>> {
        if self.eat_any(&["FROM", "IN"]).is_some() { self.object_name().map(Some) } else { Ok(None) }
    }

    /// `[NOT] LIKE '…'`, or another of these words, if it is there.
    fn show_filter(&mut self, words: &[&'static str]) -> Result<Option<ShowFilter>> {
        let negated = self.eat("NOT");
        let word = if negated { Some(self.expect_any(words)?) } else { self.eat_any(words) };
        let Some(word) = word else {
            return Ok(None);
        };
        Ok(Some(ShowFilter { negated, case_insensitive: word == "ILIKE", pattern: self.string_literal()? }))
    }

    pub(super) fn describe(&mut self) -> Result<Statement> {
        self.advance();
        if self.at("JOB") && self.is_string(1) {
            self.advance();
            let id = self.string_literal()?;
            return Ok(Statement::Describe(Box::new(Describe::Job(id))));
        }
        // `catalog`, `model` and the like are ordinary names when nothing follows them.
        let has_kind = self.is_ident(1) || self.is_keyword(1, "EXTENDED");
        let kind = has_kind.then(|| self.optional_object_kind()).flatten();
        let extended = self.eat("EXTENDED");
        let name = self.object_name()?;
        let describe = Describe::Object { kind: kind.unwrap_or(ObjectKind::Table), extended, name };
        Ok(Statement::Describe(Box::new(describe)))
    }
}
