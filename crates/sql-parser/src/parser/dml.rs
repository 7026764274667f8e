//! `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, `ANALYZE`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{
    Analyze, AnalyzeColumns, Assignment, Delete, Expr, Ident, Insert, OnConflict, PartitionSpec, PartitionValue,
    Statement, Update,
};
use crate::lexer::Punct;

impl Parser<'_> {
    pub(super) fn insert_statement(&mut self) -> Result<Statement> {
        Ok(Statement::Insert(Box::new(self.insert()?)))
    }

    pub(super) fn insert(&mut self) -> Result<Insert> {
        let start = self.span();
        self.expect("INSERT")?;
        let overwrite = self.expect_any(&["INTO", "OVERWRITE"])? == "OVERWRITE";
        if overwrite {
            self.eat("INTO");
        }
        let table = self.object_name()?;
        let hints = self.optional_hints()?;
        let partition = self.optional_partition()?;
        // `(SELECT …)` without a column list is a query in parentheses.
        let has_columns = self.at_punct(Punct::LeftParen) && !self.at_parenthesised_query();
        let columns = if has_columns { self.paren_list(Self::object_name)? } else { Vec::new() };
        let source = self.query()?;
        let on_conflict = self.on_conflict()?;
        Ok(Insert { overwrite, table, hints, partition, columns, source, on_conflict, span: self.span_from(start) })
    }

    fn on_conflict(&mut self) -> Result<Option<OnConflict>> {
        if !self.eat("ON") {
            return Ok(None);
        }
        self.expect_all(&["CONFLICT", "DO"])?;
        let action = match self.expect_any(&["NOTHING", "ERROR", "DEDUPLICATE"])? {
            "NOTHING" => OnConflict::Nothing,
            "ERROR" => OnConflict::Error,
            _ => OnConflict::Deduplicate,
        };
        Ok(Some(action))
    }

    /// `PARTITION (a = 1, b)` if it is there.
    pub(super) fn optional_partition(&mut self) -> Result<Option<PartitionSpec>> {
        if self.at("PARTITION") {
            self.partition().map(Some)
        } else {
            self.note_expected("PARTITION");
            Ok(None)
        }
    }

    /// `PARTITION (a = 1, b)`.
    pub(super) fn partition(&mut self) -> Result<PartitionSpec> {
        self.expect("PARTITION")?;
        self.paren_list(Self::partition_value).map(PartitionSpec)
    }

    fn partition_value(&mut self) -> Result<PartitionValue> {
        let column = self.ident()?;
        let value = if self.eat_punct(Punct::Eq) { Some(self.expr()?) } else { None };
        Ok(PartitionValue { column, value })
    }

    pub(super) fn update(&mut self) -> Result<Statement> {
        let start = self.advance().span;
        let table = self.object_name()?;
        let hints = self.optional_hints()?;
        let alias = self.optional_alias()?;
        self.expect("SET")?;
        let assignments = self.comma_list(Self::assignment)?;
        let selection = self.optional_where()?;
        Ok(Statement::Update(Box::new(Update {
            table,
            hints,
            alias,
            assignments,
            selection,
            span: self.span_from(start),
        })))
    }

    fn assignment(&mut self) -> Result<Assignment> {
        let column = self.object_name()?;
        self.expect_punct(Punct::Eq)?;
        let value = self.expr()?;
        Ok(Assignment { column, value })
    }

    pub(super) fn delete(&mut self) -> Result<Statement> {
        let start = self.advance().span;
        self.expect("FROM")?;
        let table = self.object_name()?;
        let hints = self.optional_hints()?;
        let alias: Option<Ident> = self.optional_alias()?;
        let selection = self.optional_where()?;
        Ok(Statement::Delete(Box::new(Delete { table, hints, alias, selection, span: self.span_from(start) })))
    }

    fn optional_where(&mut self) -> Result<Option<Expr>> {
        if self.eat("WHERE") { self.expr().map(Some) } else { Ok(None) }
    }

    pub(super) fn truncate(&mut self) -> Result<Statement> {
        self.advance();
        self.expect("TABLE")?;
        self.object_name().map(Statement::Truncate)
    }

    pub(super) fn analyze(&mut self) -> Result<Statement> {
        self.advance();
        self.expect("TABLE")?;
        let table = self.object_name()?;
        let partition = self.optional_partition()?;
        self.expect_all(&["COMPUTE", "STATISTICS"])?;
        let columns = self.analyze_columns()?;
        Ok(Statement::Analyze(Box::new(Analyze { table, partition, columns })))
    }

    fn analyze_columns(&mut self) -> Result<AnalyzeColumns> {
        if !self.eat("FOR") {
            return Ok(AnalyzeColumns::None);
        }
        if self.eat("ALL") {
            self.expect("COLUMNS")?;
            return Ok(AnalyzeColumns::All);
        }
        self.expect("COLUMNS")?;
        self.comma_list(Self::ident).map(AnalyzeColumns::List)
    }
}
