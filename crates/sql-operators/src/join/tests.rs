use crate::recovery::Recovery;
use crate::testing::*;
use headwater_operator_api::testing::OperatorHarness;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;
use proptest::prelude::*;

/// Key, value, id.
fn side() -> Vec<LogicalType> {
    vec![int(), string(), int()]
}

fn spec(kind: JoinKind) -> JoinSpec {
    JoinSpec {
        kind,
        left_keys: vec![0],
        right_keys: vec![0],
        null_safe: vec![false],
        condition: None,
        left_unique: JoinInputKey::None,
        right_unique: JoinInputKey::None,
        left_ttl_ms: 0,
        right_ttl_ms: 0,
        final_only: false,
    }
}

fn join(spec: JoinSpec) -> OperatorNode {
    let mut output = side();
    if !matches!(spec.kind, JoinKind::Semi | JoinKind::Anti) {
        output.extend(side());
    }
    node(OperatorSpec::Join(spec), &[&side(), &side()], &output)
}

/// Rows as text, such as `+I 1 a 7`; `-` is NULL.
fn rows(lines: &[&str]) -> headwater_data::ChangeBatch {
    let value = |text: &str| text.parse().map_or(Value::Null, i);
    let row = |line: &&'static str| {
        let parts: Vec<&str> = line.split(' ').collect();
        (parts[0], vec![value(parts[1]), s(parts[2]), value(parts[3])])
    };
    // The kinds outlive the borrowed lines.
    let leaked: Vec<&'static str> = lines.iter().map(|line| &*Box::leak(line.to_string().into_boxed_str())).collect();
    changes(&side(), &leaked.iter().map(row).collect::<Vec<_>>())
}

/// Delivers (input, rows) and returns what each delivery emits.
fn emitted(spec: JoinSpec, steps: &[(u8, &[&str])]) -> Vec<Vec<String>> {
    let mut harness = open(&join(spec), true, 4096);
    let step = |harness: &mut OperatorHarness, (input, lines): &(u8, &[&str])| {
        harness.output.take();
        harness.process_input(*input, rows(lines)).unwrap();
        harness.output.rows()
    };
    steps.iter().map(|s| step(&mut harness, s)).collect()
}

#[test]
fn inner_pairs_have_the_kind_of_the_arriving_row() {
    let steps: [(u8, &[&str]); 4] = [
        (0, &["+I 1 a 1", "+I 2 b 2", "+I - n 3"]),
        (1, &["+I 1 x 1", "+I - n 2"]),
        (0, &["-U 1 a 1", "+U 1 c 1"]),
        (1, &["-D 1 x 1"]),
    ];
    assert_eq!(
        emitted(spec(JoinKind::Inner), &steps),
        [
            vec![],
            vec!["+I[1, a, 1, 1, x, 1]"],
            vec!["-U[1, a, 1, 1, x, 1]", "+U[1, c, 1, 1, x, 1]"],
            vec!["-D[1, c, 1, 1, x, 1]"],
        ]
    );
}

#[test]
fn a_left_join_pads_and_takes_padding_back() {
    let steps: [(u8, &[&str]); 6] = [
        (0, &["+I 1 a 1", "+I - n 2"]),
        (1, &["+I 1 x 1", "+I 1 y 2"]),
        (1, &["-U 1 x 1", "+U 1 z 1"]),
        (1, &["-D 1 z 1", "-D 1 y 2"]),
        (0, &["-D 1 a 1"]),
        (0, &["-D - n 2"]),
    ];
    assert_eq!(
        emitted(spec(JoinKind::Left), &steps),
        [
            vec!["+I[1, a, 1, NULL, NULL, NULL]", "+I[NULL, n, 2, NULL, NULL, NULL]"],
            vec!["-D[1, a, 1, NULL, NULL, NULL]", "+I[1, a, 1, 1, x, 1]", "+I[1, a, 1, 1, y, 2]"],
            vec!["-U[1, a, 1, 1, x, 1]", "+I[1, a, 1, 1, z, 1]"],
            vec!["-D[1, a, 1, 1, z, 1]", "-D[1, a, 1, 1, y, 2]", "+I[1, a, 1, NULL, NULL, NULL]"],
            vec!["-D[1, a, 1, NULL, NULL, NULL]"],
            vec!["-D[NULL, n, 2, NULL, NULL, NULL]"],
        ]
    );
}

