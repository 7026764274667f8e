//! Queries as Flink 2.3.0 shows them.

use super::query_text;

#[test]
fn every_clause_has_a_line() {
    let cases = [
        ("SELECT `a`, -`b` FROM `t` AS `t` WHERE `a` > 1", "SELECT `a`, - `b`\nFROM `t` AS `t`\nWHERE `a` > 1"),
        (
            "SELECT `a` FROM `t` AS `t` JOIN `u` AS `u` ON `t`.`a` = `u`.`b` LEFT JOIN `v` AS `v` ON TRUE",
            "SELECT `a`\nFROM `t` AS `t`\nINNER JOIN `u` AS `u` ON `t`.`a` = `u`.`b`\nLEFT JOIN `v` AS `v` ON TRUE",
        ),
        ("SELECT 1 UNION ALL SELECT -1", "SELECT 1\nUNION ALL\nSELECT -1"),
        (
            "SELECT `a` FROM `t` ORDER BY `a` LIMIT 3 OFFSET 1",
            "SELECT `a`\nFROM `t`\nORDER BY `a`\nOFFSET 1 ROWS\nFETCH NEXT 3 ROWS ONLY",
        ),
        ("VALUES (1, 'a'), (2, 'b')", "VALUES ROW(1, 'a'),\nROW(2, 'b')"),
        (
            "SELECT count(*) FROM `t`, `u` GROUP BY ROLLUP (`a`), TUMBLE(`ts`, INTERVAL '1' HOUR)",
            "SELECT COUNT(*)\nFROM `t`,\n`u`\nGROUP BY ROLLUP(`a`), $TUMBLE(`ts`, INTERVAL '1' HOUR)",
        ),
        (
            "SELECT extract(DAY FROM `a`), CAST(`a` AS INT) FROM `t` WHERE `a` BETWEEN 1 AND 2 AND `b` IN (SELECT 1 FROM `u`)",
            "SELECT EXTRACT(DAY FROM `a`), CAST(`a` AS INTEGER)\nFROM `t`\nWHERE `a` BETWEEN ASYMMETRIC 1 AND 2 AND `b` IN (SELECT 1\nFROM `u`)",
        ),
        (
            "SELECT SUM(`a`) OVER (ORDER BY `b` ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM `t`",
            "SELECT SUM(`a`) OVER (ORDER BY `b` ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)\nFROM `t`",
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(query_text(query).as_deref(), Some(expected));
    }
}

#[test]
fn hints_and_other_text_have_no_layout() {
    assert_eq!(query_text("SELECT /*+ STATE_TTL('t' = '1d') */ `a` FROM `t`"), None);
    assert_eq!(query_text("SELECT"), None);
}
