//! The tables of the programs: how they change, and what is left of them.

use headwater_connectors::values::{Row, Store};
use headwater_plan::Value;
use headwater_types::RowKind;

/// Changes of each of the larger tables.
const CHANGES: usize = 110;
/// A start in the middle of an hour.
const FIRST_EVENT_MS: i64 = 1_700_000_000_000;

/// How the rows of a table come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The final rows.
    Final,
    /// All changes.
    Changes,
    /// All changes but the rows before an update, where the table has a key.
    Upserts,
}

/// A table that changes.
struct Table {
    name: &'static str,
    columns: &'static str,
    /// Whether the first column is a key.
    keyed: bool,
    make: fn(&mut Dice, i64) -> Vec<Value>,
    changes: usize,
}

/// NULLs, equal rows and values that meet those of other tables abound.
const TABLES: &[Table] = &[
    Table { name: "a", columns: "id INT NOT NULL, k INT, v INT, s STRING", keyed: true, make: wide, changes: CHANGES },
    Table { name: "b", columns: "id INT NOT NULL, k INT, w INT, t STRING", keyed: true, make: wide, changes: CHANGES },
    Table { name: "d", columns: "x INT, y INT", keyed: false, make: narrow, changes: CHANGES / 2 },
    Table { name: "g", columns: "x INT, y INT", keyed: false, make: narrow, changes: CHANGES / 2 },
];

fn wide(dice: &mut Dice, id: i64) -> Vec<Value> {
    let keys = [None, Some(1), Some(2), Some(3), Some(4), Some(5), Some(6)];
    let values = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(7), Some(9), Some(-3)];
    let texts = [None, Some("x"), Some("y"), Some("z"), Some("w"), Some("")];
    vec![Value::Int(id), int(dice.pick(&keys)), int(dice.pick(&values)), text(dice.pick(&texts))]
}

fn narrow(dice: &mut Dice, _: i64) -> Vec<Value> {
    vec![int(dice.pick(&[None, Some(1), Some(2), Some(3)])), int(dice.pick(&[None, Some(1), Some(2)]))]
}

fn int(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |text| Value::String(text.to_string()))
}

/// Registers the rows of all tables in a form; the answer declares them. `a` and `b` are also there with their
/// key, as `ap` and `bp`; `e` has events that are never taken back.
pub fn declare(form: Form, batch_rows: usize, prefix: &str) -> String {
    let mut dice = Dice(7);
    let mut ddl = String::new();
    for table in TABLES {
        let (changes, rest) = history(table, &mut dice);
        let upserts = form == Form::Upserts && table.keyed;
        let rows = match form {
            Form::Final => rest,
            _ if upserts => changes.into_iter().filter(|(kind, _)| *kind != RowKind::UpdateBefore).collect(),
            _ => changes,
        };
        let mode = match form {
            Form::Final => "I",
            _ if upserts => "I,UA,D",
            _ => "I,UB,UA,D",
        };
        let id = format!("{prefix}-{}", table.name);
        Store::register(&id, rows);
        let key = ", PRIMARY KEY (id) NOT ENFORCED";
        let mut create = |name: &str, key: &str| {
            let columns = table.columns;
            ddl += &format!(
                "CREATE TABLE {name} ({columns}{key}) WITH ('connector' = 'values', 'data-id' = '{id}', \
                 'changelog-mode' = '{mode}', 'batch-rows' = '{batch_rows}');\n"
            );
        };
        create(table.name, if upserts { key } else { "" });
        if table.keyed {
            create(&format!("{}p", table.name), key);
        }
    }
    let id = format!("{prefix}-e");
    Store::register(&id, events(&mut dice));
    ddl + &format!(
        "CREATE TABLE e (id INT NOT NULL, k INT NOT NULL, v INT, ts TIMESTAMP(3), \
         WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) \
         WITH ('connector' = 'values', 'data-id' = '{id}', 'batch-rows' = '{batch_rows}');\n"
    )
}

/// Random changes of a table, and the rows that are left.
fn history(table: &Table, dice: &mut Dice) -> (Vec<Row>, Vec<Row>) {
    let (mut changes, mut rows, mut next) = (vec![], vec![], 0);
    for _ in 0..table.changes {
        let chance = dice.below(100);
        if chance < 50 || rows.is_empty() {
            next += 1;
            let row = (table.make)(dice, next);
            changes.push((RowKind::Insert, row.clone()));
            rows.push(row);
            continue;
        }
        let at = dice.below(rows.len());
        if chance >= 82 {
            changes.push((RowKind::Delete, rows.swap_remove(at)));
            continue;
        }
        let id = if let (true, Value::Int(id)) = (table.keyed, &rows[at][0]) { *id } else { 0 };
        let row = (table.make)(dice, id);
        let before = std::mem::replace(&mut rows[at], row.clone());
        changes.push((RowKind::UpdateBefore, before));
        changes.push((RowKind::UpdateAfter, row));
    }
    (changes, rows.into_iter().map(|row| (RowKind::Insert, row)).collect())
}

fn events(dice: &mut Dice) -> Vec<Row> {
    let values = [None, Some(0), Some(1), Some(2), Some(3), Some(5), Some(8)];
    let mut ms = FIRST_EVENT_MS;
    let mut event = |id: usize| {
        ms += 1 + dice.below(4000) as i64;
        let k = dice.pick(&[1, 2, 3]);
        vec![Value::Int(id as i64), Value::Int(k), int(dice.pick(&values)), Value::Int(ms)]
    };
    (0..CHANGES).map(|id| (RowKind::Insert, event(id))).collect()
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