#[test]
fn a_full_join_pads_both_sides() {
    let steps: [(u8, &[&str]); 4] =
        [(0, &["+I 1 a 1"]), (1, &["+I 2 x 1"]), (1, &["+I 1 y 2"]), (0, &["-U 1 a 1", "+U 2 a 1"])];
    assert_eq!(
        emitted(spec(JoinKind::Full), &steps),
        [
            vec!["+I[1, a, 1, NULL, NULL, NULL]"],
            vec!["+I[NULL, NULL, NULL, 2, x, 1]"],
            vec!["-D[1, a, 1, NULL, NULL, NULL]", "+I[1, a, 1, 1, y, 2]"],
            vec![
                "-D[1, a, 1, 1, y, 2]",
                "+I[NULL, NULL, NULL, 1, y, 2]",
                "-D[NULL, NULL, NULL, 2, x, 1]",
                "+I[2, a, 1, 2, x, 1]"
            ],
        ]
    );
}

#[test]
fn semi_and_anti_joins_filter_the_left_side() {
    let steps: [(u8, &[&str]); 5] = [
        (0, &["+I 1 a 1", "+I 1 a 1", "+I 2 b 2", "+I - n 3"]),
        (1, &["+I 1 x 1", "+I 1 y 2"]),
        (1, &["-D 1 x 1"]),
        (1, &["-D 1 y 2"]),
        (0, &["-D 1 a 1"]),
    ];
    assert_eq!(
        emitted(spec(JoinKind::Semi), &steps),
        [vec![], vec!["+I[1, a, 1]", "+I[1, a, 1]"], vec![], vec!["-D[1, a, 1]", "-D[1, a, 1]"], vec![]]
    );
    assert_eq!(
        emitted(spec(JoinKind::Anti), &steps),
        [
            vec!["+I[1, a, 1]", "+I[1, a, 1]", "+I[2, b, 2]", "+I[NULL, n, 3]"],
            vec!["-D[1, a, 1]", "-D[1, a, 1]"],
            vec![],
            vec!["+I[1, a, 1]", "+I[1, a, 1]"],
            vec!["-D[1, a, 1]"],
        ]
    );
}

#[test]
fn null_safe_keys_and_missing_keys_match() {
    let null_safe = JoinSpec { null_safe: vec![true], ..spec(JoinKind::Inner) };
    let steps: [(u8, &[&str]); 2] = [(0, &["+I - a 1"]), (1, &["+I - x 1"])];
    assert_eq!(emitted(null_safe, &steps)[1], ["+I[NULL, a, 1, NULL, x, 1]"]);
    let cross = JoinSpec { left_keys: vec![], right_keys: vec![], null_safe: vec![], ..spec(JoinKind::Inner) };
    assert_eq!(emitted(cross, &steps)[1], ["+I[NULL, a, 1, NULL, x, 1]"]);
}

#[test]
fn rows_expire() {
    let spec = JoinSpec { left_ttl_ms: 100, ..spec(JoinKind::Inner) };
    let mut harness = open(&join(spec), false, 4096);
    harness.process_input(0, rows(&["+I 1 a 1"])).unwrap();
    harness.advance_to(99).unwrap();
    harness.process_input(1, rows(&["+I 1 x 1"])).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    harness.advance_to(101).unwrap();
    harness.process_input(1, rows(&["+I 1 y 2"])).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    harness.process_input(0, rows(&["+I 1 b 2"])).unwrap();
    assert_eq!(harness.output.num_rows(), 3);
}

/// A change of a row: whether it is added, its key, its value and its id.
type Change = (bool, Option<i64>, usize, i64);

const VALUES: [&str; 3] = ["a", "b", "c"];

