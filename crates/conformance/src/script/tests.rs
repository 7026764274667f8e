use super::compare::{error, output};
use super::*;
use headwater_sql_parser::Span;

fn statements(text: &str) -> Vec<(usize, String, String, Tag)> {
    let script = Script::parse(text).expect("a script");
    script.statements.into_iter().map(|s| (s.line, s.sql, s.expected, s.tag)).collect()
}

#[test]
fn statements_end_where_their_semicolon_ends_them() {
    let text = "# note\n\nSELECT ';\n', /*;\n*/ 1 --;\n;\nx\n!ok\n\n-- gone\nDROP TABLE t;\n[INFO] y\n!info\n";
    let first = "SELECT ';\n', /*;\n*/ 1 --;\n;\n".to_owned();
    let second = "-- gone\nDROP TABLE t;\n".to_owned();
    let expected = [(3, first, "x\n".to_owned(), Tag::Ok), (10, second, "[INFO] y\n".to_owned(), Tag::Info)];
    assert_eq!(statements(text), expected);
}

#[test]
fn several_statements_are_separated_from_their_text() {
    let expected = [(1, "SET 'a' = 'b';\nSET;\n".to_owned(), "x\n".to_owned(), Tag::Ok)];
    assert_eq!(statements("SET 'a' = 'b'; SET;\n!output\nx\n!ok\n").len(), 1);
    let script = "SET 'a' = 'b'\n;\n!output\n!ok\n";
    assert_eq!(statements(script), [(1, "SET 'a' = 'b'\n;\n".to_owned(), String::new(), Tag::Ok)]);
    assert_ne!(statements(script), expected);
}

#[test]
fn broken_scripts_name_the_line() {
    for (text, line) in [("!ok\n", 1), ("SELECT 1\n!ok\n", 2), ("\nSELECT 1;\nx\n", 2)] {
        assert_eq!(Script::parse(text).err().map(|(line, _)| line), Some(line), "{text}");
    }
}

#[test]
fn placeholders_are_directories_or_unknown() {
    let places = Places::new().expect("a directory");
    let filled = places.fill("'$VAR_BATCH_PATH/x'").expect("a path");
    assert!(filled.ends_with("/batch/x'"), "{filled}");
    for unknown in ["$VAR_REST_PORT", "'$VAR_UDF_JAR_PATH'"] {
        assert!(places.fill(unknown).is_err(), "{unknown}");
    }
}

fn printed(text: &str) -> Printed {
    Printed { text: text.to_owned(), error: None }
}

#[test]
fn only_rows_without_an_order_may_come_in_another_one() {
    let (expected, other) = ("| a |\n| b |", "| b |\n| a |\n");
    let same = |sql: &str| output(Tag::Ok, expected, sql, &printed(other)).is_ok();
    assert!(same("SELECT x FROM t;"));
    assert!(!same("SELECT x FROM t ORDER BY x;"));
    assert!(!same("SHOW TABLES;"));
}

#[test]
fn the_gravest_message_is_the_tag() {
    let text = "[WARNING] old\n[INFO] done\n";
    assert!(output(Tag::Warning, text, "RESET;", &printed(text)).is_ok());
    assert!(output(Tag::Info, text, "RESET;", &printed(text)).is_err());
}

fn failed(code: &'static str, message: &str, span: Option<Span>) -> Printed {
    let error = SqlError { span, ..SqlError::new(code, message) };
    Printed { text: "[ERROR] ..".to_owned(), error: Some(error) }
}

#[test]
fn errors_are_compared_without_classes_and_layout() {
    let reason = "[ERROR] Could not execute SQL statement. Reason:\n";
    let compared = |expected: &str, message: &str| {
        error(&format!("{reason}{expected}"), "USE x;", &failed("any", message, None)).is_ok()
    };
    assert!(compared("org.example.api.BadException: no\n  such: x", "no such: x"));
    assert!(compared("no such: x", "no such: x"));
    assert!(!compared("no such: x", "such: x"));
    assert!(error(reason, "USE x;", &printed("x")).is_err());
}

#[test]
fn what_is_unknown_is_compared_by_kind_and_name() {
    let reason = "[ERROR] Could not execute SQL statement. Reason:\n";
    let compared = |expected: &str, code, message| {
        error(&format!("{reason}a.B: {expected}"), "SELECT x;", &failed(code, message, None)).is_ok()
    };
    assert!(compared("Object 'x' not found", "unknown-table", "unknown table 'x'"));
    assert!(compared("Cannot find table '`c`.`d`.`x`' in any of the catalogs", "unknown-table", "unknown table 'x'"));
    assert!(compared("Column 'x' not found in any table", "unknown-column", "unknown column 'x'"));
    assert!(compared("No match found for function signature x(<NUMERIC>)", "unknown-function", "unknown function 'X'"));
    assert!(compared("Unsupported options:\n\na.b\nSupported options:", "unknown-option", "no option 'a.b'"));
    assert!(!compared("Object 'x' not found", "unknown-column", "unknown column 'x'"));
    assert!(!compared("Object 'x' not found", "unknown-table", "unknown table 'xy'"));
}

#[test]
fn syntax_errors_are_compared_by_place() {
    let expected = "[ERROR] Could not execute SQL statement. Reason:\n\
                    a.b.ParseException: Encountered \".\" at line 2, column 3.\nWas expecting one of:\n  \";\" ...";
    let at = |offset| {
        error(expected, "USE\nx .y;", &failed("syntax-error", "odd", Some(Span::new(offset, offset + 1)))).is_ok()
    };
    assert!(at(6));
    assert!(!at(4));
    assert!(error(expected, "USE\nx .y;", &failed("other", "odd", Some(Span::new(6, 7)))).is_err());
}
