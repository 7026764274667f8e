//! A session: catalogs, configuration, and the execution of statements.
//!
//! [`Session::execute`] runs everything that needs no job by itself and answers a [`StatementResult`]. Queries
//! and inserts are planned to a job graph that the caller runs: a session knows no runtime.

mod ddl;
mod describe;
mod explain;
mod filter;
mod result;
mod settings;
mod show;
mod show_create;
mod type_text;

pub(crate) use ddl::function::not_callable;
pub use result::{JobStatement, Rows, StateComparison, StatementResult};
pub(crate) use show::function_names;
pub(crate) use show_create::is_secret;

use crate::catalog::{CatalogManager, Table};
use crate::planner::{PlannedJob, PlannedQuery, Planner, ResolvedSchema};
use crate::{SqlError, SqlResult};
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_sql_parser::ast::{Insert, Query, Statement, StringLiteral};
use headwater_types::LogicalType;
use headwater_types::config::Configuration;

/// State that statements read and change.
pub struct Session {
    catalog: CatalogManager,
    config: Configuration,
    initial_config: Configuration,
    registry: Registry,
    env: Env,
    modules: ddl::module::Modules,
    /// Inserts since `BEGIN STATEMENT SET`.
    statement_set: Option<Vec<Insert>>,
    warnings: Vec<String>,
}

impl Session {
    /// A session with an empty default catalog. `RESET` returns to `config`.
    pub fn new(config: Configuration, registry: Registry, env: Env) -> Self {
        Self {
            catalog: CatalogManager::new(),
            initial_config: config.clone(),
            config,
            registry,
            env,
            modules: ddl::module::Modules::default(),
            statement_set: None,
            warnings: vec![],
        }
    }

    /// The catalogs.
    pub fn catalog(&self) -> &CatalogManager {
        &self.catalog
    }

    /// The catalogs, for clients that add tables without SQL.
    pub fn catalog_mut(&mut self) -> &mut CatalogManager {
        &mut self.catalog
    }

    /// The configuration, SET included.
    pub fn config(&self) -> &Configuration {
        &self.config
    }

    /// Sets a configuration value, as SET does, without checking it.
    pub fn set_config(&mut self, key: &str, value: &str) {
        self.config.set(key, value);
    }

    /// Removes a configuration value, so that the default holds again.
    pub fn unset_config(&mut self, key: &str) {
        self.config.unset(key);
    }

    /// The connectors.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Names of the functions that can be called, lower case, in order.
    pub fn function_names(&self) -> Vec<String> {
        function_names()
    }

    /// Warnings since the last call, such as a misspelt configuration key.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Adds warnings of whoever runs what the session planned.
    pub fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Executes a statement. `source` is the text its spans refer to.
    pub fn execute(&mut self, statement: &Statement, source: &str) -> SqlResult<StatementResult> {
        if self.statement_set.is_some() {
            return self.collect(statement, source);
        }
        match statement {
            Statement::Query(query) => Ok(StatementResult::Query(Box::new(self.plan_query(query, source)?))),
            Statement::Insert(insert) => self.job(std::slice::from_ref(insert), source),
            Statement::StatementSet(set) => self.job(&set.inserts, source),
            Statement::BeginStatementSet => {
                self.statement_set = Some(vec![]);
                Ok(StatementResult::Ok)
            }
            Statement::EndStatementSet => {
                let message = "No Statement Set to submit. 'END' statement should be used after 'BEGIN STATEMENT SET'.";
                Err(SqlError::new("no-statement-set", message))
            }
            Statement::Explain(explain) => explain::explain(self, explain, source),
            Statement::Set(option) => settings::set(self, option.as_ref()),
            Statement::Reset(key) => Ok(settings::reset(self, key.as_ref())),
            Statement::Show(statement) => show::show(self, statement),
            Statement::Describe(statement) => describe::describe(self, statement),
            Statement::StopJob { job_id, with_savepoint, with_drain } => stop_job(job_id, *with_savepoint, *with_drain),
            Statement::Client(command) => Ok(StatementResult::Client(command.clone())),
            other => self.execute_ddl(other, source),
        }
    }