fn change_row((_, key, value, id): &Change) -> Vec<Value> {
    vec![optional(*key), s(VALUES[*value]), i(*id)]
}

/// Keeps changes that a source could make: rows are taken back only when they are there, and with unique ids there is
/// one row per id.
fn sensible(changes: Vec<Change>, unique: &JoinInputKey) -> (Vec<Change>, Vec<Vec<Value>>) {
    let (mut kept, mut present) = (vec![], Vec::<Change>::new());
    for change in changes {
        let same = |known: &Change| match unique {
            JoinInputKey::None => (known.1, known.2, known.3) == (change.1, change.2, change.3),
            JoinInputKey::Unique(_) => known.3 == change.3 && known.1 == change.1,
            JoinInputKey::JoinKeyUnique => known.1 == change.1,
        };
        let position = present.iter().position(same);
        match (change.0, position, unique) {
            (true, Some(_), JoinInputKey::Unique(_) | JoinInputKey::JoinKeyUnique) => continue,
            (true, _, _) => {
                present.push(change);
                kept.push(change);
            }
            (false, Some(position), _) => {
                let known = present.remove(position);
                kept.push((false, known.1, known.2, known.3));
            }
            (false, None, _) => continue,
        }
    }
    (kept, present.iter().map(change_row).collect())
}

fn expected(spec: &JoinSpec, left: &[Vec<Value>], right: &[Vec<Value>]) -> Vec<String> {
    let below = |l: &Value, r: &Value| matches!((l, r), (Value::Int(l), Value::Int(r)) if l < r);
    let matches = |l: &[Value], r: &[Value]| {
        l[0] != Value::Null && l[0] == r[0] && (spec.condition.is_none() || below(&l[2], &r[2]))
    };
    let nulls = || vec![Value::Null; 3];
    let mut found = vec![];
    for l in left {
        let partners: Vec<_> = right.iter().filter(|r| matches(l, r)).collect();
        match spec.kind {
            JoinKind::Semi if !partners.is_empty() => found.push(l.clone()),
            JoinKind::Anti if partners.is_empty() => found.push(l.clone()),
            JoinKind::Semi | JoinKind::Anti => {}
            _ => found.extend(partners.iter().map(|r| [l.clone(), r.to_vec()].concat())),
        }
        if partners.is_empty() && matches!(spec.kind, JoinKind::Left | JoinKind::Full) {
            found.push([l.clone(), nulls()].concat());
        }
    }
    if matches!(spec.kind, JoinKind::Right | JoinKind::Full) {
        let lonely = right.iter().filter(|r| !left.iter().any(|l| matches(l, r)));
        found.extend(lonely.map(|r| [nulls(), r.clone()].concat()));
    }
    texts(found)
}

fn texts(rows: Vec<Vec<Value>>) -> Vec<String> {
    let mut texts: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort();
    texts
}

/// The table that a changelog describes; every row taken back must be there.
fn materialized(harness: &OperatorHarness, types: &[LogicalType]) -> Vec<Vec<Value>> {
    let mut table: Vec<Vec<Value>> = vec![];
    for batch in harness.output.batches() {
        for (row, value) in values(std::iter::once(batch), types).into_iter().enumerate() {
            if batch.kind(row).is_add() {
                table.push(value);
                continue;
            }
            let position = table.iter().position(|known| *known == value).expect("a row is taken back that is there");
            table.remove(position);
        }
    }
    table
}

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti];

fn change() -> impl Strategy<Value = Change> {
    (prop::bool::weighted(0.7), prop::option::weighted(0.9, 0i64..3), 0usize..3, 0i64..4)
}

fn unique() -> impl Strategy<Value = JoinInputKey> {
    prop::sample::select(vec![JoinInputKey::None, JoinInputKey::Unique(vec![2]), JoinInputKey::JoinKeyUnique])
}

fn below() -> headwater_plan::Expr {
    function("<", vec![column(2, int()), column(5, int())], boolean())
}

