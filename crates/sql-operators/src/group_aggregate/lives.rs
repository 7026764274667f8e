//! Which groups come to life and die as the rows of a batch are added and taken back.
//!
//! There is nothing to take back from a group that does not exist: such rows are ignored. A group whose last row is
//! taken back is gone; when it comes again, it starts empty.

/// What happens to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It does not exist, before and after.
    Nothing,
    /// It comes to life.
    Insert,
    /// It exists, before and after.
    Update,
    /// It dies.
    Delete,
}

/// The lives of groups over a batch.
pub(super) struct Lives {
    /// Per row, or per group of a bundle.
    pub(super) steps: Vec<Step>,
    /// The signs of rows that are not ignored; `None` when all are added.
    pub(super) signs: Option<Vec<i8>>,
    /// The rows before which their group is emptied; `None` when there is none.
    pub(super) resets: Option<Vec<bool>>,
}

impl Step {
    pub(super) fn of(existed: bool, exists: bool) -> Self {
        match (existed, exists) {
            (false, false) => Self::Nothing,
            (false, true) => Self::Insert,
            (true, true) => Self::Update,
            (true, false) => Self::Delete,
        }
    }
}

/// Every row is a step of its group. `counts` holds rows per group before, and afterwards after.
pub(super) fn row_by_row(groups: &[u32], signs: Option<&[i8]>, counts: &mut [i64]) -> Lives {
    let Some(signs) = signs else {
        let steps = groups.iter().map(|group| {
            let count = &mut counts[*group as usize];
            *count += 1;
            if *count == 1 { Step::Insert } else { Step::Update }
        });
        return Lives { steps: steps.collect(), signs: None, resets: None };
    };
    let (mut steps, mut kept) = (Vec::with_capacity(groups.len()), Vec::with_capacity(groups.len()));
    let mut died = vec![false; counts.len()];
    let mut resets: Option<Vec<bool>> = None;
    for (row, (group, sign)) in groups.iter().zip(signs).enumerate() {
        let group = *group as usize;
        let before = counts[group];
        let sign = if before == 0 && *sign < 0 { 0 } else { *sign };
        counts[group] += i64::from(sign);
        let step = Step::of(before > 0, counts[group] > 0);
        if step == Step::Insert && died[group] {
            resets.get_or_insert_with(|| vec![false; groups.len()])[row] = true;
        }
        died[group] |= step == Step::Delete;
        steps.push(step);
        kept.push(sign);
    }
    Lives { steps, signs: Some(kept), resets }
}

/// The bundle is one step of every group. `counts` holds rows per group before, and afterwards after.
pub(super) fn bundled(groups: &[u32], signs: Option<&[i8]>, counts: &mut [i64]) -> Lives {
    let existed: Vec<bool> = counts.iter().map(|count| *count > 0).collect();
    let mut started = existed.clone();
    let keep = |(group, sign): (&u32, i8)| {
        let group = *group as usize;
        started[group] |= sign > 0;
        let sign = if started[group] { sign } else { 0 };
        counts[group] += i64::from(sign);
        sign
    };
    let kept: Vec<i8> = match signs {
        Some(signs) => groups.iter().zip(signs.iter().copied()).map(keep).collect(),
        None => groups.iter().map(|group| (group, 1)).map(keep).collect(),
    };
    let steps = existed.iter().zip(counts.iter()).map(|(existed, count)| Step::of(*existed, *count > 0));
    Lives { steps: steps.collect(), signs: signs.map(|_| kept), resets: None }
}
