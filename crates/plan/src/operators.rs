//! Operator specifications: one variant per streaming operator.
//!
//! A specification is complete: together with the row types of its inputs (on the
//! [`OperatorNode`](crate::OperatorNode)) it is all an operator needs to be built anywhere.

mod changelog_codes;
mod pattern;

pub use changelog_codes::{FromChangelogSpec, PartialDeletion, ToChangelogSpec, widened};
pub use pattern::{MatchRecognizeSpec, PatternElement, RowPlace, RowReference, SkipStrategy, look_back};

use crate::{Expr, SinkSpec, SourceSpec, Value};
use headwater_types::LogicalType;
use serde::{Deserialize, Serialize};

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OperatorSpec {
    /// Reads a table. No input.
    Source(SourceSpec),
    /// Inline rows (VALUES). No input.
    Values(ValuesSpec),
    /// Filter and projection, fused.
    Calc(CalcSpec),
    /// Generates event-time watermarks.
    WatermarkAssigner(WatermarkSpec),
    /// Repeats every row once per grouping set.
    Expand(ExpandSpec),
    /// Adds window_start, window_end, window_time, one row per window.
    WindowTableFunction(WindowSpec),
    /// Aggregates per key and window.
    WindowAggregate(WindowAggregateSpec),
    /// Joins two inputs window by window.
    WindowJoin(WindowJoinSpec),
    /// Keeps the first rows per key and window (also deduplication, with `end` 1).
    WindowRank(WindowRankSpec),
    /// Joins two inputs without a bound in time.
    Join(JoinSpec),
    /// Joins rows whose times lie within bounds of each other.
    IntervalJoin(IntervalJoinSpec),
    /// Joins rows with the version of a table that was valid at their time.
    TemporalJoin(TemporalJoinSpec),
    /// Keeps the first rows per key, as a changelog.
    Rank(RankSpec),
    /// Keeps the first or the last row per key.
    Deduplicate(DeduplicateSpec),
    /// Adds aggregates over the rows before each row.
    OverAggregate(OverAggregateSpec),
    /// Turns an upsert stream into a full changelog.
    ChangelogNormalize(ChangelogNormalizeSpec),
    /// Orders changes per primary key in front of an upsert sink.
    SinkMaterialize(SinkMaterializeSpec),
    /// Drops `-U` rows, for a consumer that does not need them.
    DropUpdateBefore(DropUpdateBeforeSpec),
    /// Aggregates without a window: over bounded input in batch mode, or as a changelog.
    GroupAggregate(GroupAggregateSpec),
    /// Orders bounded input; with a fetch, keeps only the first rows.
    Sort(SortSpec),
    /// Orders by event time: rows leave when the watermark passes them.
    TemporalSort(TemporalSortSpec),
    /// Keeps the first rows of a stream in an order, as a changelog.
    SortLimit(SortLimitSpec),
    /// Skips `offset` rows and passes at most `fetch`.
    Limit(LimitSpec),
    /// Flattens an array, map or multiset column: one row per element.
    Unnest(UnnestSpec),
    /// Writes a table. No output.
    Sink(SinkSpec),
    /// Turns changes into inserted rows that say what the change was.
    ToChangelog(ToChangelogSpec),
    /// Turns inserted rows that say what they mean into changes.
    FromChangelog(FromChangelogSpec),
    /// Finds sequences of rows that match a pattern.
    MatchRecognize(MatchRecognizeSpec),
}

/// Inline rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValuesSpec {
    /// The rows; each has one value per output column.
    pub rows: Vec<Vec<Value>>,
}

/// Filter, then project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalcSpec {
    /// Rows where this is not true are dropped.
    pub condition: Option<Expr>,
    /// The output columns.
    pub projection: Vec<Expr>,
}

/// Watermark generation over a rowtime column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatermarkSpec {
    /// Position of the rowtime column.
    pub rowtime: usize,
    /// The watermark expression, a timestamp; evaluated per row, the largest value wins.
    pub expr: Expr,
    /// Emission interval; 0 emits after every batch.
    pub interval_ms: u64,
    /// The input counts as idle after this long without rows; 0 is never.
    pub idle_timeout_ms: u64,
}