fn batches(input: u8, changes: &[Change], chunk: usize) -> Vec<Event> {
    let batch = |part: &[Change]| {
        let rows: Vec<_> = part.iter().map(|c| (if c.0 { "+I" } else { "-D" }, change_row(c))).collect();
        Event::Rows(input, super::tests::changes(&side(), &rows))
    };
    changes.chunks(chunk).map(batch).collect()
}

/// Alternates the batches of both sides.
fn interleaved(left: Vec<Event>, right: Vec<Event>) -> Vec<Event> {
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let mut events = vec![];
    loop {
        let next: Vec<Event> = [left.next(), right.next()].into_iter().flatten().collect();
        if next.is_empty() {
            return events;
        }
        events.extend(next);
    }
}

proptest! {
    #[test]
    fn the_changelog_describes_the_join(
        kind in prop::sample::select(KINDS.to_vec()),
        with_condition in prop::bool::ANY,
        uniques in (unique(), unique()),
        changes in (prop::collection::vec(change(), 0..30), prop::collection::vec(change(), 0..30)),
        chunk in 1usize..5,
    ) {
        let (left, left_rows) = sensible(changes.0, &uniques.0);
        let (right, right_rows) = sensible(changes.1, &uniques.1);
        let spec = JoinSpec {
            condition: with_condition.then(below),
            left_unique: uniques.0,
            right_unique: uniques.1,
            ..spec(kind)
        };
        let node = join(spec.clone());
        let mut harness = open(&node, true, 3);
        for event in interleaved(batches(0, &left, chunk), batches(1, &right, chunk)) {
            let Event::Rows(input, batch) = event else { unreachable!("only rows were made") };
            harness.process_input(input, batch).unwrap();
        }
        let types: Vec<LogicalType> = node.output.iter().map(|(_, ty)| ty.clone()).collect();
        let found = texts(materialized(&harness, &types));
        prop_assert_eq!(found, expected(&spec, &left_rows, &right_rows));
    }

    #[test]
    fn bounded_joins_equal_the_nested_loop(
        kind in prop::sample::select(KINDS.to_vec()),
        with_condition in prop::bool::ANY,
        changes in (prop::collection::vec(change(), 0..30), prop::collection::vec(change(), 0..30)),
        batch_rows in 1usize..5,
    ) {
        let inserts = |changes: Vec<Change>| changes.into_iter().map(|c| (true, c.1, c.2, c.3)).collect::<Vec<_>>();
        let (left, right) = (inserts(changes.0), inserts(changes.1));
        let spec = JoinSpec { condition: with_condition.then(below), final_only: true, ..spec(kind) };
        let node = join(spec.clone());
        let mut harness = open(&node, false, batch_rows);
        for event in interleaved(batches(0, &left, 3), batches(1, &right, 3)) {
            let Event::Rows(input, batch) = event else { unreachable!("only rows were made") };
            harness.process_input(input, batch).unwrap();
        }
        harness.end(2).unwrap();
        let types: Vec<LogicalType> = node.output.iter().map(|(_, ty)| ty.clone()).collect();
        let found = texts(values(harness.output.batches(), &types));
        let rows = |changes: &[Change]| changes.iter().map(change_row).collect::<Vec<_>>();
        prop_assert_eq!(found, expected(&spec, &rows(&left), &rows(&right)));
    }
}

#[test]
fn joins_survive_crashes() {
    let left: Vec<Change> = (0..12).map(|n| (n % 5 != 4, Some(n % 4), (n % 3) as usize, n % 5)).collect();
    let right: Vec<Change> = (0..12).map(|n| (n % 4 != 3, Some(n % 3), (n % 2) as usize, n % 4)).collect();
    for kind in KINDS {
        for unique in [JoinInputKey::None, JoinInputKey::Unique(vec![2])] {
            let (left, _) = sensible(left.clone(), &unique);
            let (right, _) = sensible(right.clone(), &unique);
            let spec = JoinSpec { left_unique: unique.clone(), right_unique: unique, ..spec(kind) };
            let events = interleaved(batches(0, &left, 2), batches(1, &right, 2));
            Recovery::new(&join(spec), true, &[&[0], &[0]]).check(&events);
        }
    }
}
