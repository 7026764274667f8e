//! Scripts as jobs: what their INSERT statements plan to.

use headwater_embedded::Engine;
use headwater_jobmanager::Handle;
use headwater_plan::JobGraph;
use headwater_rest::cluster::{ScriptOptions, Scripts};
use headwater_sql::SqlError;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::ast::Statement;
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::time::Duration;

/// How long a JobManager may take to accept a job.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Takes warnings about a script.
type Warn<'a> = &'a mut dyn FnMut(&str);

/// Runs the statements of a script and hands every job that one plans to `take`, in order.
///
/// # Errors
/// When a statement is wrong, with its place, or is none that can run without somebody who looks at its result.
pub fn graphs(
    script: &str,
    config: Configuration,
    warn: Warn<'_>,
    mut take: impl FnMut(JobGraph) -> Result<()>,
) -> Result<()> {
    let mut engine = Engine::new(config);
    let (statements, syntax_error) = parse_script(script);
    let wrong = |error: SqlError| Error::user("bad-script", error.render(script));
    for parsed in &statements {
        let refuse = |what| wrong(SqlError::new("not-for-a-cluster", what).with_span(parsed.span));
        if let Statement::Client(_) = &parsed.statement {
            return Err(refuse("SOURCE, QUIT and the like are for the prompt, not for a script that a cluster runs"));
        }
        let result = engine.execute(&parsed.statement, script).map_err(wrong);
        engine.session_mut().take_warnings().iter().for_each(|warning| warn(warning));
        match result? {
            StatementResult::Job(job) => take(engine.job_graph(&job)?)?,
            StatementResult::Query(_) => {
                return Err(refuse("nobody reads the rows of this query: write them to a table by INSERT INTO"));
            }
            StatementResult::Jobs(_) => return Err(refuse("jobs are listed and stopped by the verbs of the client")),
            StatementResult::Ok
            | StatementResult::Rows(_)
            | StatementResult::CompareState(_)
            | StatementResult::Client(_) => {}
        }
    }
    match syntax_error {
        None => Ok(()),
        Some(error) => Err(wrong(error.into())),
    }
}

/// Plans and runs scripts where the JobManager is.
pub struct ClusterScripts {
    config: Configuration,
    handle: Handle,
}

impl ClusterScripts {
    /// Of the cluster of this handle and configuration.
    pub fn new(config: Configuration, handle: Handle) -> Self {
        Self { config, handle }
    }

    fn graphs(&self, script: &str, options: &ScriptOptions, take: impl FnMut(JobGraph) -> Result<()>) -> Result<()> {
        let mut config = self.config.clone();
        options.config.iter().for_each(|(key, value)| config.set(key, value));
        graphs(script, config, &mut |warning| tracing::warn!(warning, "a script"), take)
    }
}

impl Scripts for ClusterScripts {
    fn plan(&self, script: &str, options: &ScriptOptions) -> Result<Vec<JobGraph>> {
        let mut planned = vec![];
        self.graphs(script, options, |graph| {
            planned.push(graph);
            Ok(())
        })?;
        Ok(planned)
    }

    fn run(&self, script: &str, options: &ScriptOptions) -> Result<Vec<JobId>> {
        let mut jobs = vec![];
        self.graphs(script, options, |graph| {
            jobs.push(self.handle.request_submit(&graph)?.wait(SUBMIT_TIMEOUT)??);
            Ok(())
        })?;
        Ok(jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(script: &str) -> Result<Vec<String>> {
        let mut names = vec![];
        let take = |graph: JobGraph| {
            names.push(graph.name);
            Ok(())
        };
        graphs(script, Configuration::new(), &mut |_| {}, take)?;
        Ok(names)
    }

    const TABLES: &str = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\n\
                          CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');\n";

    #[test]
    fn every_insert_is_a_job() {
        let script =
            format!("{TABLES} INSERT INTO b SELECT id FROM n; SET 'pipeline.name' = 'two'; INSERT INTO b SELECT 1;");
        let names = planned(&script).expect("the script is right");
        assert_eq!(names, ["insert-into_default_catalog.default_database.b", "two"]);
    }

    #[test]
    fn what_needs_somebody_who_looks_is_refused() {
        for (statement, message) in [
            ("SELECT 1", "INSERT INTO"),
            ("SOURCE 'other.sql'", "for the prompt"),
            ("SHOW JOBS", "verbs of the client"),
            ("INSERT INTO nowhere SELECT 1", "nowhere"),
            ("INSERT INTO", "line"),
        ] {
            let error = planned(&format!("{TABLES}{statement};")).expect_err(statement);
            assert!(error.message().contains(message), "{statement}: {}", error.message());
        }
    }
}
