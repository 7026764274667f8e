//! Statements of a session by scripts.

use super::*;
use expect_test::expect;
use headwater_sql_parser::parse_script;

/// Runs a script in a new session; one answer a statement, of tables the first column.
pub(super) fn run(script: &str) -> String {
    let mut session = Session::new(Configuration::new(), Registry::new(), Env::real());
    let (statements, error) = parse_script(script);
    assert_eq!(error, None, "{script}");
    let answers: Vec<String> =
        statements.iter().map(|parsed| answer(session.execute(&parsed.statement, script))).collect();
    answers.join("\n")
}

fn answer(result: SqlResult<StatementResult>) -> String {
    match result {
        Ok(StatementResult::Ok) => "ok".to_string(),
        Ok(StatementResult::Rows(rows)) => {
            let firsts: Vec<String> = rows.rows.iter().map(|row| row[0].clone().unwrap_or_default()).collect();
            firsts.join("\n")
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error: {}", error.message),
    }
}

#[test]
fn set_and_reset_return_to_where_the_session_started() {
    expect![[r#"
        ok
        ok
        a
        table.dml-sync
        ok
        table.dml-sync
        ok
    "#]]
    .assert_eq(&run("SET 'table.dml-sync' = 'true'; SET 'a' = '1'; SET; RESET 'a'; SET; RESET; SET"));
    assert!(run("SET 'table.dml-sync' = 'maybe'").starts_with("error: 'maybe' is not a valid value"));
    assert!(
        run("SET 'table.local-time-zone' = 'Europe/Berlim'").starts_with("error: 'Europe/Berlim' is not a time zone")
    );
    assert!(run("SET 'execution.runtime-mode' = 'BATHC'").starts_with("error: 'BATHC' is not a valid value"));
}

#[test]
fn filters_are_sqls_like() {
    for (text, pattern, expected) in [
        ("person", "p_r%", true),
        ("person", "%son", true),
        ("person", "P%", false),
        ("a%b", "a\\%b", true),
        ("axb", "a\\%b", false),
        ("", "%", true),
        ("aaab", "%a%b", true),
        ("aaac", "%a%b", false),
    ] {
        assert_eq!(filter::like(text, pattern), expected, "{text} LIKE {pattern}");
    }
}

#[test]
fn a_statement_set_takes_inserts_only() {
    let answer = run("BEGIN STATEMENT SET; SHOW TABLES; END");
    assert!(
        answer.starts_with("ok\nerror: Only 'INSERT/CREATE TABLE AS' statement is allowed in Statement Set"),
        "{answer}"
    );
}

#[test]
fn what_is_not_there_yet_says_so() {
    for (statement, expected) in
        [("ADD JAR 'x.jar'", "ADD JAR is not supported yet"), ("CALL p()", "CALL is not supported yet")]
    {
        assert_eq!(run(statement), format!("error: {expected}"));
    }
    let call = run("CREATE FUNCTION f AS 'x'; SELECT F(1)");
    assert_eq!(call, "ok\nerror: the function 'F' of the Java class 'x' is not supported yet");
}
