//! Any text parses or is refused; what parses prints as text that parses to the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = headwater_sql_parser::tokens(text);
    let _ = headwater_sql_parser::is_complete(text);
    match headwater_sql_parser::parse_statement(text) {
        Ok(statement) => {
            let printed = statement.to_string();
            let again = headwater_sql_parser::parse_statement(&printed);
            let again = again.unwrap_or_else(|e| panic!("printed as {printed:?}, which does not parse: {}", e.message));
            assert_eq!(printed, again.to_string());
        }
        Err(error) => assert!(!error.render(text).is_empty()),
    }
});
