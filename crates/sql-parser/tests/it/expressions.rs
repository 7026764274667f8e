//! Every construct of expressions: what it prints as shows how it was understood.

use headwater_sql_parser::ast::{ExprKind, LogicalOp};
use headwater_sql_parser::parse_expression;

use crate::roundtrip::{check_lines, expression};

fn check(lines: &str) {
    check_lines(lines, expression);
}

#[test]
fn literals() {
    check(
        r"
        1
        1.50
        .5
        1.
        1e-3
        1.5E+10
        'it''s'
        'a' 'b' ~> 'ab'
        _UTF16'x' ~> 'x'
        n'x' ~> 'x'
        U&'\00e9t\00e9' ~> 'été'
        u&'d!0061ta' UESCAPE '!' ~> 'data'
        x'0aFf' ~> X'0AFF'
        x'' ~> X''
        true ~> TRUE
        FALSE
        unknown ~> UNKNOWN
        NULL
        date '2020-01-01' ~> DATE '2020-01-01'
        TIME '10:00:00.123'
        TIMESTAMP '2020-01-01 10:00:00'
        TIMESTAMP WITH LOCAL TIME ZONE '2020-01-01 10:00:00'
        INTERVAL '5' SECOND
        INTERVAL '5' SECONDS ~> INTERVAL '5' SECOND
        INTERVAL -'1-2' YEAR TO MONTH
        INTERVAL +'1' DAY ~> INTERVAL '1' DAY
        INTERVAL '10 00:00:00.5' DAY(3) TO SECOND(3)
        INTERVAL '1.5' SECOND(2, 6)
        INTERVAL x DAY ~> INTERVAL (x) DAY
        INTERVAL (x + 1) DAY
    ",
    );
}

#[test]
fn operators_and_precedence() {
    check(
        "
        1 + 2 * 3
        (1 + 2) * 3
        1 - 2 - 3
        1 - (2 - 3)
        a || b * c
        a % b / c
        -a + +b
        - - a ~> - -a
        -(-1) ~> - -1
        -a[1]
        NOT NOT a
        NOT a = b
        (NOT a) = b
        NOT a IS NULL
        a = b IS NULL
        a = (b IS NULL)
        a != b ~> a <> b
        a <= b
        a = b = c
        a = (b = c)
        a AND b OR c AND d
        a AND (b OR c) AND d
        (a AND b) AND c
        a AND (b AND c)
        a OR NOT b
        a = NOT b ~> a = (NOT b)
        a BETWEEN 1 AND 2 AND b
        a NOT BETWEEN SYMMETRIC b - 1 AND c + 1
        a BETWEEN ASYMMETRIC 1 AND 2 ~> a BETWEEN 1 AND 2
        (a > b) BETWEEN c AND d
        a LIKE 'x%' ESCAPE '!' AND b NOT LIKE c || '%'
        a SIMILAR TO 'x' = TRUE
        a IN (1, 2, 3)
        (a, b) NOT IN ((1, 2), (3, 4))
        a + 1 IN (SELECT b FROM t)
        a IS NOT DISTINCT FROM b + 1
        a IS DISTINCT FROM b = c
        a IS TRUE IS NOT FALSE
        a IS UNKNOWN
        a IS JSON ~> a IS JSON VALUE
        a IS NOT JSON OBJECT
        a IS JSON ARRAY AND b IS JSON SCALAR
        a = ANY (SELECT b FROM t)
        a < ALL (1, 2)
        a <> SOME (SELECT b FROM t) ~> a <> ANY (SELECT b FROM t)
        EXISTS (SELECT 1 FROM t)
        (SELECT MAX(x) FROM t) + 1
        ((SELECT 1) + 1) * 2
        ((SELECT 1 FROM t)) ~> (SELECT 1 FROM t)
        ((SELECT 1) UNION (SELECT 2))
        (a, b) OVERLAPS (c, d)
    ",
    );
}

#[test]
fn chains_of_logical_operators_are_flat() {
    let expr = parse_expression("a AND b AND (c AND d) AND e").expect("valid");
    let ExprKind::Logical { op, operands } = expr.kind else {
        panic!("not a chain");
    };
    assert_eq!(op, LogicalOp::And);
    assert_eq!(operands.len(), 4);
    assert!(matches!(operands[2].kind, ExprKind::Logical { .. }));
}

#[test]
fn spans_cover_the_expression() {
    let text = "  a + (b * c)[1].d";
    let expr = parse_expression(text).expect("valid");
    assert_eq!(expr.span.text(text), "a + (b * c)[1].d");
    let ExprKind::Binary { op_span, right, .. } = &expr.kind else {
        panic!("not a sum");
    };
    assert_eq!(op_span.text(text), "+");
    // Parentheses are not part of the expression in them.
    assert_eq!(right.span.text(text), "b * c)[1].d");
}

#[test]
fn paths_and_composite_values() {
    check(
        "
        a.b.c
        `a b`.`c``d`
        t.value ~> t.`value`
        user ~> user
        `user`
        CURRENT_USER
        a[1]['x'].b.c
        f(x).y
        (a).b
        (a.b).c[1]
        (a + b).c
        ROW(1, 'a').f0
        (1, 2)
        ROW(1)
        ROW()
        ARRAY[1, 2][1]
        ARRAY[]
        MAP['a', 1, 'b', 2]['a']
        MAP[]
        map ~> map
        CAST(a AS ROW<b INT>).b
    ",
    );
}

