use super::*;

#[test]
fn an_unknown_name_points_at_itself_and_names_the_nearest() {
    let source = "SELECT\n  pricee FROM bid";
    let error = SqlError::unknown("unknown-column", "column", "pricee", Some(Span::new(9, 15)), ["price", "auction"]);
    expect_test::expect![[r#"
        error: unknown column 'pricee'
         --> line 2, column 3
          |
        2 |   pricee FROM bid
          |   ^^^^^^
          = help: did you mean 'price'?"#]]
    .assert_eq(&error.render(source));
}

#[test]
fn without_a_near_name_the_known_ones_are_listed() {
    let error = SqlError::unknown("unknown-table", "table", "zzz", None, ["orders", "bids"]);
    expect_test::expect![[r#"
        error: unknown table 'zzz'
         = help: available tables: orders, bids"#]]
    .assert_eq(&error.render(""));
}

#[test]
fn an_error_in_a_view_shows_the_text_of_the_view() {
    let error =
        SqlError::at("unknown-column", "unknown column 'b'", Span::new(7, 8)).within("the view `v`", "SELECT b");
    expect_test::expect![[r#"
        error: unknown column 'b'
         --> line 1, column 8
          |
        1 | SELECT b
          |        ^
          = note: in the view `v`"#]]
    .assert_eq(&error.render("SELECT * FROM v"));
}

#[test]
fn shifting_moves_the_place_of_the_statement_only() {
    let moved = SqlError::at("x", "m", Span::new(1, 2)).shifted(10);
    assert_eq!(moved.span, Some(Span::new(11, 12)));
    let inner = SqlError::at("x", "m", Span::new(1, 2)).within("a view", "t").shifted(10);
    assert_eq!(inner.span, Some(Span::new(1, 2)));
}
