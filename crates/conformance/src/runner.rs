//! Runs the lines of case files, and scripts.

use crate::function::{ExpressionCase, FunctionGroup, TestRows};
use crate::outcome::Stop;
use crate::phases::GatedValues;
use crate::program::Program;
use crate::script::{Places, Script, ScriptSession, Statement};
use crate::{Error, Outcome, files};
use headwater_embedded::Engine;
use headwater_env::Env;
use headwater_types::config::Configuration;
use serde_json::Value;
use std::io::{self, BufRead};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Called with every outcome as it comes.
pub type OnOutcome<'a> = dyn FnMut(&Outcome) -> io::Result<()> + 'a;

/// Opens the session of a script.
pub type OpenSession = dyn Fn() -> Box<dyn ScriptSession>;

/// Runs cases, each in a session of its own on one cluster; a script has a session for all of its statements.
pub struct Runner {
    engine: Engine,
    config: Configuration,
    filter: Option<String>,
    open_session: Option<Box<OpenSession>>,
}

/// A case that can be run.
enum Case {
    Program(Program),
    Group(FunctionGroup),
    Expression(ExpressionCase),
}

impl Runner {
    /// A runner; with a filter only cases run whose id contains it.
    pub fn new(config: Configuration, filter: Option<String>) -> Self {
        Self { engine: gated_engine(&config), config, filter, open_session: None }
    }

    /// The same runner, which also runs scripts: their statements run in what is opened here.
    #[must_use]
    pub fn with_sessions(self, open: Box<OpenSession>) -> Self {
        Self { open_session: Some(open), ..self }
    }

    /// Runs all cases of a file in order.
    pub fn run_file(&mut self, path: &Path, on_outcome: &mut OnOutcome<'_>) -> Result<(), Error> {
        match files::is_script(path) {
            true => self.run_script(path, on_outcome),
            false => self.run_lines(path, on_outcome),
        }
    }

    /// Runs the statements of a script. Those before one that is wanted run as well: it may need what they declare.
    fn run_script(&mut self, path: &Path, on_outcome: &mut OnOutcome<'_>) -> Result<(), Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_path_buf(), source };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let bad_line = |(line, reason)| Error::BadLine { path: path.to_path_buf(), line, reason };
        let script = Script::parse(&text).map_err(bad_line)?;
        let places = Places::new().map_err(unreadable)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let mut session = None;
        for statement in &script.statements {
            let id = format!("{file}:{}", statement.line);
            let is_wanted = self.filter.as_ref().is_none_or(|filter| id.contains(filter.as_str()));
            let outcome = Outcome::new(id, self.run_statement(&mut session, statement, &places));
            if is_wanted {
                on_outcome(&outcome).map_err(Error::Output)?;
            }
        }
        Ok(())
    }

    /// Runs a statement in the session of its script. After a panic the rest of the script has a new session.
    fn run_statement(
        &self,
        session: &mut Option<Box<dyn ScriptSession>>,
        statement: &Statement,
        places: &Places,
    ) -> Result<(), Stop> {
        let Some(open) = &self.open_session else {
            return Err(Stop::skipped("scripts need an SQL client, which runs nowhere here"));
        };
        let opened = session.get_or_insert_with(open);
        let ran = catch_unwind(AssertUnwindSafe(|| statement.run(&mut **opened, places)));
        ran.unwrap_or_else(|payload| {
            *session = None;
            Err(panicked(payload.as_ref()))
        })
    }

    fn run_lines(&mut self, path: &Path, on_outcome: &mut OnOutcome<'_>) -> Result<(), Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_path_buf(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let rows = TestRows::beside(path);
        for (number, line) in (1..).zip(io::BufReader::new(file).lines()) {
            let line = line.map_err(unreadable)?;
            if line.trim().is_empty() {
                continue;
            }
            let bad_line = |reason: String| Error::BadLine { path: path.to_path_buf(), line: number, reason };
            let json: Value = serde_json::from_str(&line).map_err(|error| bad_line(error.to_string()))?;
            let case = parse(&json, number).map_err(bad_line)?;
            for outcome in self.run_case(&case, rows.as_ref()) {
                on_outcome(&outcome).map_err(Error::Output)?;
            }
        }
        Ok(())
    }

    fn run_case(&mut self, case: &Case, rows: Option<&TestRows>) -> Vec<Outcome> {
        let filter = self.filter.clone();
        let is_wanted = |id: &str| filter.as_ref().is_none_or(|filter| id.contains(filter.as_str()));
        match case {
            Case::Program(program) if is_wanted(&program.id) => {
                vec![Outcome::new(program.id.clone(), self.run_program(program))]
            }
            Case::Group(group) => {
                let wanted: Vec<usize> = (0..group.cases.len()).filter(|i| is_wanted(&group.case_id(*i))).collect();
                let outcome = |i: usize| Outcome::new(group.case_id(i), self.guarded(|engine| group.run(engine, i)));
                wanted.into_iter().map(outcome).collect()
            }
            Case::Expression(case) if is_wanted(&case.id) => {
                vec![Outcome::new(case.id.clone(), self.guarded(|engine| case.run(engine, rows)))]
            }
            _ => vec![],
        }
    }

    /// Runs a program in all of its variants, up to the first that does not pass.
    fn run_program(&mut self, program: &Program) -> Result<(), Stop> {
        let mut variants = program.variants().iter();
        variants.try_for_each(|between| self.guarded(|engine| program.run(engine, *between)))
    }

    /// Runs a case in a new session. A panic fails the case; the engine is replaced, since nothing is known of
    /// its state any more.
    fn guarded(&mut self, run: impl FnOnce(&mut Engine) -> Result<(), Stop>) -> Result<(), Stop> {
        self.engine.reset_session();
        let engine = &mut self.engine;
        catch_unwind(AssertUnwindSafe(|| run(engine))).unwrap_or_else(|payload| {
            self.engine = gated_engine(&self.config);
            Err(panicked(payload.as_ref()))
        })
    }
}

/// An engine whose test sources have gates.
fn gated_engine(config: &Configuration) -> Engine {
    let mut registry = headwater_connectors::registry();
    registry.register(Arc::new(GatedValues));
    Engine::with(config.clone(), registry, Env::real())
}

fn parse(json: &Value, line: usize) -> Result<Case, String> {
    if json.get("steps").is_some() {
        return Program::parse(json).map(Case::Program);
    }
    if json.get("cases").is_some() {
        return FunctionGroup::parse(json).map(Case::Group);
    }
    if json.get("sql").is_some() {
        return ExpressionCase::parse(json, line).map(Case::Expression);
    }
    Err("expected a case: an object with 'steps', 'cases' or 'sql'".to_string())
}

fn panicked(payload: &(dyn std::any::Any + Send)) -> Stop {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Stop::failed(format!("the engine panicked: {text}"))
}
