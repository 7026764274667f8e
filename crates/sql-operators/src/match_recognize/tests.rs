//! Patterns over rows of a key, a time and a price.

use super::runs::Runs;
use crate::recovery::Recovery;
use crate::testing::*;
use headwater_data::ChangeBatch;
use headwater_plan::operators::{MatchRecognizeSpec, PatternElement, RowPlace, RowReference, SkipStrategy};
use headwater_plan::{Expr, OperatorNode, OperatorSpec};
use headwater_types::LogicalType;

/// Positions in [`references`].
const PRICE: usize = 0;
const BEFORE: usize = 1;
const LAST_OF_DOWN: usize = 2;
const FIRST_OF_DOWN: usize = 3;
const AVERAGE_OF_DOWN: usize = 4;
const PREVIOUS: usize = 5;

fn input() -> [LogicalType; 3] {
    [string(), timestamp(), int()]
}

/// What the patterns of these tests read: their variable 0 is DOWN.
fn references() -> Vec<RowReference> {
    let of = |variable, place| RowReference { variable, place };
    vec![
        of(None, RowPlace::Last { offset: 0, column: 2 }),
        of(Some(0), RowPlace::Last { offset: 1, column: 2 }),
        of(Some(0), RowPlace::Last { offset: 0, column: 2 }),
        of(Some(0), RowPlace::First { offset: 0, column: 2 }),
        of(Some(0), RowPlace::Aggregate(aggregate("AVG", &[2], int()))),
        of(None, RowPlace::Previous { offset: 1, column: 2 }),
    ]
}

fn read(reference: usize) -> Expr {
    column(reference, int())
}

fn is(name: &str, a: Expr, b: Expr) -> Expr {
    function(name, vec![a, b], boolean())
}

fn element(variable: &str, (min, max, greedy): (u32, Option<u32>, bool), condition: Option<Expr>) -> PatternElement {
    PatternElement { variable: variable.into(), min, max, greedy, condition }
}

const ONCE: (u32, Option<u32>, bool) = (1, Some(1), false);

/// Falling prices, at least `min` of them, and then a rising one.
fn falling(min: u32) -> Vec<PatternElement> {
    let first = function("IS NULL", vec![read(BEFORE)], boolean());
    let falls = Expr::Or(vec![first, is("<", read(PRICE), read(BEFORE))]);
    let rises = is(">", read(PRICE), read(LAST_OF_DOWN));
    vec![element("DOWN", (min, None, true), Some(falls)), element("UP", ONCE, Some(rises))]
}

fn pattern(
    elements: Vec<PatternElement>,
    skip: SkipStrategy,
    within_ms: Option<i64>,
    measures: &[usize],
    rowtime: bool,
) -> OperatorNode {
    let spec = MatchRecognizeSpec {
        keys: vec![0],
        rowtime: rowtime.then_some(1),
        order: vec![],
        elements,
        references: references(),
        measures: measures.iter().map(|reference| read(*reference)).collect(),
        skip,
        within_ms,
    };
    let mut output = vec![string()];
    output.extend(measures.iter().map(|_| int()));
    node(OperatorSpec::MatchRecognize(spec), &[&input()], &output)
}

/// Rows of one key, one a second.
fn prices(first_s: i64, prices: &[i64]) -> ChangeBatch {
    let row = |(n, price): (usize, &i64)| vec![s("k"), i((first_s + n as i64) * 1000), i(*price)];
    batch(&input(), &prices.iter().enumerate().map(row).collect::<Vec<_>>())
}

fn matches(node: &OperatorNode, given: &[i64]) -> Vec<String> {
    let mut harness = harness(node);
    harness.process(prices(0, given)).unwrap();
    harness.end(1).unwrap();
    harness.output.rows()
}

const PRICES: [i64; 8] = [100, 102, 104, 106, 105, 107, 101, 100];

#[test]
fn where_matching_goes_on() {
    // Rising prices, then one that is lower: the last price of the rise is DOWN's here.
    let first = function("IS NULL", vec![read(BEFORE)], boolean());
    let rises = Expr::Or(vec![first, is(">", read(PRICE), read(BEFORE))]);
    let falls = is("<", read(PRICE), read(LAST_OF_DOWN));
    let elements = || vec![element("A", (1, None, true), Some(rises.clone())), element("B", ONCE, Some(falls.clone()))];
    let found = |skip| matches(&pattern(elements(), skip, None, &[FIRST_OF_DOWN, LAST_OF_DOWN], true), &PRICES);
    let to_last = ["+I[k, 100, 106]", "+I[k, 105, 107]", "+I[k, 101, 101]"];
    assert_eq!(found(SkipStrategy::Last(1)), to_last);
    assert_eq!(found(SkipStrategy::First(1)), to_last);
    assert_eq!(found(SkipStrategy::PastLastRow), ["+I[k, 100, 106]", "+I[k, 107, 107]"]);
    let next = found(SkipStrategy::NextRow);
    assert_eq!(next.len(), 7);
    assert_eq!(next[..3], ["+I[k, 100, 106]", "+I[k, 102, 106]", "+I[k, 104, 106]"]);
}

#[test]
fn skipping_to_where_the_match_began_is_refused() {
    let mut harness = harness(&pattern(falling(1), SkipStrategy::First(0), None, &[PRICE], false));
    let error = harness.process(prices(0, &[5, 4, 9])).unwrap_err();
    assert!(error.to_string().contains("Could not skip to first element of a match"), "{error}");
}

