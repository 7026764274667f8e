//! Which statement it is, and scripts.

use super::cursor::Parser;
use super::{ParsedStatement, Result};
use crate::ast::{ClientCommand, Explain, ExplainDetail, Statement, Use};
use crate::lexer::Punct;

/// What a statement can start with.
const STATEMENT_STARTS: &[&str] = &[
    "SELECT", "INSERT", "CREATE", "WITH", "VALUES", "EXPLAIN", "DESCRIBE", "SHOW", "SET", "RESET", "USE", "DROP",
    "ALTER", "EXECUTE", "BEGIN", "END", "UPDATE", "DELETE", "TRUNCATE", "ANALYZE", "CALL", "COMPILE", "REPLACE",
    "LOAD", "UNLOAD", "ADD", "REMOVE", "STOP", "DESC", "TABLE", "QUIT", "EXIT", "CLEAR", "HELP", "SOURCE",
];

impl Parser<'_> {
    /// Statements up to the end; those before an error stay in `statements`.
    pub(super) fn script(&mut self, statements: &mut Vec<ParsedStatement>) -> Result<()> {
        loop {
            while self.eat_punct(Punct::Semicolon) {}
            if self.at_end() {
                return Ok(());
            }
            let start = self.span();
            let statement = self.statement()?;
            let span = self.span_from(start);
            self.end_of_statement()?;
            statements.push(ParsedStatement { statement, span, text: span.text(self.source).to_owned() });
        }
    }

    /// `;` or the end of the text.
    pub(super) fn end_of_statement(&mut self) -> Result<()> {
        if self.eat_punct(Punct::Semicolon) {
            return Ok(());
        }
        self.expect_end()
    }

    /// One statement. Statements nest in `EXPLAIN` and `COMPILE PLAN`.
    pub(super) fn statement(&mut self) -> Result<Statement> {
        self.nested(1, |parser| {
            let keyword = parser.keyword_at(0).map_or("", |keyword| keyword.as_str());
            match parser.data_statement(keyword)? {
                Some(statement) => Ok(statement),
                None => parser.other_statement(keyword),
            }
        })
    }

    /// Statements that read or write rows.
    fn data_statement(&mut self, keyword: &'static str) -> Result<Option<Statement>> {
        Ok(Some(match keyword {
            "SELECT" | "WITH" | "VALUES" | "TABLE" => self.query_statement()?,
            "INSERT" => self.insert_statement()?,
            "EXECUTE" => self.execute()?,
            "BEGIN" => self.begin()?,
            "END" => {
                self.advance();
                Statement::EndStatementSet
            }
            "COMPILE" => self.compile_plan()?,
            "EXPLAIN" => self.explain()?,
            "STATEMENT" if self.is_keyword(1, "SET") => Statement::StatementSet(self.statement_set()?),
            "UPDATE" => self.update()?,
            "DELETE" => self.delete()?,
            "TRUNCATE" => self.truncate()?,
            "ANALYZE" => self.analyze()?,
            "CALL" => {
                self.advance();
                Statement::Call(Box::new(self.procedure_call()?))
            }
            _ if self.at_punct(Punct::LeftParen) => self.query_statement()?,
            _ => return Ok(None),
        }))
    }

    /// Statements about the catalog and the session.
    fn other_statement(&mut self, keyword: &'static str) -> Result<Statement> {
        match keyword {
            "CREATE" | "REPLACE" => self.create(),
            "ALTER" => self.alter(),
            "DROP" => self.drop_object(),
            "USE" => self.use_statement(),
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            "SET" => self.set(),
            "RESET" => self.reset(),
            "LOAD" => self.load_module(),
            "UNLOAD" => self.unload_module(),
            "ADD" | "REMOVE" => self.jar(),
            "STOP" => self.stop_job(),
            _ => self.client_command(keyword),
        }
    }

    fn query_statement(&mut self) -> Result<Statement> {
        Ok(Statement::Query(Box::new(self.query()?)))
    }

    fn explain(&mut self) -> Result<Statement> {
        self.advance();
        let details = if self.eat_all(&["PLAN", "FOR"]) { Vec::new() } else { self.explain_details()? };
        let statement = self.statement()?;
        let savepoint = if self.eat_all(&["COMPATIBLE", "WITH"]) { Some(self.string_literal()?) } else { None };
        Ok(Statement::Explain(Box::new(Explain { details, statement, savepoint })))
    }

    fn explain_details(&mut self) -> Result<Vec<ExplainDetail>> {
        let mut details = Vec::new();
        while let Some(word) = self.eat_any(&["ESTIMATED_COST", "CHANGELOG_MODE", "PLAN_ADVICE", "JSON_EXECUTION_PLAN"])
        {
            details.push(match word {
                "ESTIMATED_COST" => ExplainDetail::EstimatedCost,
                "CHANGELOG_MODE" => ExplainDetail::ChangelogMode,
                "PLAN_ADVICE" => ExplainDetail::PlanAdvice,
                _ => ExplainDetail::JsonExecutionPlan,
            });
            if !self.eat_punct(Punct::Comma) {
                break;
            }
        }
        Ok(details)
    }

    fn use_statement(&mut self) -> Result<Statement> {
        self.advance();
        let target = if self.eat("CATALOG") {
            Use::Catalog(self.ident()?)
        } else if self.eat("MODULES") {
            Use::Modules(self.comma_list(Self::ident)?)
        } else {
            Use::Database(self.object_name()?)
        };
        Ok(Statement::Use(target))
    }

    fn set(&mut self) -> Result<Statement> {
        self.advance();
        if self.at_end() || self.at_punct(Punct::Semicolon) {
            return Ok(Statement::Set(None));
        }
        self.option().map(Some).map(Statement::Set)
    }

    fn reset(&mut self) -> Result<Statement> {
        self.advance();
        if self.at_end() || self.at_punct(Punct::Semicolon) {
            return Ok(Statement::Reset(None));
        }
        self.string_literal().map(Some).map(Statement::Reset)
    }

    fn load_module(&mut self) -> Result<Statement> {
        self.advance();
        self.expect("MODULE")?;
        let name = self.ident()?;
        let options = self.optional_with_options()?;
        Ok(Statement::LoadModule { name, options })
    }

    fn unload_module(&mut self) -> Result<Statement> {
        self.advance();
        self.expect("MODULE")?;
        self.ident().map(Statement::UnloadModule)
    }

    fn jar(&mut self) -> Result<Statement> {
        let make = if self.eat("ADD") {
            Statement::AddJar
        } else {
            self.expect("REMOVE")?;
            Statement::RemoveJar
        };
        self.expect("JAR")?;
        self.string_literal().map(make)
    }

    fn stop_job(&mut self) -> Result<Statement> {
        self.advance();
        self.expect("JOB")?;
        let job_id = self.string_literal()?;
        let with_savepoint = self.eat_all(&["WITH", "SAVEPOINT"]);
        let with_drain = self.eat_all(&["WITH", "DRAIN"]);
        Ok(Statement::StopJob { job_id, with_savepoint, with_drain })
    }

    fn client_command(&mut self, keyword: &'static str) -> Result<Statement> {
        let command = match keyword {
            "QUIT" | "EXIT" => ClientCommand::Quit,
            "CLEAR" => ClientCommand::Clear,
            "HELP" => ClientCommand::Help,
            "SOURCE" => {
                self.advance();
                let path = self.string_literal()?;
                return Ok(Statement::Client(ClientCommand::Source(path)));
            }
            _ => {
                self.note_all(STATEMENT_STARTS);
                return Err(self.unexpected());
            }
        };
        self.advance();
        Ok(Statement::Client(command))
    }
}
