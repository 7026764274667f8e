//! Split distinct aggregation: `table.optimizer.distinct-agg.split.enabled`.
//!
//! `COUNT(DISTINCT v) GROUP BY k` keeps all values of a key in one subtask. Split, a partial aggregation counts by key and
//! bucket, a hash of the value, and a final one adds the buckets of a key:
//!
//! ```text
//! GroupAggregate(k, $SUM0(count))                  final
//! +- GroupAggregate(k, bucket, COUNT(DISTINCT v))  partial
//!    +- Calc(k, v, HASH_CODE(v) % 1024 AS bucket)
//! ```
//!
//! Calls that do not count the same values cannot share buckets. Then rows are expanded: once per set of distinct columns
//! and once for all other calls, and each call sees the rows of its own copy. A value is in one bucket, and the other
//! calls have one partial group per key, so partial results never overlap.
//!
//! State outlives a change of the query: sets are numbered by the names of their columns, not by their order, and the
//! number of buckets is part of a column's name, by which state is found.

use super::super::Lowering;
use super::super::relation::Relation;
use super::local::state_names;
use headwater_plan::operators::{AggregateCall, ExpandSpec, GroupAggregateSpec};
use headwater_plan::{Expr, OperatorSpec, Value};
use headwater_types::config::Key;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// Whether distinct aggregations are split.
const SPLIT: Key = Key { name: "table.optimizer.distinct-agg.split.enabled", default: "false" };
/// Buckets per key.
const BUCKETS: Key = Key { name: "table.optimizer.distinct-agg.split.bucket-num", default: "1024" };

/// The calls of an aggregation by the columns whose distinct values they count.
struct Sets {
    /// Distinct columns, each set once.
    distinct: Vec<Vec<usize>>,
    /// Per call its set; the one behind the last is for calls that count all rows.
    of_call: Vec<usize>,
    /// Per set the number by which its rows are known.
    numbers: Vec<i64>,
}

impl Sets {
    /// `names` are those of the input.
    fn of(calls: &[AggregateCall], names: &[String]) -> Self {
        let mut distinct: Vec<Vec<usize>> = vec![];
        for call in calls.iter().filter(|call| counts_distinct(call)) {
            if !distinct.contains(&call.args) {
                distinct.push(call.args.clone());
            }
        }
        let set = |call: &AggregateCall| match counts_distinct(call) {
            true => distinct.iter().position(|args| *args == call.args).unwrap_or_default(),
            false => distinct.len(),
        };
        let of_call: Vec<usize> = calls.iter().map(set).collect();
        let mut numbers = vec![];
        for args in &distinct {
            let mut number = number(args.iter().map(|arg| names[*arg].as_str()));
            while numbers.contains(&number) {
                number += 1;
            }
            numbers.push(number);
        }
        if of_call.contains(&distinct.len()) {
            numbers.push(0);
        }
        Self { distinct, of_call, numbers }
    }
}

