//! No input makes the parser panic, and all it accepts prints back.

use headwater_sql_parser::{is_complete, parse_expression, parse_script, parse_statement, split_statements, tokens};
use proptest::prelude::*;

use crate::roundtrip::shape;

/// Words and symbols that lead deep into the grammar.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    ";",
    "*",
    "+",
    "-",
    "/",
    "%",
    "||",
    "=",
    "<>",
    "<",
    ">",
    "=>",
    ":",
    "?",
    "^",
    "|",
    "$",
    "'x'",
    "`a`",
    "a",
    "b",
    "t",
    "1",
    "1.5",
    "x'00'",
    "x'0'",
    "U&'\\0'",
    "NULL",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "BETWEEN",
    "LIKE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "AS",
    "INT",
    "ROW",
    "ARRAY",
    "MAP",
    "INTERVAL",
    "DAY",
    "TO",
    "SECOND",
    "DATE",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "LATERAL",
    "TABLE",
    "UNNEST",
    "MATCH_RECOGNIZE",
    "PATTERN",
    "DEFINE",
    "OVER",
    "FILTER",
    "WITH",
    "UNION",
    "VALUES",
    "INSERT INTO",
    "CREATE",
    "ALTER",
    "DROP",
    "SHOW",
    "DESCRIBE",
    "EXPLAIN",
    "SET",
    "EXECUTE",
    "STATEMENT SET BEGIN",
    "BEGIN",
    "COMPILE PLAN",
    "WATERMARK FOR",
    "PRIMARY KEY",
    "JSON_VALUE",
    "JSON_OBJECT",
    "TRIM",
    "EXTRACT",
    "FLOOR",
    "EXISTS",
    "/*+",
    "*/",
    "/*",
    "--",
    "\n",
    "'",
    "`",
    "#",
    "é",
    "LIMIT",
    "FETCH",
    "FOR SYSTEM_TIME AS OF",
    "GROUPING SETS",
    "ADD",
    "PARTITION",
    "METADATA",
    "ON CONFLICT DO",
    "user",
    "CURRENT_DATE",
    "value",
    "DESCRIPTOR",
];

/// Statements to take apart.
const SEEDS: &[&str] = &[
    "CREATE TABLE t (a INT NOT NULL, b AS a + 1, m STRING METADATA FROM 'x' VIRTUAL, ts TIMESTAMP(3), \
     WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (a) NOT ENFORCED) WITH ('k' = 'v')",
    "INSERT INTO s SELECT k, COUNT(DISTINCT a) FILTER (WHERE b > 1) FROM TABLE(TUMBLE(TABLE t, \
     DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY GROUPING SETS ((k, window_start), ())",
    "SELECT * FROM o LEFT JOIN d FOR SYSTEM_TIME AS OF o.p AS d ON o.id = d.id AND d.x[1].y IN (1, 2)",
    "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY ts MEASURES A.x AS x ONE ROW PER MATCH \
     AFTER MATCH SKIP TO LAST B PATTERN (A B+? {- C -}) WITHIN INTERVAL '1' HOUR DEFINE A AS A.x > 1)",
    "WITH c AS (SELECT JSON_VALUE(a, '$.x' RETURNING INT DEFAULT 1 ON EMPTY) v FROM t) SELECT CASE v \
     WHEN 1 THEN 'a' ELSE TRIM(BOTH 'x' FROM b) END FROM c ORDER BY 1 DESC NULLS LAST LIMIT 10",
    "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b (x, y) VALUES (1, NULL); END;",
    "ALTER TABLE t ADD (a INT COMMENT 'x' AFTER b, WATERMARK FOR ts AS ts)",
];

/// Runs everything; an accepted statement must print and parse to the same tree.
fn survive(source: &str) {
    let _ = is_complete(source);
    let _ = parse_expression(source);
    let spans: Vec<_> = tokens(source).iter().map(|token| token.span).collect();
    assert!(spans.is_sorted_by(|left, right| left.end <= right.start));
    for span in split_statements(source) {
        assert!(source.get(span.range()).is_some());
    }
    let (statements, error) = parse_script(source);
    if let Some(error) = error {
        assert!(!error.render(source).is_empty());
    }
    for found in statements {
        let printed = found.statement.to_string();
        match parse_statement(&printed) {
            Ok(again) => assert_eq!(shape(&found.statement), shape(&again), "{printed}"),
            Err(error) => panic!("from {source}:\n{}", error.render(&printed)),
        }
    }
}

/// Cuts a piece out of a text, or puts another in, at character boundaries.
fn mutate(seed: &str, at: usize, length: usize, insert: &str) -> String {
    let chars: Vec<char> = seed.chars().collect();
    let start = at % (chars.len() + 1);
    let end = (start + length).min(chars.len());
    let (before, after) = (&chars[..start], &chars[end..]);
    before.iter().copied().chain(insert.chars()).chain(after.iter().copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(source in "\\PC{0,80}") {
        survive(&source);
    }

    #[test]
    fn any_words(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        survive(&pieces.join(" "));
    }

    #[test]
    fn mutated_statements(
        seed in prop::sample::select(SEEDS),
        changes in prop::collection::vec((0..400usize, 0..20usize, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut source = seed.to_owned();
        for (at, length, insert) in changes {
            source = mutate(&source, at, length, &format!(" {insert} "));
        }
        survive(&source);
    }

    #[test]
    fn truncated_statements(seed in prop::sample::select(SEEDS), at in 0..400usize) {
        survive(&mutate(seed, at, seed.len(), ""));
    }
}
