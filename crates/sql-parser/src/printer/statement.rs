//! Which statement it is.

use std::fmt::{self, Display, Formatter};

use super::{Commas, ParenClause, when};
use crate::ast::{ClientCommand, CompilePlan, Explain, ExplainDetail, Statement};

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Query(query) => query.fmt(f),
            Statement::Insert(insert) => insert.fmt(f),
            Statement::StatementSet(set) => write!(f, "EXECUTE {set}"),
            Statement::BeginStatementSet => f.write_str("BEGIN STATEMENT SET"),
            Statement::EndStatementSet => f.write_str("END"),
            Statement::CompilePlan(plan) => plan.fmt(f),
            Statement::ExecutePlan(path) => write!(f, "EXECUTE PLAN {path}"),
            Statement::Explain(explain) => explain.fmt(f),
            Statement::Update(update) => update.fmt(f),
            Statement::Delete(delete) => delete.fmt(f),
            Statement::Truncate(table) => write!(f, "TRUNCATE TABLE {table}"),
            Statement::Analyze(analyze) => analyze.fmt(f),
            Statement::Call(call) => write!(f, "CALL {call}"),
            Statement::CreateTable(create) => create.fmt(f),
            Statement::CreateMaterializedTable(create) => create.fmt(f),
            Statement::CreateView(create) => create.fmt(f),
            Statement::CreateCatalog(create) => create.fmt(f),
            Statement::CreateDatabase(create) => create.fmt(f),
            Statement::CreateFunction(create) => create.fmt(f),
            Statement::CreateModel(create) => create.fmt(f),
            Statement::CreateConnection(create) => create.fmt(f),
            Statement::Alter(alter) => alter.fmt(f),
            Statement::Drop(drop) => drop.fmt(f),
            Statement::Use(target) => target.fmt(f),
            Statement::Show(show) => show.fmt(f),
            Statement::Describe(describe) => describe.fmt(f),
            session => self::session(f, session),
        }
    }
}

/// Statements about the session.
fn session(f: &mut Formatter<'_>, statement: &Statement) -> fmt::Result {
    match statement {
        Statement::Set(None) => f.write_str("SET"),
        Statement::Set(Some(option)) => write!(f, "SET {option}"),
        Statement::Reset(None) => f.write_str("RESET"),
        Statement::Reset(Some(key)) => write!(f, "RESET {key}"),
        Statement::LoadModule { name, options } => {
            write!(f, "LOAD MODULE {name}{}", ParenClause("WITH", options))
        }
        Statement::UnloadModule(name) => write!(f, "UNLOAD MODULE {name}"),
        Statement::AddJar(path) => write!(f, "ADD JAR {path}"),
        Statement::RemoveJar(path) => write!(f, "REMOVE JAR {path}"),
        Statement::StopJob { job_id, with_savepoint, with_drain } => {
            let savepoint = when(*with_savepoint, " WITH SAVEPOINT");
            let drain = when(*with_drain, " WITH DRAIN");
            write!(f, "STOP JOB {job_id}{savepoint}{drain}")
        }
        Statement::Client(command) => command.fmt(f),
        _ => Ok(()), // every other statement is printed by the caller
    }
}

impl Display for ClientCommand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ClientCommand::Quit => f.write_str("QUIT"),
            ClientCommand::Clear => f.write_str("CLEAR"),
            ClientCommand::Help => f.write_str("HELP"),
            ClientCommand::Source(path) => write!(f, "SOURCE {path}"),
        }
    }
}

impl Display for CompilePlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let execute = when(self.and_execute, "AND EXECUTE ");
        let exists = when(self.if_not_exists, " IF NOT EXISTS");
        write!(f, "COMPILE {execute}PLAN {}{exists} FOR ", self.path)?;
        subject(f, &self.statement)
    }
}

impl Display for Explain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("EXPLAIN ")?;
        if !self.details.is_empty() {
            write!(f, "{} ", Commas(&self.details))?;
        }
        subject(f, &self.statement)?;
        match &self.savepoint {
            Some(savepoint) => write!(f, " COMPATIBLE WITH {savepoint}"),
            None => Ok(()),
        }
    }
}

/// A statement inside of another one, where a statement set goes without `EXECUTE`.
fn subject(f: &mut Formatter<'_>, statement: &Statement) -> fmt::Result {
    match statement {
        Statement::StatementSet(set) => set.fmt(f),
        other => other.fmt(f),
    }
}

impl Display for ExplainDetail {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExplainDetail::EstimatedCost => "ESTIMATED_COST",
            ExplainDetail::ChangelogMode => "CHANGELOG_MODE",
            ExplainDetail::PlanAdvice => "PLAN_ADVICE",
            ExplainDetail::JsonExecutionPlan => "JSON_EXECUTION_PLAN",
        })
    }
}
