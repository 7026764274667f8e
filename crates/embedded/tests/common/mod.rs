//! Running scripts.

use headwater_embedded::Engine;
use headwater_sql::planner::PlannedJob;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;

/// Runs the statements of a script; the job of its last INSERT, which is not started.
pub fn planned(engine: &mut Engine, script: &str) -> Box<PlannedJob> {
    let (statements, error) = parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let mut job = None;
    for parsed in &statements {
        let result = engine.execute(&parsed.statement, script).unwrap_or_else(|e| panic!("{}", e.render(script)));
        if let StatementResult::Job(planned) = result {
            job = Some(planned);
        }
    }
    job.expect("the script has an INSERT")
}