/// Row expansion for grouping sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpandSpec {
    /// One projection per grouping set; all have the same types.
    pub projections: Vec<Vec<Expr>>,
}

/// The shape of windows. All durations are positive milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowShape {
    /// Fixed size, no overlap.
    Tumble {
        /// Window length.
        size_ms: i64,
    },
    /// Fixed size, a new window every slide.
    Hop {
        /// Distance of window starts; divides `size_ms`.
        slide_ms: i64,
        /// Window length.
        size_ms: i64,
    },
    /// Windows of one start that grow step by step to a maximal size.
    Cumulate {
        /// Growth; divides `max_ms`.
        step_ms: i64,
        /// Length of the last window.
        max_ms: i64,
    },
    /// Rows closer than the gap share a window.
    Session {
        /// The gap.
        gap_ms: i64,
    },
}

/// Where the window of a row comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowTime {
    /// Assigned from an event-time column.
    Rowtime(usize),
    /// Assigned from the wall clock when the row is processed.
    Proctime,
    /// Assigned before: the row carries window start and end in these columns.
    Attached {
        /// Position of the window start.
        start: usize,
        /// Position of the window end.
        end: usize,
    },
}

/// A window assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSpec {
    /// Shape of the windows.
    pub shape: WindowShape,
    /// Shift of the window starts, milliseconds; may be negative.
    pub offset_ms: i64,
    /// Where the window comes from.
    pub time: WindowTime,
    /// Positions of the PARTITION BY columns of a session window.
    pub partition_by: Vec<usize>,
    /// For windows over TIMESTAMP_LTZ: the zone whose wall clock aligns them. `None` for TIMESTAMP
    /// columns. Window start and end are TIMESTAMP in that zone, as in Flink.
    pub zone: Option<String>,
    /// Whether the windows are of processing time: they then fire by the clock, also when attached.
    pub proctime: bool,
}

/// Which half of a two-phase aggregation an operator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AggregatePhase {
    /// Rows in, results out.
    Complete,
    /// Rows in, partial accumulators out, before the exchange.
    Local,
    /// Partial accumulators in, results out.
    Global,
}

/// One aggregate function call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AggregateCall {
    /// Canonical upper-case name: COUNT, SUM, AVG, MIN, MAX, LISTAGG, FIRST_VALUE, ...
    pub function: String,
    /// Positions of the argument columns in the input; empty for `COUNT(*)`.
    pub args: Vec<usize>,
    /// Only distinct argument values count.
    pub distinct: bool,
    /// Position of a BOOLEAN column; only rows where it is true count.
    pub filter: Option<usize>,
    /// Literal arguments after the columns (the separator of LISTAGG).
    pub parameters: Vec<Value>,
    /// Result type.
    pub ty: LogicalType,
}

/// A window column in an output row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WindowProperty {
    /// `window_start`.
    Start,
    /// `window_end`.
    End,
    /// `window_time`: the end minus one millisecond.
    Time,
}

/// Aggregation per key and window. Output row: keys, aggregates, window properties.
///
/// The output of [`AggregatePhase::Local`] is `keys, slice end (BIGINT, epoch milliseconds UTC), one
/// BINARY accumulator per call`, hashed on the keys; it is the input of [`AggregatePhase::Global`], whose
/// `keys` are then positions `0..n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowAggregateSpec {
    /// Phase.
    pub phase: AggregatePhase,
    /// The windows.
    pub window: WindowSpec,
    /// Positions of the key columns.
    pub keys: Vec<usize>,
    /// The aggregate calls.
    pub calls: Vec<AggregateCall>,
    /// Window columns appended to the output.
    pub properties: Vec<WindowProperty>,
    /// Types of the original input row: argument positions of calls refer to it, in every phase.
    pub input_types: Vec<LogicalType>,
}

/// Join kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinKind {
    /// Matching pairs.
    Inner,
    /// Every left row, padded when unmatched.
    Left,
    /// Every right row, padded when unmatched.
    Right,
    /// Every row of both sides.
    Full,
    /// Left rows with a match.
    Semi,
    /// Left rows without a match.
    Anti,
}