impl Lowering<'_> {
    /// The number of buckets, if the aggregation is to be split and can be.
    pub(super) fn distinct_buckets(&self, spec: &GroupAggregateSpec) -> Result<Option<i64>> {
        let config = self.context.config;
        if spec.final_only || !config.boolean(SPLIT)? {
            return Ok(None);
        }
        let buckets = config.integer(BUCKETS)?;
        if !(1..=i64::from(i32::MAX / 2)).contains(&buckets) {
            let message = format!("'{buckets}' is not a value of '{}': expected a positive number", BUCKETS.name);
            return Err(Error::user("bad-config-value", message));
        }
        let splits = spec.calls.iter().any(counts_distinct) && spec.calls.iter().all(adds_up);
        Ok(splits.then_some(buckets))
    }

    /// The partial aggregation, and the specification of the final one over it. `names` are those of the output.
    pub(super) fn split_distinct(
        &mut self,
        input: Relation,
        spec: GroupAggregateSpec,
        buckets: i64,
        names: &[String],
    ) -> Result<(Relation, GroupAggregateSpec)> {
        let sets = Sets::of(&spec.calls, self.names(&input));
        let call_names = state_names(&spec.calls, self.names(&input));
        let width = self.types(&input).len();
        let input = self.bucketed(&input, &sets, buckets);
        let (input, calls, added) = match sets.numbers.len() {
            1 => (input, spec.calls.clone(), 1),
            _ => {
                let expanded = self.expanded(&input, &sets, width, buckets);
                let (filtered, calls) = self.with_call_filters(&expanded, &sets, &spec.calls, width);
                (filtered, calls, 2)
            }
        };
        let keys = spec.keys.len();
        let mut types: Vec<LogicalType> = spec.keys.iter().map(|key| self.types(&input)[*key].clone()).collect();
        types.extend(self.types(&input)[width..width + added].iter().cloned());
        types.extend(calls.iter().map(|call| call.ty.clone()));
        let mut partial_names = names[..keys].to_vec();
        partial_names.extend(self.names(&input)[width..width + added].iter().cloned());
        partial_names.extend(call_names);
        let partial = GroupAggregateSpec {
            keys: spec.keys.iter().copied().chain(width..width + added).collect(),
            calls,
            input_types: self.types(&input).to_vec(),
            ..spec.clone()
        };
        let partial = self.group_aggregate_nodes(&input, partial, types, partial_names)?;
        let partial = Relation::new(partial, vec![]);
        let added_up = |(position, call): (usize, &AggregateCall)| sum_up(call, keys + added + position);
        let calls = spec.calls.iter().enumerate().map(added_up).collect();
        let input_types = self.types(&partial).to_vec();
        let total = GroupAggregateSpec { keys: (0..keys).collect(), calls, input_types, ..spec };
        Ok((partial, total))
    }

    /// The input with the bucket of every set of distinct columns.
    fn bucketed(&mut self, input: &Relation, sets: &Sets, buckets: i64) -> Relation {
        let types = self.types(input).to_vec();
        let mut projection: Vec<Expr> = types.iter().cloned().enumerate().map(|(i, ty)| Expr::column(i, ty)).collect();
        let mut names = self.names(input).to_vec();
        for (number, args) in sets.distinct.iter().enumerate() {
            projection.push(bucket(args, &types, buckets));
            let of_set = if number == 0 { String::new() } else { format!("_{number}") };
            names.push(format!("$bucket_{buckets}{of_set}"));
        }
        Relation { producers: self.calc_node(input, None, projection, names), columns: vec![], window: None }
    }

    /// Every row once per set: with its bucket for the set, and the number of the set.
    fn expanded(&mut self, input: &Relation, sets: &Sets, width: usize, buckets: i64) -> Relation {
        let types = self.types(input)[..width].to_vec();
        let columns: Vec<Expr> = types.iter().cloned().enumerate().map(|(i, ty)| Expr::column(i, ty)).collect();
        let projection = |set: usize| {
            let bucket = match set < sets.distinct.len() {
                true => Expr::column(width + set, int(true)),
                false => Expr::Literal { value: Value::Null, ty: int(true) },
            };
            columns.iter().cloned().chain([bucket, set_number(sets.numbers[set])]).collect()
        };
        let projections = (0..sets.numbers.len()).map(projection).collect();
        let types = types.into_iter().chain([int(true), int(false)]).collect();
        let names = self.names(input)[..width].iter().cloned();
        let names = names.chain([format!("$bucket_{buckets}"), "$e".to_owned()]).collect();
        let node = self.unary(input, OperatorSpec::Expand(ExpandSpec { projections }), types, names);
        Relation::new(node, vec![])
    }

    /// The expanded rows with a filter for every call, and the calls with these filters.
    fn with_call_filters(
        &mut self,
        input: &Relation,
        sets: &Sets,
        calls: &[AggregateCall],
        width: usize,
    ) -> (Relation, Vec<AggregateCall>) {
        let types = self.types(input).to_vec();
        let mut projection: Vec<Expr> = types.iter().cloned().enumerate().map(|(i, ty)| Expr::column(i, ty)).collect();
        let mut names = self.names(input).to_vec();
        let mut filters: Vec<(usize, Option<usize>)> = vec![];
        let mut filtered = vec![];
        for (call, set) in calls.iter().zip(&sets.of_call) {
            let wanted = (*set, call.filter);
            let known = filters.iter().position(|filter| *filter == wanted);
            let position = known.unwrap_or_else(|| {
                let number = Expr::column(width + 1, int(false));
                let of_set = Expr::Call {
                    function: "=".to_owned(),
                    args: vec![number, set_number(sets.numbers[*set])],
                    ty: boolean(),
                };
                projection.push(match call.filter {
                    Some(filter) => Expr::And(vec![of_set, Expr::column(filter, types[filter].clone())]),
                    None => of_set,
                });
                let filter = call.filter.map_or_else(String::new, |filter| format!(" AND {}", names[filter]));
                names.push(format!("$e = {}{filter}", sets.numbers[*set]));
                filters.push(wanted);
                filters.len() - 1
            });
            filtered.push(AggregateCall { filter: Some(types.len() + position), ..call.clone() });
        }
        let producers = self.calc_node(input, None, projection, names);
        (Relation { producers, columns: vec![], window: None }, filtered)
    }
}

