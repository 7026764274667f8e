//! Deep and long input ends in an error, never in a stack overflow.

use headwater_sql_parser::{MAX_NESTING, ParseError, parse_expression, parse_statement};

/// The smallest stack a thread is expected to have.
const STACK_BYTES: usize = 2 << 20;

fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(test);
    thread.expect("a thread").join().expect("no panic");
}

/// Uses the tree in all recursive ways.
fn exercise(sql: &str) -> Result<(), ParseError> {
    let tree = parse_statement(sql)?;
    let copy = tree.clone();
    assert_eq!(tree, copy);
    assert!(!format!("{tree:?}").is_empty());
    assert_eq!(parse_statement(&tree.to_string())?.to_string(), tree.to_string());
    Ok(())
}

#[test]
fn long_logical_chains_are_fine() {
    on_small_stack(|| {
        let and = vec!["a = 1"; 10_000].join(" AND ");
        exercise(&format!("SELECT * FROM t WHERE {and}")).expect("valid");
        let or = vec!["(a = 1 AND b = 2)"; 10_000].join(" OR ");
        exercise(&format!("SELECT * FROM t WHERE {or}")).expect("valid");
        let list = vec!["1"; 50_000].join(", ");
        exercise(&format!("SELECT * FROM t WHERE a IN ({list})")).expect("valid");
    });
}

#[test]
fn chains_up_to_the_bound_are_fine() {
    on_small_stack(|| {
        exercise(&format!("SELECT {}", vec!["1"; 240].join(" + "))).expect("valid");
        exercise(&vec!["SELECT 1"; 240].join(" UNION ALL ")).expect("valid");
        exercise(&format!("SELECT * FROM a{}", " JOIN b ON TRUE".repeat(240))).expect("valid");
        exercise(&format!("SELECT a{}", "[1]".repeat(240))).expect("valid");
        exercise(&format!("SELECT CAST(a AS INT{})", " ARRAY".repeat(120))).expect("valid");
    });
}

#[test]
fn everything_deep_is_refused() {
    let deep =
        |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(20_000), close.repeat(20_000));
    let inputs = [
        format!("SELECT {}", deep("(", "1", ")")),
        format!("SELECT {}", deep("- ", "1", "")),
        format!("SELECT {}", deep("NOT ", "a", "")),
        format!("SELECT {}", deep("f(", "1", ")")),
        format!("SELECT {}", deep("ARRAY[", "1", "]")),
        format!("SELECT {}", deep("a[", "1", "]")),
        format!("SELECT {}", deep("CASE WHEN a THEN ", "1", " END")),
        format!("SELECT {}", deep("CAST(", "1", " AS INT)")),
        format!("SELECT {}", deep("(SELECT ", "1", ")")),
        format!("SELECT {}", deep("EXISTS (SELECT ", "1", ")")),
        format!("SELECT {}", deep("1 IN (SELECT ", "1", ")")),
        format!("SELECT {}", deep("a = (b AND ", "c", ")")),
        format!("SELECT {}", deep("1 + (2 * ", "1", ")")),
        format!("SELECT {}", deep("a BETWEEN 1 AND (", "1", ")")),
        format!("SELECT {}", deep("JSON_ARRAY(", "1", ")")),
        format!("SELECT CAST(a AS {})", deep("ARRAY<", "INT", ">")),
        format!("SELECT CAST(a AS {})", deep("ROW<a ", "INT", ">")),
        format!("SELECT * FROM {}", deep("(", "t", ")")),
        format!("SELECT * FROM {}", deep("(SELECT * FROM ", "t", ")")),
        format!("SELECT * FROM {}", deep("a JOIN (", "b", ")")),
        format!("SELECT * FROM {}", deep("f(TABLE (SELECT * FROM ", "b", "))")),
        format!("SELECT a FROM t GROUP BY {}", deep("ROLLUP (", "a", ")")),
        format!("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({}) DEFINE A AS TRUE)", deep("(", "A", ")")),
        deep("(", "SELECT 1", ")"),
        deep("WITH a AS (", "SELECT 1", ") SELECT 1"),
        deep("EXPLAIN ", "SELECT 1", ""),
        format!("SELECT {}", vec!["1"; 20_000].join(" + ")),
        format!("SELECT {}", vec!["1"; 20_000].join(" = ")),
        format!("SELECT a{}", " IS NULL".repeat(20_000)),
        format!("SELECT a{}", "[1]".repeat(20_000)),
        vec!["SELECT 1"; 20_000].join(" UNION "),
        vec!["SELECT 1"; 20_000].join(" INTERSECT "),
        format!("SELECT * FROM a{}", " CROSS JOIN b".repeat(20_000)),
        format!("SELECT CAST(a AS INT{})", " ARRAY".repeat(20_000)),
    ];
    on_small_stack(move || {
        for sql in inputs {
            let start: String = sql.chars().take(60).collect();
            let error = exercise(&sql).expect_err(&start);
            assert!(error.message.contains("too deeply nested"), "{start}: {error}");
        }
    });
}

/// The deepest accepted input of each kind is used in all ways on a small stack.
#[test]
fn the_deepest_accepted_input_fits_the_stack() {
    let kinds: [(&str, &str, &str); 9] = [
        ("(1 + ", "1", ")"),
        ("NOT ", "a", ""),
        ("f(", "1", ")"),
        ("CASE WHEN a THEN ", "1", " END"),
        ("(SELECT ", "1", ")"),
        ("(SELECT * FROM t WHERE a IN (SELECT a FROM u JOIN v ON b = ", "1", "))"),
        ("JSON_OBJECT(KEY 'a' VALUE ", "1", ")"),
        ("SUM(a) OVER (ORDER BY ", "1", ")"),
        ("TRIM(BOTH 'x' FROM ", "1", ")"),
    ];
    on_small_stack(move || {
        for (open, middle, close) in kinds {
            let sql = |depth: usize| format!("SELECT {}{middle}{}", open.repeat(depth), close.repeat(depth));
            let depths = 1..=MAX_NESTING;
            let deepest = depths.take_while(|depth| parse_statement(&sql(*depth)).is_ok()).last();
            let deepest = deepest.expect("some depth is accepted");
            exercise(&sql(deepest)).expect("valid");
        }
    });
}

#[test]
fn a_reasonable_depth_is_accepted() {
    parse_expression(&format!("{}1{}", "(".repeat(100), ")".repeat(100))).expect("valid");
    let query = format!("{}SELECT 1{}", "SELECT * FROM (".repeat(20), ")".repeat(20));
    parse_statement(&query).expect("valid");
}
