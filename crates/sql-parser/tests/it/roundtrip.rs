//! Printing and parsing again gives the same tree.

use headwater_sql_parser::{parse_data_type, parse_expression, parse_statement};

/// The tree as text, without positions.
pub fn shape(tree: &impl std::fmt::Debug) -> String {
    let text = format!("{tree:?}");
    let mut shape = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('@') {
        shape.push_str(&rest[..=at]);
        rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    }
    shape + rest
}

/// Checks a statement; gives the printed text.
pub fn statement(sql: &str) -> String {
    let tree = parse_statement(sql).unwrap_or_else(|error| panic!("{}", error.render(sql)));
    let printed = tree.to_string();
    let again =
        parse_statement(&printed).unwrap_or_else(|error| panic!("printed from {sql}:\n{}", error.render(&printed)));
    assert_eq!(shape(&tree), shape(&again), "printed: {printed}");
    printed
}

/// Checks an expression; gives the printed text.
pub fn expression(sql: &str) -> String {
    let tree = parse_expression(sql).unwrap_or_else(|error| panic!("{}", error.render(sql)));
    let printed = tree.to_string();
    let again =
        parse_expression(&printed).unwrap_or_else(|error| panic!("printed from {sql}:\n{}", error.render(&printed)));
    assert_eq!(shape(&tree), shape(&again), "printed: {printed}");
    printed
}

/// Checks a type; gives the printed text.
pub fn data_type(sql: &str) -> String {
    let tree = parse_data_type(sql).unwrap_or_else(|error| panic!("{}", error.render(sql)));
    let printed = tree.to_string();
    let again =
        parse_data_type(&printed).unwrap_or_else(|error| panic!("printed from {sql}:\n{}", error.render(&printed)));
    assert_eq!(shape(&tree), shape(&again), "printed: {printed}");
    printed
}

/// Lines of input; a line that prints differently says how behind `~>`.
pub fn check_lines(lines: &str, roundtrip: impl Fn(&str) -> String) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (input, expected) = line.split_once(" ~> ").unwrap_or((line, line));
        assert_eq!(roundtrip(input), expected, "for {input}");
    }
}