/// Whether a call counts each value once; duplicates do not change the others.
fn counts_distinct(call: &AggregateCall) -> bool {
    call.distinct && !matches!(call.function.as_str(), "MIN" | "MAX" | "FIRST_VALUE" | "LAST_VALUE")
}

/// Whether the result of a call follows from its results over parts of the rows.
fn adds_up(call: &AggregateCall) -> bool {
    let sums = matches!(call.function.as_str(), "COUNT" | "SUM" | "SUM0" | "$SUM0");
    let picks = matches!(call.function.as_str(), "MIN" | "MAX" | "FIRST_VALUE" | "LAST_VALUE");
    let joins = matches!(call.function.as_str(), "LISTAGG" | "STRING_AGG");
    sums || picks || (joins && !call.distinct)
}

/// The call that makes a result of partial ones.
fn sum_up(call: &AggregateCall, column: usize) -> AggregateCall {
    let function = if call.function == "COUNT" { "$SUM0" } else { &call.function };
    AggregateCall {
        function: function.to_owned(),
        args: vec![column],
        distinct: false,
        filter: None,
        parameters: call.parameters.clone(),
        ty: call.ty.clone(),
    }
}

/// The bucket of a row: it is the same for equal values.
fn bucket(args: &[usize], types: &[LogicalType], buckets: i64) -> Expr {
    let hash = |arg: &usize| {
        let column = Expr::column(*arg, types[*arg].clone());
        let hashed = if hashes(&types[*arg]) { column } else { as_text(column) };
        modulo(Expr::Call { function: "HASH_CODE".to_owned(), args: vec![hashed], ty: int(true) }, buckets)
    };
    let add = |left, right| Expr::Call { function: "+".to_owned(), args: vec![left, right], ty: int(true) };
    let mut hashes = args.iter().map(hash);
    let first = hashes.next().unwrap_or(Expr::Literal { value: Value::Null, ty: int(true) });
    match args.len() {
        0 | 1 => first,
        _ => hashes.fold(first, |sum, hash| modulo(add(sum, hash), buckets)),
    }
}

/// Whether there is a hash for values of a type; others are hashed as text.
fn hashes(ty: &LogicalType) -> bool {
    ty.is_character() || ty.is_integer()
}

fn as_text(value: Expr) -> Expr {
    Expr::Cast { input: Box::new(value), ty: LogicalType::string(), try_cast: true }
}

fn modulo(value: Expr, buckets: i64) -> Expr {
    let buckets = Expr::Literal { value: Value::Int(buckets), ty: int(false) };
    Expr::Call { function: "%".to_owned(), args: vec![value, buckets], ty: int(true) }
}

fn set_number(number: i64) -> Expr {
    Expr::Literal { value: Value::Int(number), ty: int(false) }
}

/// A positive number that follows from names.
fn number<'n>(names: impl Iterator<Item = &'n str>) -> i64 {
    let bytes = names.flat_map(|name| name.bytes().chain([0]));
    let hash = bytes.fold(7, |hash: i64, byte| (hash * 31 + i64::from(byte)) % 1_000_003);
    hash + 1
}

fn int(nullable: bool) -> LogicalType {
    LogicalType::new(TypeRoot::Int, nullable)
}

fn boolean() -> LogicalType {
    LogicalType::new(TypeRoot::Boolean, false)
}