/// Join of two inputs whose windows are equal; emits when the window ends.
/// Output row: left columns, right columns (left only for semi and anti).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowJoinSpec {
    /// Kind.
    pub kind: JoinKind,
    /// Window start and end positions, left.
    pub left_window: (usize, usize),
    /// Window start and end positions, right.
    pub right_window: (usize, usize),
    /// Key columns, left; may be empty.
    pub left_keys: Vec<usize>,
    /// Key columns, right, pairwise equal to the left ones. NULL equals nothing.
    pub right_keys: Vec<usize>,
    /// Residual condition over left columns followed by right columns.
    pub condition: Option<Expr>,
    /// Zone of the windows, as in [`WindowSpec::zone`].
    pub zone: Option<String>,
    /// Whether the window columns derive from processing time.
    pub proctime: bool,
}

/// A sort column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// Position in the input.
    pub column: usize,
    /// Direction.
    pub ascending: bool,
    /// Where NULLs go.
    pub nulls_first: bool,
}

/// ROW_NUMBER, RANK or DENSE_RANK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankFunction {
    /// Ties in arrival order.
    RowNumber,
    /// Ties share a rank, gaps follow.
    Rank,
    /// Ties share a rank, no gaps.
    DenseRank,
}

/// First rows per key and window. Output row: input columns, then the rank (BIGINT) if asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRankSpec {
    /// The ranking function.
    pub function: RankFunction,
    /// Partition columns besides the window.
    pub keys: Vec<usize>,
    /// Order within a partition.
    pub order: Vec<SortKey>,
    /// First kept rank, from 1.
    pub start: u64,
    /// Last kept rank.
    pub end: u64,
    /// Whether the rank is a column of the output.
    pub with_rank: bool,
    /// Window start and end positions.
    pub window: (usize, usize),
    /// Zone of the windows, as in [`WindowSpec::zone`].
    pub zone: Option<String>,
    /// Whether the window columns derive from processing time.
    pub proctime: bool,
}

/// Aggregation without a window. Output row: keys, aggregates.
///
/// The output of [`AggregatePhase::Local`] is `keys, one BINARY accumulator per call`, hashed on the keys; it is the
/// input of [`AggregatePhase::Global`], whose `keys` are then positions `0..n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupAggregateSpec {
    /// Phase; `Local` and `Global` only in batch mode.
    pub phase: AggregatePhase,
    /// Key columns.
    pub keys: Vec<usize>,
    /// The aggregate calls.
    pub calls: Vec<AggregateCall>,
    /// Batch mode: one final row per key at the end of input, instead of a changelog.
    pub final_only: bool,
    /// Whether consumers need `-U` rows.
    pub emits_update_before: bool,
    /// Collects rows and emits each group's change once per bundle.
    pub mini_batch: Option<MiniBatch>,
    /// Life of a group's state, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
    /// Types of the original input row.
    pub input_types: Vec<LogicalType>,
}

/// Bundles of rows: processed when one of the bounds is reached, and at every watermark and barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiniBatch {
    /// Rows per bundle.
    pub rows: u64,
    /// Milliseconds that a row may wait.
    pub latency_ms: u64,
}

/// What is known about the rows of a join's input; decides how its rows are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinInputKey {
    /// The join key has at most one row.
    JoinKeyUnique,
    /// Rows have this unique (upsert) key: positions in the input.
    Unique(Vec<usize>),
    /// Rows may repeat.
    None,
}

/// Join of two inputs without a bound in time. Output row: left columns, right columns (left only for semi
/// and anti). NULL keys match nothing unless `null_safe`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinSpec {
    /// Kind.
    pub kind: JoinKind,
    /// Key columns, left; may be empty (a cross join).
    pub left_keys: Vec<usize>,
    /// Key columns, right, pairwise.
    pub right_keys: Vec<usize>,
    /// For each key pair, whether NULL equals NULL (IS NOT DISTINCT FROM).
    pub null_safe: Vec<bool>,
    /// Residual condition over left columns followed by right columns.
    pub condition: Option<Expr>,
    /// What is known about the left rows.
    pub left_unique: JoinInputKey,
    /// What is known about the right rows.
    pub right_unique: JoinInputKey,
    /// Life of left rows, milliseconds; 0 is for ever.
    pub left_ttl_ms: i64,
    /// Life of right rows, milliseconds; 0 is for ever.
    pub right_ttl_ms: i64,
    /// Batch mode: inserts only, at the end of input.
    pub final_only: bool,
}