#[test]
fn quantifiers_take_as_many_rows_as_they_say() {
    let past = SkipStrategy::PastLastRow;
    let found = |elements, given: &[i64]| matches(&pattern(elements, past, None, &[FIRST_OF_DOWN, PRICE], true), given);
    assert_eq!(found(falling(2), &[9, 8, 10, 7, 5, 8]), ["+I[k, 9, 10]", "+I[k, 7, 8]"]);
    assert_eq!(found(falling(3), &[9, 8, 10, 7, 5, 8]), ["+I[k, 10, 8]"]);
    assert_eq!(found(falling(4), &[9, 8, 10, 7, 5, 8]), [""; 0]);
    // Of rows that suit both, a greedy variable takes all, a reluctant one as few as it can.
    let below = |limit| Some(is("<", read(PRICE), literal(limit, int())));
    let above = |limit| Some(is(">", read(PRICE), literal(limit, int())));
    let three = |greedy| {
        vec![element("A", ONCE, above(9)), element("B", (0, None, greedy), below(15)), element("C", ONCE, above(11))]
    };
    assert_eq!(found(three(true), &[10, 11, 12, 13, 16]), ["+I[k, 10, 16]"]);
    assert_eq!(found(three(false), &[10, 11, 12, 13, 16]), ["+I[k, 10, 12]", "+I[k, 13, 16]"]);
    let bounded = vec![element("A", (2, Some(2), false), above(0)), element("B", (0, Some(1), false), above(5))];
    assert_eq!(found(bounded, &[1, 2, 3, 4]), ["+I[k, 1, 2]", "+I[k, 3, 4]"]);
}

#[test]
fn conditions_read_aggregates_and_the_row_before() {
    let below = is("<", read(AVERAGE_OF_DOWN), literal(15, int()));
    let elements = vec![element("A", (1, None, true), Some(below)), element("B", ONCE, None)];
    let node = pattern(elements, SkipStrategy::PastLastRow, None, &[FIRST_OF_DOWN, AVERAGE_OF_DOWN, PRICE], true);
    assert_eq!(matches(&node, &[12, 17, 13, 30, 1]), ["+I[k, 12, 14, 30]"]);
    let rises = is(">", read(PRICE), read(PREVIOUS));
    let node = pattern(vec![element("A", ONCE, Some(rises))], SkipStrategy::NextRow, None, &[PREVIOUS, PRICE], true);
    assert_eq!(matches(&node, &[1, 3, 2, 5]), ["+I[k, 1, 3]", "+I[k, 2, 5]"], "also of rows before the match");
}

#[test]
fn a_match_within_a_time() {
    let node = |within| pattern(falling(1), SkipStrategy::PastLastRow, within, &[FIRST_OF_DOWN, PRICE], true);
    assert_eq!(matches(&node(Some(3_000)), &[9, 8, 7, 10]), ["+I[k, 8, 10]"], "the first row is three seconds away");
    assert_eq!(matches(&node(Some(3_001)), &[9, 8, 7, 10]), ["+I[k, 9, 10]"]);
}

#[test]
fn rows_are_taken_in_their_order_and_late_ones_dropped() {
    let mut harness = harness(&pattern(falling(2), SkipStrategy::PastLastRow, None, &[FIRST_OF_DOWN, PRICE], true));
    harness.process(prices(2, &[7, 8])).unwrap();
    harness.process(prices(1, &[9])).unwrap();
    harness.watermark(2_500).unwrap();
    assert_eq!(harness.output.num_rows(), 0, "the row at 3 s still waits");
    harness.process(prices(2, &[1])).unwrap();
    harness.watermark(9_000).unwrap();
    assert_eq!(harness.output.rows(), ["+I[k, 9, 8]"]);
}

/// Rows of several keys whose times come in pairs out of order.
fn stream() -> Vec<Event> {
    let keys = ["a", "b", "c"];
    let mut events = vec![];
    for n in 0..14_i64 {
        let row =
            |offset: i64| vec![s(keys[((n + offset) % 3) as usize]), i((n ^ 1) * 1000 + offset), i(n * 7 % 5 + offset)];
        events.push(Event::Rows(0, batch(&input(), &[row(0), row(1), row(2)])));
        if n % 3 == 2 {
            events.push(Event::Watermark(n * 1000 - 1500));
        }
    }
    events
}

#[test]
fn patterns_survive_crashes() {
    for skip in [SkipStrategy::NextRow, SkipStrategy::PastLastRow] {
        for within in [None, Some(4_000)] {
            let node = pattern(falling(1), skip, within, &[FIRST_OF_DOWN, PREVIOUS, PRICE], true);
            Recovery::new(&node, false, &[&[0]]).check(&stream());
        }
    }
    let node = pattern(falling(1), SkipStrategy::NextRow, None, &[FIRST_OF_DOWN, PRICE], false);
    let arrivals: Vec<Event> = stream().into_iter().filter(|event| matches!(event, Event::Rows(..))).collect();
    Recovery::new(&node, false, &[&[0]]).check(&arrivals);
}

#[test]
fn runs_are_read_as_they_were_written() {
    let pattern = super::runs::Pattern { elements: falling(1), skip: SkipStrategy::NextRow, within_ms: None };
    let mut runs = Runs::default();
    let mut found = vec![];
    for time in 0..3 {
        runs.step(&pattern, time, &mut |variable, runs| Ok(vec![variable == 0; runs.len()]), &mut found).unwrap();
    }
    let bytes = runs.encode();
    assert_eq!(Runs::decode(&bytes, 2).unwrap(), runs);
    assert!(found.is_empty() && runs.oldest_ms() == Some(0) && runs.first_needed() == 0);
    assert!(Runs::decode(&bytes[..bytes.len() - 1], 2).is_err());
    assert!(Runs::decode(&bytes, 3).is_err());
    assert!(Runs::decode(&[], 2).is_err());
}