#[test]
fn function_calls() {
    check(
        "
        f()
        db.f(a, 1)
        cat.db.f(a)
        `my f`(1)
        left(a, 1) ~> left(a, 1)
        YEAR(d)
        IF(a, b, c)
        MOD(a, b)
        COUNT(*)
        COUNT(DISTINCT a, b)
        SUM(ALL a)
        SUM(a) FILTER (WHERE b > 1)
        LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC NULLS LAST)
        ARRAY_AGG(a ORDER BY b ASC, c)
        FIRST_VALUE(a) IGNORE NULLS OVER (PARTITION BY b ORDER BY c)
        LAG(a IGNORE NULLS) OVER w ~> LAG(a) IGNORE NULLS OVER w
        LAST_VALUE(a) RESPECT NULLS
        ROW_NUMBER() OVER (ORDER BY a)
        SUM(a) OVER (w ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
        SUM(a) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)
        SUM(a) OVER (ORDER BY ts ROWS UNBOUNDED PRECEDING)
        SUM(a) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        SUM(a) OVER (ROWS BETWEEN 1 FOLLOWING AND n + 1 FOLLOWING)
        SUM(a) OVER ()
        f(x => 1, `offset` => DEFAULT)
        f(offset => 1) ~> f(`offset` => 1)
        f(TABLE t PARTITION BY a, DESCRIPTOR(b)) ~> f(TABLE t PARTITION BY (a), DESCRIPTOR(b))
        f(TABLE t PARTITION BY (a, b) ORDER BY (c DESC), MODEL m, DESCRIPTOR(b, c))
        f(data => TABLE t /*+ OPTIONS('a' = 'b') */)
        f(TABLE (SELECT * FROM t))
        f(SELECT * FROM t) ~> f(TABLE (SELECT * FROM t))
        f((SELECT 1 FROM t))
        f((SELECT * FROM t) PARTITION BY a) ~> f(TABLE (SELECT * FROM t) PARTITION BY (a))
        CURRENT_TIMESTAMP
        localtime + INTERVAL '1' HOUR
        CURRENT_TIMESTAMP(3)
        CURRENT_DATE - d
        PREV(a.x, 2)
        MATCH_ROWTIME()
    ",
    );
}

#[test]
fn calls_with_syntax_of_their_own() {
    check(
        "
        CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END
        CASE a WHEN 1, 2 THEN 'x' END
        CAST(a AS DECIMAL(10, 2))
        TRY_CAST(a AS INT)
        EXTRACT(DAY FROM d)
        extract(epoch from a + b) ~> EXTRACT(EPOCH FROM a + b)
        FLOOR(a)
        FLOOR(a TO MONTH)
        CEIL(a TO HOUR)
        CEILING(a TO HOUR) ~> CEIL(a TO HOUR)
        TIMESTAMPADD(MINUTE, 5, ts)
        TIMESTAMPDIFF(SQL_TSI_DAY, a, b) ~> TIMESTAMPDIFF(DAY, a, b)
        POSITION('a' IN b || c FROM 2)
        POSITION('a' IN b)
        POSITION('a', b)
        SUBSTRING(a FROM 2 FOR 3) ~> SUBSTRING(a, 2, 3)
        SUBSTRING(a FROM 2) ~> SUBSTRING(a, 2)
        substring(a, 2)
        OVERLAY(a PLACING b FROM 1 FOR 2)
        OVERLAY(a PLACING b FROM 1)
        TRIM(a)
        TRIM(BOTH FROM a) ~> TRIM(a)
        TRIM(LEADING FROM a)
        TRIM('x' FROM a) ~> TRIM(BOTH 'x' FROM a)
        TRIM(TRAILING 'x' FROM a)
    ",
    );
}

#[test]
fn json_functions() {
    check(
        "
        JSON_EXISTS(a, '$.x')
        JSON_EXISTS(a, '$.x' UNKNOWN ON ERROR)
        JSON_VALUE(a, 'lax $.x')
        JSON_VALUE(a, '$' RETURNING INT NULL ON EMPTY DEFAULT 1 + 1 ON ERROR)
        JSON_VALUE(a, '$' ERROR ON ERROR NULL ON EMPTY) ~> JSON_VALUE(a, '$' NULL ON EMPTY ERROR ON ERROR)
        JSON_QUERY(a, '$' RETURNING ARRAY<STRING> WITH WRAPPER) ~> JSON_QUERY(a, '$' RETURNING ARRAY<STRING> WITH UNCONDITIONAL ARRAY WRAPPER)
        JSON_QUERY(a, '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY EMPTY OBJECT ON ERROR)
        JSON_QUERY(a, '$' WITHOUT ARRAY WRAPPER NULL ON EMPTY ERROR ON ERROR)
        JSON_OBJECT()
        JSON_OBJECT(KEY 'a' VALUE 1, 'b' VALUE x ABSENT ON NULL) ~> JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE x ABSENT ON NULL)
        JSON_OBJECT('a' : 1) ~> JSON_OBJECT(KEY 'a' VALUE 1)
        JSON_OBJECT(key VALUE 1) ~> JSON_OBJECT(KEY key VALUE 1)
        JSON_ARRAY()
        JSON_ARRAY(NULL ON NULL)
        JSON_ARRAY(1, NULL, JSON('{}') ABSENT ON NULL)
        JSON_OBJECTAGG(KEY a VALUE b NULL ON NULL) FILTER (WHERE c)
        JSON_ARRAYAGG(a ORDER BY b ABSENT ON NULL)
        JSON_STRING(a)
    ",
    );
}
