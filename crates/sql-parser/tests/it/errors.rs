//! What users see when something is wrong.

use expect_test::{Expect, expect};
use headwater_sql_parser::{Span, line_and_column, nearest, parse_statement, render_diagnostic};

fn check(sql: &str, expected: Expect) {
    let error = parse_statement(sql).expect_err("an error");
    expected.assert_eq(&error.render(sql));
}

#[test]
fn misspelt_keywords() {
    check(
        "SELECT * FORM t",
        expect![[r#"
        error: unexpected `FORM`
         --> line 1, column 10
          |
        1 | SELECT * FORM t
          |          ^^^^
          = expected one of `,`, FROM, WHERE, GROUP, HAVING, WINDOW, QUALIFY, INTERSECT or 8 others
          = help: did you mean FROM?"#]],
    );
    check(
        "SELECT a FORM t",
        expect![[r#"
        error: unexpected `t`
         --> line 1, column 15
          |
        1 | SELECT a FORM t
          |               ^
          = expected one of `,`, FROM, WHERE, GROUP, HAVING, WINDOW, QUALIFY, INTERSECT or 8 others
          = help: did you mean FROM instead of `FORM`?"#]],
    );
    check(
        "SELCT a FROM t",
        expect![[r#"
        error: unexpected `SELCT`
         --> line 1, column 1
          |
        1 | SELCT a FROM t
          | ^^^^^
          = expected one of SELECT, INSERT, CREATE, WITH, VALUES, EXPLAIN, DESCRIBE, SHOW or 27 others
          = help: did you mean SELECT?"#]],
    );
    check(
        "CREATE TABEL t (a INT)",
        expect![[r#"
            error: unexpected `TABEL`
             --> line 1, column 8
              |
            1 | CREATE TABEL t (a INT)
              |        ^^^^^
              = expected one of OR, TEMPORARY, TABLE, VIEW, FUNCTION, DATABASE, CATALOG, MODEL, CONNECTION
              = help: did you mean TABLE?"#]],
    );
    check(
        "INSERT INOT t VALUES (1)",
        expect![[r#"
        error: unexpected `INOT`
         --> line 1, column 8
          |
        1 | INSERT INOT t VALUES (1)
          |        ^^^^
          = expected one of INTO, OVERWRITE
          = help: did you mean INTO?"#]],
    );
}

#[test]
fn reserved_words() {
    check(
        "CREATE TABLE t (\n  id INT,\n  value STRING\n)",
        expect![[r#"
        error: unexpected keyword `value`
         --> line 3, column 3
          |
        3 |   value STRING
          |   ^^^^^
          = expected identifier
          = help: VALUE is a reserved word; to use it as a name, quote it with backticks: `value`"#]],
    );
    check(
        "SELECT a AS order FROM t",
        expect![[r#"
        error: unexpected keyword `order`
         --> line 1, column 13
          |
        1 | SELECT a AS order FROM t
          |             ^^^^^
          = expected identifier
          = help: ORDER is a reserved word; to use it as a name, quote it with backticks: `order`"#]],
    );
    check(
        "SELECT a FROM t AS 'x'",
        expect![[r#"
        error: unexpected string 'x'
         --> line 1, column 20
          |
        1 | SELECT a FROM t AS 'x'
          |                    ^^^
          = expected identifier
          = help: names are quoted with backticks, not with quotes"#]],
    );
}

#[test]
fn missing_parts() {
    check(
        "SELECT",
        expect![[r#"
        error: unexpected end of input
         --> line 1, column 7
          |
        1 | SELECT
          |       ^
          = expected one of DISTINCT, ALL, `*`, expression"#]],
    );
    check(
        "SELECT a FROM t WHERE",
        expect![[r#"
        error: unexpected end of input
         --> line 1, column 22
          |
        1 | SELECT a FROM t WHERE
          |                      ^
          = expected expression"#]],
    );
    check(
        "SELECT (a + b FROM t",
        expect![[r#"
        error: unexpected keyword `FROM`
         --> line 1, column 15
          |
        1 | SELECT (a + b FROM t
          |               ^^^^
          = expected one of `,`, `)`"#]],
    );
    check(
        "CREATE TABLE t (a INT) WITH (connector = 'x')",
        expect![[r#"
        error: unexpected `connector`
         --> line 1, column 30
          |
        1 | CREATE TABLE t (a INT) WITH (connector = 'x')
          |                              ^^^^^^^^^
          = expected one of `)`, string
          = help: keys and values of options are strings: 'key' = 'value'"#]],
    );
    check(
        "SET x = 1",
        expect![[r#"
        error: unexpected `x`
         --> line 1, column 5
          |
        1 | SET x = 1
          |     ^
          = expected string
          = help: keys and values of options are strings: 'key' = 'value'"#]],
    );
    check(
        "SELECT a FROM t; SELECT b",
        expect![[r#"
        error: unexpected keyword `SELECT`
         --> line 1, column 18
          |
        1 | SELECT a FROM t; SELECT b
          |                  ^^^^^^
          = expected end of input"#]],
    );
}

#[test]
fn broken_tokens() {
    check(
        "SELECT 'abc\nFROM t",
        expect![[r#"
        error: this string has no closing quote
         --> line 1, column 8
          |
        1 | SELECT 'abc
          |        ^"#]],
    );
    check(
        "SELECT a # b",
        expect![[r#"
        error: unexpected character
         --> line 1, column 10
          |
        1 | SELECT a # b
          |          ^"#]],
    );
    check(
        "SELECT x'abc'",
        expect![[r#"
        error: a binary string takes an even number of hexadecimal digits
         --> line 1, column 8
          |
        1 | SELECT x'abc'
          |        ^^^^^^"#]],
    );
    check(
        "SELECT MAP['a']",
        expect![[r#"
        error: MAP takes keys and values in turn; this key has no value
         --> line 1, column 12
          |
        1 | SELECT MAP['a']
          |            ^^^"#]],
    );
    check(
        "SELECT U&'\\00'",
        expect![[r#"
        error: invalid Unicode escape in this string
         --> line 1, column 8
          |
        1 | SELECT U&'\00'
          |        ^^^^^^^"#]],
    );
}

#[test]
fn rendering_of_spans() {
    let source = "first\n\tsecond lïne here\nthird";
    let span = |text: &str| {
        let start = source.find(text).expect("part of the source");
        Span::new(start as u32, (start + text.len()) as u32)
    };
    let render = |text| render_diagnostic(source, span(text), "what", Some("do this"));
    expect![[r#"
        error: what
         --> line 2, column 9
          |
        2 | 	second lïne here
          | 	       ^^^^
          = help: do this"#]]
    .assert_eq(&render("lïne"));
    expect![[r#"
        error: what
         --> line 2, column 14
          |
        2 | 	second lïne here
          | 	            ^^^^
          = help: do this"#]]
    .assert_eq(&render("here\nthird"));
    assert_eq!(line_and_column(source, span("here")), (2, 14));
    let outside = render_diagnostic("ab", Span::new(9, 12), "what", None);
    expect![[r#"
        error: what
         --> line 1, column 3
          |
        1 | ab
          |   ^"#]]
    .assert_eq(&outside);
}

#[test]
fn long_lines_are_cut() {
    let source = format!("{}, bad, {}", "a".repeat(300), "b".repeat(300));
    let rendered = render_diagnostic(&source, Span::new(302, 305), "what", None);
    assert!(rendered.lines().all(|line| line.chars().count() < 180));
    let lines: Vec<&str> = rendered.lines().collect();
    let caret = lines[4].find('^').expect("a caret");
    let column = lines[4][..caret].chars().count();
    let under: String = lines[3].chars().skip(column).take(3).collect();
    assert_eq!(under, "bad");
}

#[test]
fn errors_display_on_one_line() {
    let error = parse_statement("SHOW TABELS").expect_err("an error");
    expect!["unexpected `TABELS`; expected one of CATALOGS, CURRENT, COLUMNS, PARTITIONS, CREATE, JARS, JOBS, MODULES or 10 others (did you mean TABLES?)"].assert_eq(&error.to_string());
}

#[test]
fn nearest_names() {
    let names = ["customer_id", "order_id", "amount", "ts"];
    let near = |word| nearest(word, names);
    assert_eq!(near("custmer_id"), Some("customer_id"));
    assert_eq!(near("Order_di"), Some("order_id"));
    assert_eq!(near("amuont"), Some("amount"));
    assert_eq!(near("st"), Some("ts"));
    assert_eq!(near("price"), None);
    assert_eq!(near(""), None);
}
