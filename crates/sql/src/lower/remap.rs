//! Where columns and nested fields go when others are pruned, and expressions that follow them.

use headwater_plan::Expr;
use headwater_types::{LogicalType, RowField, TypeRoot};
use std::collections::BTreeMap;

/// What of a column its consumers read.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Usage {
    /// Nothing.
    #[default]
    None,
    /// These fields of the row, by position.
    Fields(BTreeMap<usize, Usage>),
    /// Everything.
    All,
}

impl Usage {
    /// Whether anything is read.
    pub fn is_used(&self) -> bool {
        *self != Self::None
    }

    /// Adds what another consumer reads.
    pub fn merge(&mut self, other: &Usage) {
        match (&mut *self, other) {
            (_, Self::None) | (Self::All, _) => {}
            (Self::None, other) => *self = other.clone(),
            (_, Self::All) => *self = Self::All,
            (Self::Fields(mine), Self::Fields(theirs)) => {
                for (field, usage) in theirs {
                    mine.entry(*field).or_default().merge(usage);
                }
            }
        }
    }
}

/// Adds to `columns` what evaluating `expr` reads, when `usage` of its result is read.
pub fn collect_usage(expr: &Expr, usage: &Usage, columns: &mut [Usage]) {
    match expr {
        Expr::Column { index, .. } => columns[*index].merge(usage),
        Expr::Field { input, index, .. } => {
            let of_row = Usage::Fields(BTreeMap::from([(*index, usage.clone())]));
            collect_usage(input, &of_row, columns);
        }
        other => other.children().into_iter().for_each(|c| collect_usage(c, &Usage::All, columns)),
    }
}

/// Where a column or field went.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// It is gone; nobody reads it.
    Dropped,
    /// It is unchanged, at this position.
    Whole(usize),
    /// It is a row of fewer fields, at this position.
    Pruned {
        /// Its position.
        index: usize,
        /// Where its fields went.
        fields: Vec<Kept>,
        /// Its type now.
        ty: LogicalType,
    },
}

impl Kept {
    /// The new position.
    pub fn index(&self) -> Option<usize> {
        match self {
            Self::Dropped => None,
            Self::Whole(index) | Self::Pruned { index, .. } => Some(*index),
        }
    }

    /// The same at another position.
    #[must_use]
    pub fn at(self, position: usize) -> Self {
        match self {
            Self::Dropped => Self::Dropped,
            Self::Whole(_) => Self::Whole(position),
            Self::Pruned { fields, ty, .. } => Self::Pruned { index: position, fields, ty },
        }
    }

    /// The type now of what had type `ty`.
    pub fn ty(&self, ty: &LogicalType) -> LogicalType {
        match self {
            Self::Pruned { ty, .. } => ty.clone(),
            _ => ty.clone(),
        }
    }
}

/// Where the columns of a row went.
pub type ColumnMap = Vec<Kept>;

/// All columns, unchanged.
pub fn identity(width: usize) -> ColumnMap {
    (0..width).map(Kept::Whole).collect()
}

/// Prunes a type to what is read of it, as the column at `position`.
pub fn prune_type(ty: &LogicalType, usage: &Usage, position: usize) -> Kept {
    let (Usage::Fields(used), Some(fields)) = (usage, ty.row_fields()) else {
        return if usage.is_used() { Kept::Whole(position) } else { Kept::Dropped };
    };
    let mut kept = vec![];
    let mut pruned: Vec<RowField> = vec![];
    for (i, field) in fields.iter().enumerate() {
        let of_field = prune_type(&field.ty, used.get(&i).unwrap_or(&Usage::None), pruned.len());
        if of_field != Kept::Dropped {
            pruned.push(RowField { ty: of_field.ty(&field.ty), ..field.clone() });
        }
        kept.push(of_field);
    }
    if pruned.len() == fields.len() && pruned == fields {
        return Kept::Whole(position);
    }
    Kept::Pruned { index: position, fields: kept, ty: LogicalType::new(TypeRoot::Row(pruned), ty.nullable) }
}

/// Rewrites an expression to the new positions. Answers where its own value went when it is a column or a
/// field of one.
pub fn remap(expr: &mut Expr, map: &ColumnMap) -> Option<Kept> {
    match expr {
        Expr::Column { index, ty } => {
            let kept = map[*index].clone();
            *index = kept.index().expect("a column that is read is kept");
            *ty = kept.ty(ty);
            Some(kept)
        }
        Expr::Field { input, index, ty } => {
            let Some(Kept::Pruned { fields, .. }) = remap(input, map) else { return None };
            let kept = fields[*index].clone();
            *index = kept.index().expect("a field that is read is kept");
            *ty = kept.ty(ty);
            Some(kept)
        }
        other => {
            other.children_mut().into_iter().for_each(|c| {
                remap(c, map);
            });
            None
        }
    }
}

/// The new position of a column that is read.
pub fn position(map: &ColumnMap, column: usize) -> usize {
    map[column].index().expect("a column that is read is kept")
}
