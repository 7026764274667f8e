//! Everything in the shared conformance data parses and prints back, except what is meant
//! to fail. Skipped when the data is not there.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_sql_parser::{is_complete, parse_script, parse_statement, split_statements};

use crate::json::Json;
use crate::roundtrip::shape;

/// `../shared` seen from the workspace root.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: {} does not exist", root.display());
    None
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("readable folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn json_lines(path: &Path) -> Vec<Json> {
    let text = fs::read_to_string(path).expect("readable file");
    text.lines().map(Json::parse).collect()
}

/// Outcomes of one group of inputs.
#[derive(Default)]
struct Tally {
    parsed: usize,
    failures: Vec<String>,
}

impl Tally {
    fn statement(&mut self, sql: &str) {
        match parse_statement(sql) {
            Err(error) => self.failures.push(error.render(sql)),
            Ok(tree) => {
                self.parsed += 1;
                let printed = tree.to_string();
                match parse_statement(&printed) {
                    Ok(again) => assert_eq!(shape(&tree), shape(&again), "printed: {printed}"),
                    Err(error) => panic!("printed from {sql}:\n{}", error.render(&printed)),
                }
            }
        }
    }

    /// An expression, or a list of them.
    fn expressions(&mut self, sql: &str) {
        self.statement(&format!("SELECT {sql}"));
    }

    /// A statement that must parse, must not, or (when it fails for any reason) may do either.
    fn client_case(&mut self, case: &ClientCase) {
        let parses = parse_statement(&case.sql).is_ok();
        if case.expected.contains("SQL parse failed") && parses {
            self.failures.push(format!("should not parse: {}", case.sql));
        } else if parses || !case.is_error {
            self.statement(&case.sql);
        }
    }

    fn script(&mut self, sql: &str) {
        let pieces = split_statements(sql);
        let (statements, error) = parse_script(sql);
        if let Some(error) = error {
            self.failures.push(error.render(sql));
            return;
        }
        let spans: Vec<_> = statements.iter().map(|statement| statement.span).collect();
        assert_eq!(spans, pieces, "splitting agrees with parsing");
        statements.iter().for_each(|found| self.statement(&found.text));
    }

    #[track_caller]
    fn finish(self, group: &str, expected_failures: usize) {
        eprintln!("{group}: {} parsed, {} failed", self.parsed, self.failures.len());
        assert!(self.parsed > 0, "{group}: nothing found");
        let list = self.failures.join("\n\n");
        assert_eq!(self.failures.len(), expected_failures, "{group}:\n{list}");
    }
}

#[test]
fn sql_client_scripts() {
    let Some(root) = shared() else { return };
    let mut tally = Tally::default();
    for path in files(&root.join("conformance/flink-q"), "q") {
        let text = fs::read_to_string(&path).expect("readable file");
        let cases = client_cases(&text).into_iter().filter(is_flink_dialect);
        cases.for_each(|case| tally.client_case(&case));
    }
    tally.finish("flink-q", 0);
}

fn is_flink_dialect(case: &ClientCase) -> bool {
    !case.sql.contains("TBLPROPERTIES")
}

/// A statement of a client script, and what is expected of it.
struct ClientCase {
    sql: String,
    expected: String,
    is_error: bool,
}

fn client_cases(text: &str) -> Vec<ClientCase> {
    let mut cases = Vec::new();
    let mut sql = String::new();
    let mut expected: Option<String> = None;
    for line in text.lines() {
        match expected.take() {
            Some(expected) if line.starts_with('!') => {
                cases.push(ClientCase { sql: std::mem::take(&mut sql), expected, is_error: line.starts_with("!error") })
            }
            Some(before) => expected = Some(format!("{before}{line}\n")),
            None if line.starts_with('#') => {}
            None => {
                sql = format!("{sql}{line}\n");
                let is_whole = sql.contains(';') && is_complete(&sql);
                expected = is_whole.then(String::new);
            }
        }
    }
    cases
}

#[test]
fn table_programs() {
    let Some(root) = shared() else { return };
    let mut tally = Tally::default();
    for path in files(&root.join("conformance/flink-programs"), "jsonl") {
        for program in json_lines(&path) {
            let steps = program.get("steps").map_or(&[][..], Json::items);
            steps.iter().for_each(|step| program_step(&mut tally, step));
        }
    }
    tally.finish("flink-programs", 0);
}

fn program_step(tally: &mut Tally, step: &Json) {
    for key in ["runSql", "setupSql", "runStatementSet"] {
        let statements = step.get(key).map_or(&[][..], Json::items);
        let texts = statements.iter().filter_map(Json::as_str);
        texts.filter(|sql| !is_placeholder(sql)).for_each(|sql| tally.statement(sql));
    }
    if let Some(sql) = step.get("runFailingSql").and_then(|step| step.items().first()) {
        sql.as_str().into_iter().for_each(|sql| tally.statement(sql));
    }
    for key in ["setupTableSource", "setupTableSink"] {
        if let Some(table) = step.get(key) {
            table_ddl(tally, table);
        }
    }
}

/// Placeholders of the data set for text it could not evaluate.
fn is_placeholder(sql: &str) -> bool {
    sql.contains("(query1)")
}

fn table_ddl(tally: &mut Tally, table: &Json) {
    let schema = table.get("schema").map_or(&[][..], Json::items);
    let fragments: Vec<&str> = schema.iter().filter_map(Json::as_str).collect();
    if !fragments.is_empty() && fragments.len() == schema.len() {
        tally.statement(&format!("CREATE TABLE t ({})", fragments.join(", ")));
    }
}

#[test]
fn java_function_cases() {
    let Some(root) = shared() else { return };
    let mut tally = Tally::default();
    let path = root.join("conformance/flink-functions/java-function-cases.jsonl");
    for function in json_lines(&path) {
        let cases = function.get("cases").map_or(&[][..], Json::items);
        let texts = cases.iter().filter_map(|case| case.get("sql")?.as_str());
        texts.for_each(|sql| tally.expressions(sql));
    }
    tally.finish("java functions", 0);
}

#[test]
fn scala_expression_cases() {
    let Some(root) = shared() else { return };
    let mut tally = Tally::default();
    let path = root.join("conformance/flink-functions/scala-expression-cases.jsonl");
    for case in json_lines(&path) {
        let text = case.get("sql").and_then(Json::as_str);
        let texts = text.into_iter().filter(|sql| !sql.contains("${"));
        texts.for_each(|sql| tally.expressions(sql));
    }
    // An unknown time unit and a superfluous parenthesis, both meant to fail.
    tally.finish("scala expressions", 2);
}

#[test]
fn benchmark_queries() {
    let Some(root) = shared() else { return };
    let mut tally = Tally::default();
    let mut paths = files(&root.join("peers/flink"), "sql");
    paths.extend(files(&root.join("peers/flink/queries"), "sql"));
    for path in paths {
        tally.script(&fs::read_to_string(&path).expect("readable file"));
    }
    tally.finish("benchmark queries", 0);
}