    fn execute_ddl(&mut self, statement: &Statement, source: &str) -> SqlResult<StatementResult> {
        match statement {
            Statement::CreateTable(statement) => ddl::create_table::create_table(self, statement, source),
            Statement::CreateView(statement) => ddl::view::create_view(self, statement, source),
            Statement::CreateCatalog(statement) => ddl::namespace::create_catalog(self, statement),
            Statement::CreateDatabase(statement) => ddl::namespace::create_database(self, statement),
            Statement::CreateFunction(statement) => ddl::function::create(self, statement),
            Statement::CreateModel(statement) => ddl::model::create(self, statement),
            Statement::Alter(statement) => ddl::alter::alter(self, statement, source),
            Statement::Drop(statement) => ddl::drop::drop(self, statement),
            Statement::Use(statement) => ddl::namespace::use_statement(self, statement),
            Statement::LoadModule { name, options } => self.modules.load(name, options),
            Statement::UnloadModule(name) => self.modules.unload(name),
            Statement::Truncate(name) => ddl::change::truncate(self, name),
            Statement::Analyze(statement) => ddl::change::analyze(self, statement),
            Statement::Delete(statement) => ddl::change::delete(self, statement),
            Statement::Update(statement) => ddl::change::update(self, statement),
            other => Err(SqlError::unsupported(statement_name(other), None)),
        }
    }

    /// A statement between BEGIN STATEMENT SET and END.
    fn collect(&mut self, statement: &Statement, source: &str) -> SqlResult<StatementResult> {
        match (statement, self.statement_set.as_mut()) {
            (Statement::Insert(insert), Some(set)) => {
                set.push((**insert).clone());
                Ok(StatementResult::Ok)
            }
            (Statement::EndStatementSet, Some(set)) => {
                let inserts = std::mem::take(set);
                self.statement_set = None;
                if inserts.is_empty() { Ok(StatementResult::Ok) } else { self.job(&inserts, source) }
            }
            _ => {
                let message = "Only 'INSERT/CREATE TABLE AS' statement is allowed in Statement Set or use 'END' statement to \
                               submit Statement Set.";
                Err(SqlError::new("not-an-insert", message))
            }
        }
    }

    fn job(&mut self, inserts: &[Insert], source: &str) -> SqlResult<StatementResult> {
        let planned = self.plan_inserts(inserts, source)?;
        self.warnings.extend(planned.warnings.iter().cloned());
        Ok(StatementResult::Job(Box::new(planned)))
    }

    pub(in crate::session) fn planner(&self) -> Planner<'_> {
        Planner::new(&self.catalog, &self.registry, &self.config, self.env.clone())
    }

    /// Plans a query whose rows go to the client.
    pub fn plan_query(&self, query: &Query, source: &str) -> SqlResult<PlannedQuery> {
        self.planner().plan_query(query, source)
    }

    /// Plans inserts as one job.
    pub fn plan_inserts(&self, inserts: &[Insert], source: &str) -> SqlResult<PlannedJob> {
        self.planner().plan_inserts(inserts, source)
    }

    /// Types the columns of a table and checks its expressions.
    pub fn resolve_table(&self, table: &Table) -> SqlResult<ResolvedSchema> {
        self.planner().resolve_table(table)
    }

    /// Names and types of the columns of a query.
    pub fn query_columns(&self, query: &Query, source: &str) -> SqlResult<Vec<(String, LogicalType)>> {
        self.planner().query_columns(query, source)
    }
}

fn stop_job(id: &StringLiteral, savepoint: bool, drain: bool) -> SqlResult<StatementResult> {
    if drain && !savepoint {
        let message = "WITH DRAIN could only be used after WITH SAVEPOINT.";
        return Err(SqlError::new("drain-without-savepoint", message).with_span(id.span));
    }
    Ok(StatementResult::Jobs(JobStatement::Stop { id: id.value.clone(), savepoint, drain }))
}

/// What a statement is called, for "not supported yet".
fn statement_name(statement: &Statement) -> &'static str {
    match statement {
        Statement::CompilePlan(_) => "COMPILE PLAN",
        Statement::ExecutePlan(_) => "EXECUTE PLAN",
        Statement::Call(_) => "CALL",
        Statement::CreateMaterializedTable(_) => "CREATE MATERIALIZED TABLE",
        Statement::CreateConnection(_) => "CREATE CONNECTION",
        Statement::AddJar(_) => "ADD JAR",
        Statement::RemoveJar(_) => "REMOVE JAR",
        _ => "this statement",
    }
}

#[cfg(test)]
mod tests;