/// Join of append-only inputs whose times differ by bounded amounts:
/// `left.time BETWEEN right.time + lower AND right.time + upper`, milliseconds.
/// Output row: left columns, right columns (left only for semi and anti).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntervalJoinSpec {
    /// Kind.
    pub kind: JoinKind,
    /// Key columns, left; may be empty.
    pub left_keys: Vec<usize>,
    /// Key columns, right, pairwise.
    pub right_keys: Vec<usize>,
    /// Residual condition over left columns followed by right columns (the time bounds are not in it).
    pub condition: Option<Expr>,
    /// Position of the left time column.
    pub left_time: usize,
    /// Position of the right time column.
    pub right_time: usize,
    /// Lower bound of `left.time - right.time`, milliseconds.
    pub lower_ms: i64,
    /// Upper bound of `left.time - right.time`, milliseconds.
    pub upper_ms: i64,
    /// Whether the times are the wall clock at arrival instead of the columns.
    pub proctime: bool,
}

/// Join of a stream with a versioned table. Output row: left columns, right columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemporalJoinSpec {
    /// Inner or left.
    pub kind: JoinKind,
    /// Key columns, left.
    pub left_keys: Vec<usize>,
    /// Key columns, right, pairwise: the primary key of the versioned table.
    pub right_keys: Vec<usize>,
    /// Residual condition over left columns followed by right columns.
    pub condition: Option<Expr>,
    /// Event time: positions of the left and the right rowtime columns. Processing time when absent: the
    /// latest version at arrival.
    pub rowtimes: Option<(usize, usize)>,
    /// Of `SNAPSHOT`: event time at which the right side counts as loaded. Until then left rows wait, and then they are
    /// joined with all rows that it holds.
    pub load_until_ms: Option<i64>,
    /// Life of idle versions with processing time, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
}

/// The last kept rank of a [`RankSpec`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankEnd {
    /// A constant.
    Constant(u64),
    /// The value of this column (BIGINT), the same for all rows of a partition.
    Column(usize),
}

/// How a rank is kept up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RankStrategy {
    /// Input has inserts only.
    Append,
    /// Input updates rows by this unique key (positions), which holds the partition, and the order of a row
    /// only ever improves.
    Update(Vec<usize>),
    /// Input takes rows back; keeps all rows.
    Retract,
}

/// First rows per key, as a changelog. Output row: input columns, then the rank (BIGINT) if asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankSpec {
    /// The ranking function.
    pub function: RankFunction,
    /// Partition columns; may be empty.
    pub keys: Vec<usize>,
    /// Order within a partition.
    pub order: Vec<SortKey>,
    /// First kept rank, from 1.
    pub start: u64,
    /// Last kept rank.
    pub end: RankEnd,
    /// Whether the rank is a column of the output.
    pub with_rank: bool,
    /// How it is kept up to date.
    pub strategy: RankStrategy,
    /// Whether consumers need `-U` rows.
    pub emits_update_before: bool,
    /// Life of a partition's state, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
}

/// First or last row per key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeduplicateSpec {
    /// Key columns.
    pub keys: Vec<usize>,
    /// Position of the rowtime column that orders rows; arrival order (processing time) when absent.
    pub rowtime: Option<usize>,
    /// Whether the last row is kept instead of the first.
    pub keep_last: bool,
    /// Whether consumers need `-U` rows.
    pub emits_update_before: bool,
    /// Whether the first row of a key leaves as `+I`; otherwise `+U` will do.
    pub emits_insert: bool,
    /// Collects rows and emits each key's change once per bundle.
    pub mini_batch: Option<MiniBatch>,
    /// Life of a key's state, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
}

/// One bound of an OVER frame before the current row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverFrame {
    /// From the first row to the current one.
    RowsUnbounded,
    /// This many rows before the current one, and it.
    Rows(u64),
    /// From the first row to the last of the same time.
    RangeUnbounded,
    /// Rows at most this many milliseconds before the current one, to the last of the same time.
    Range(i64),
}

