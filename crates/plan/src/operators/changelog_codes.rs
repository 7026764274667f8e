//! Changelogs as plain rows: `TO_CHANGELOG` and `FROM_CHANGELOG`.

use headwater_types::{LogicalType, RowKind};
use serde::{Deserialize, Serialize};

/// Changes become inserted rows: in front of the columns stands a code that says what the change was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToChangelogSpec {
    /// The code of each kind of row; rows of other kinds are dropped.
    pub codes: Vec<(RowKind, String)>,
    /// Which columns a deletion keeps; the others become NULL. When absent, it keeps all.
    pub deletion: Option<PartialDeletion>,
}

/// Deletions that tell the key of their row only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialDeletion {
    /// Positions of the columns that identify a row. Empty until the changelog of the plan is decided, unless the rows
    /// are partitioned.
    pub keys: Vec<usize>,
}

impl ToChangelogSpec {
    /// The code of a kind of row.
    pub fn code(&self, kind: RowKind) -> Option<&str> {
        self.codes.iter().find(|(known, _)| *known == kind).map(|(_, code)| code.as_str())
    }
}

/// Inserted rows become changes: a column says what each of them is. It is not part of the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromChangelogSpec {
    /// Position of the column with the code.
    pub code: usize,
    /// What the codes mean.
    pub kinds: Vec<(String, RowKind)>,
    /// Whether rows with a NULL or unknown code are dropped instead of failing the job.
    pub skips_errors: bool,
    /// Positions, in the output, of the columns that the rows are partitioned by; empty without.
    pub keys: Vec<usize>,
}

impl FromChangelogSpec {
    /// Whether a change names its new row only, which replaces the one of the same key.
    pub fn is_upsert(&self) -> bool {
        let holds = |wanted: RowKind| self.kinds.iter().any(|(_, kind)| *kind == wanted);
        holds(RowKind::UpdateAfter) && !holds(RowKind::UpdateBefore)
    }

    /// Positions of the input's columns that are in the output.
    pub fn kept(&self, width: usize) -> impl Iterator<Item = usize> + '_ {
        (0..width).filter(|column| *column != self.code)
    }
}

/// Types of the columns behind the code, when deletions may lack all but some.
pub fn widened(types: &[LogicalType], keys: &[usize]) -> Vec<LogicalType> {
    let widen = |(position, ty): (usize, &LogicalType)| match keys.contains(&position) {
        true => ty.clone(),
        false => ty.clone().with_nullable(true),
    };
    types.iter().enumerate().map(widen).collect()
}
