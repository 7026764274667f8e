//! Scripts, splitting, completeness, tokens.

use expect_test::{Expect, expect};
use headwater_sql_parser::{is_complete, keywords, parse_script, split_statements, tokens};

const SCRIPT: &str = "\
-- a comment; with a semicolon
SET 'a;b' = 'c';;
SELECT `x;y` /* ; */ FROM t; -- end
EXECUTE STATEMENT SET BEGIN
  INSERT INTO a SELECT CASE WHEN x THEN 1 ELSE 2 END FROM t;
  INSERT INTO b SELECT t.end FROM t;
END;
BEGIN STATEMENT SET;
INSERT INTO a SELECT 1;
END;
SELECT 2
";

#[test]
fn scripts_parse_statement_by_statement() {
    let (statements, error) = parse_script(SCRIPT);
    assert_eq!(error, None);
    let texts: Vec<&str> = statements.iter().map(|found| found.text.as_str()).collect();
    assert_eq!(texts.len(), 7);
    assert_eq!(texts[0], "SET 'a;b' = 'c'");
    assert_eq!(texts[6], "SELECT 2");
    let spans: Vec<_> = statements.iter().map(|found| found.span).collect();
    assert_eq!(spans, split_statements(SCRIPT));
}

#[test]
fn statements_before_an_error_are_kept() {
    let (statements, error) = parse_script("SELECT 1; SELECT 2; SELEC 3; SELECT 4");
    assert_eq!(statements.len(), 2);
    let error = error.expect("an error");
    assert_eq!(error.hint.as_deref(), Some("did you mean SELECT?"));
}

#[test]
fn splitting_needs_no_valid_sql() {
    let pieces = |sql: &'static str| -> Vec<&str> {
        let spans = split_statements(sql);
        spans.into_iter().map(|span| span.text(sql)).collect()
    };
    assert_eq!(pieces("foo ( ; bar ' ; "), ["foo (", "bar ' ; "]);
    assert_eq!(pieces(" ;; /* a; */ ; -- b;"), Vec::<&str>::new());
    assert_eq!(pieces("EXPLAIN STATEMENT SET BEGIN a; END; b"), ["EXPLAIN STATEMENT SET BEGIN a; END", "b"]);
}

#[test]
fn completeness() {
    for complete in ["", "  -- x", "SELECT 1;", "SELECT ';';  -- x", "a; b;", ";", "STATEMENT SET BEGIN a; END;"] {
        assert!(is_complete(complete), "{complete}");
    }
    for open in [
        "SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT ';",
        "SELECT `;",
        "SELECT 1 /* ;",
        "SELECT 1 -- ;",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN b THEN 1 END;",
    ] {
        assert!(!is_complete(open), "{open}");
    }
}

fn check_tokens(source: &str, expected: Expect) {
    let lines = tokens(source).into_iter().map(|token| format!("{:?} {:?}\n", token.kind, token.span.text(source)));
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn tokens_for_highlighting() {
    check_tokens(
        "SELECT /*+ A('b') */ `c``d`, name, x1 <> 1.5e3 -- end",
        expect![[r#"
            Keyword(SELECT) "SELECT"
            HintStart "/*+"
            Keyword(A) "A"
            Punct(LeftParen) "("
            String "'b'"
            Punct(RightParen) ")"
            HintEnd "*/"
            QuotedIdentifier "`c``d`"
            Punct(Comma) ","
            Keyword(NAME) "name"
            Punct(Comma) ","
            Identifier "x1"
            Punct(NotEq) "<>"
            Number "1.5e3"
            Comment "-- end"
        "#]],
    );
}

#[test]
fn tokens_never_fail() {
    check_tokens(
        "é # 'a''b",
        expect![[r##"
            Identifier "é"
            Error(UnexpectedCharacter) "#"
            Error(UnterminatedString) "'a''b"
        "##]],
    );
}

#[test]
fn keywords_are_sorted_and_unique() {
    let words: Vec<&str> = keywords().map(|keyword| keyword.as_str()).collect();
    assert!(words.len() > 600, "{}", words.len());
    assert!(words.is_sorted_by(|left, right| left < right));
}