/// Aggregates over the rows before each row. Output row: input columns, then one per call.
/// Calls may also be `ROW_NUMBER`, `RANK`, `DENSE_RANK`, `LAG`, `LEAD`, `FIRST_VALUE`, `LAST_VALUE`, `NTILE`,
/// `CUME_DIST`, `PERCENT_RANK`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverAggregateSpec {
    /// Partition columns; may be empty.
    pub keys: Vec<usize>,
    /// The order; the first column is the time attribute unless `time` is `Column`.
    pub order: Vec<SortKey>,
    /// What time the order is.
    pub time: OverTime,
    /// The frame.
    pub frame: OverFrame,
    /// The aggregate calls.
    pub calls: Vec<AggregateCall>,
    /// Batch mode: all rows are sorted and emitted at the end of input.
    pub final_only: bool,
    /// Whether consumers need `-U` rows (only [`OverTime::Column`] updates).
    pub emits_update_before: bool,
    /// Life of a partition's state, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
}

/// What orders the rows of an OVER window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverTime {
    /// An event-time column: rows are emitted when the watermark passes them.
    Rowtime(usize),
    /// Arrival.
    Proctime,
    /// Columns that are no time attributes: results are updated as rows arrive.
    Column,
}

/// Full changelog of an upsert stream. Output: `+I` for a new key, `-U/+U` for a changed row, `-D` with the
/// whole row; unchanged rows produce nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangelogNormalizeSpec {
    /// Key columns.
    pub keys: Vec<usize>,
    /// Rows where this is not true are as if deleted.
    pub condition: Option<Expr>,
    /// Whether consumers need `-U` rows.
    pub emits_update_before: bool,
    /// Collects rows and emits each key's change once per bundle.
    pub mini_batch: Option<MiniBatch>,
    /// Life of a key's state, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
}

/// Orders the changes of a primary key that come from rows with another upsert key: keeps the list of rows
/// per primary key and emits the last one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SinkMaterializeSpec {
    /// Primary-key columns of the sink.
    pub keys: Vec<usize>,
    /// The input's upsert key; the whole row when absent.
    pub upsert_key: Option<Vec<usize>>,
    /// Whether the sink takes `-U` rows.
    pub emits_update_before: bool,
    /// Life of a key's state, milliseconds; 0 is for ever.
    pub state_ttl_ms: i64,
}

/// Removal of `-U` rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropUpdateBeforeSpec {
    /// The key by which a `-U` and the `+U` right behind it belong together: a `-U` without one (a filter took it)
    /// leaves as `-D`. When absent, every `-U` has its `+U`.
    pub keys: Option<Vec<usize>>,
}

/// Order of bounded input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortSpec {
    /// The order.
    pub order: Vec<SortKey>,
    /// Rows to skip.
    pub offset: u64,
    /// Rows to keep after the skipped ones; all when absent.
    pub fetch: Option<u64>,
}

/// Event-time order of a stream. Rows not after the last emitted one are late: dropped and counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporalSortSpec {
    /// Position of the rowtime column.
    pub rowtime: usize,
    /// The whole order; the rowtime column, ascending, comes first.
    pub order: Vec<SortKey>,
}

/// ORDER BY with LIMIT over a stream: a row that enters pushes the last one out with `-D`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortLimitSpec {
    /// The order; of equal rows the earlier stays.
    pub order: Vec<SortKey>,
    /// Rows to keep.
    pub fetch: u64,
}

/// LIMIT without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitSpec {
    /// Rows to skip.
    pub offset: u64,
    /// Rows to pass; all when absent.
    pub fetch: Option<u64>,
}

/// Flattening of a collection column. Output row: input columns, then the element (a ROW element or a
/// map entry as its fields), then the ordinality if asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnnestSpec {
    /// The collection, over the input row.
    pub collection: Expr,
    /// LEFT JOIN: a row with an empty or NULL collection is padded instead of dropped.
    pub left: bool,
    /// Adds the 1-based position (INT).
    pub with_ordinality: bool,
}
