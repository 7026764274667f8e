//! Statement sets and compiled plans.

use super::Result;
use super::cursor::Parser;
use crate::ast::{CompilePlan, Statement, StatementSet};
use crate::lexer::Punct;

impl Parser<'_> {
    /// Behind `EXECUTE`: an insert, a query, a statement set or a plan.
    pub(super) fn execute(&mut self) -> Result<Statement> {
        self.advance();
        if self.at("PLAN") {
            self.advance();
            return self.string_literal().map(Statement::ExecutePlan);
        }
        if self.at("STATEMENT") {
            return self.statement_set().map(Statement::StatementSet);
        }
        if self.at("INSERT") {
            return self.insert_statement();
        }
        self.note_all(&["INSERT", "STATEMENT", "PLAN"]);
        self.query().map(Box::new).map(Statement::Query)
    }

    /// `BEGIN STATEMENT SET`.
    pub(super) fn begin(&mut self) -> Result<Statement> {
        self.expect_all(&["BEGIN", "STATEMENT", "SET"])?;
        Ok(Statement::BeginStatementSet)
    }

    /// `STATEMENT SET BEGIN insert; … END`.
    pub(super) fn statement_set(&mut self) -> Result<StatementSet> {
        let start = self.span();
        self.expect_all(&["STATEMENT", "SET", "BEGIN"])?;
        let mut inserts = Vec::new();
        while inserts.is_empty() || !self.at("END") {
            self.eat("EXECUTE");
            inserts.push(self.insert()?);
            self.expect_punct(Punct::Semicolon)?;
        }
        self.expect("END")?;
        Ok(StatementSet { inserts, span: self.span_from(start) })
    }

    /// `COMPILE [AND EXECUTE] PLAN 'file' [IF NOT EXISTS] FOR …`.
    pub(super) fn compile_plan(&mut self) -> Result<Statement> {
        self.advance();
        let and_execute = self.eat_all(&["AND", "EXECUTE"]);
        self.expect("PLAN")?;
        let path = self.string_literal()?;
        let if_not_exists = self.if_not_exists();
        self.expect("FOR")?;
        let statement = self.plan_subject()?;
        Ok(Statement::CompilePlan(Box::new(CompilePlan { path, if_not_exists, and_execute, statement })))
    }

    fn plan_subject(&mut self) -> Result<Statement> {
        if self.at("STATEMENT") {
            return self.statement_set().map(Statement::StatementSet);
        }
        self.insert_statement()
    }
}
