//! Cutting time into slices that windows share.
//!
//! Overlapping windows would aggregate every row several times. Instead time is cut into slices such that
//! every window is a run of whole slices; a row is aggregated once, into its slice, and a window merges its
//! slices when it fires. A slice and a window are named by their (exclusive) end.
//!
//! | shape | slice | windows of the slice that ends at `e` |
//! |---|---|---|
//! | tumble | the window | `e` |
//! | hop | one slide | `e, e + slide, ..., e + size - slide` |
//! | cumulate | one step | `e, e + step, ...` up to the end of the largest window |

use headwater_plan::operators::WindowShape;
use headwater_types::{Error, Result};

/// The slices and windows of a shape that is aligned to the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slices {
    shape: WindowShape,
    offset_ms: i64,
    /// Length of a slice.
    width_ms: i64,
}

fn uneven(size_ms: i64, width_ms: i64) -> Error {
    Error::user("bad-window", format!("a window of {size_ms} ms cannot be cut into slices of {width_ms} ms"))
}

impl Slices {
    /// The slices of a shape; sessions have none.
    pub(crate) fn new(shape: WindowShape, offset_ms: i64) -> Result<Self> {
        let (slices, size_ms) = Self::cut(shape, offset_ms)?;
        match size_ms % slices.width_ms {
            0 => Ok(slices),
            _ => Err(uneven(size_ms, slices.width_ms)),
        }
    }

    /// For assigning windows to rows: hopping windows need not end where slices do, and may leave gaps.
    pub(crate) fn assigning(shape: WindowShape, offset_ms: i64) -> Result<Self> {
        match shape {
            WindowShape::Hop { .. } => Ok(Self::cut(shape, offset_ms)?.0),
            _ => Self::new(shape, offset_ms),
        }
    }

    /// The slices and the size of the largest window.
    fn cut(shape: WindowShape, offset_ms: i64) -> Result<(Self, i64)> {
        let (width_ms, size_ms) = match shape {
            WindowShape::Tumble { size_ms } => (size_ms, size_ms),
            WindowShape::Hop { slide_ms, size_ms } => (slide_ms, size_ms),
            WindowShape::Cumulate { step_ms, max_ms } => (step_ms, max_ms),
            WindowShape::Session { .. } => return Err(Error::internal("session windows have no slices")),
        };
        if width_ms <= 0 || size_ms <= 0 {
            return Err(uneven(size_ms, width_ms));
        }
        Ok((Self { shape, offset_ms, width_ms }, size_ms))
    }

    /// The end of the slice a time lies in.
    #[inline]
    pub(crate) fn slice_end(&self, time_ms: i64) -> i64 {
        self.floor(time_ms, self.width_ms).saturating_add(self.width_ms)
    }

    /// Length of a slice.
    pub(crate) fn width_ms(&self) -> i64 {
        self.width_ms
    }

    fn floor(&self, time_ms: i64, unit_ms: i64) -> i64 {
        time_ms.saturating_sub(time_ms.wrapping_sub(self.offset_ms).rem_euclid(unit_ms))
    }

    /// The end of the last window that holds the slice.
    pub(crate) fn last_window_end(&self, slice_end: i64) -> i64 {
        match self.shape {
            WindowShape::Hop { slide_ms, size_ms } => slice_end.saturating_add(size_ms - slide_ms),
            WindowShape::Cumulate { max_ms, .. } => self.window_start(slice_end).saturating_add(max_ms),
            WindowShape::Tumble { .. } | WindowShape::Session { .. } => slice_end,
        }
    }

    /// The end of the window after this one that may hold the same slices.
    pub(crate) fn next_window_end(&self, window_end: i64) -> Option<i64> {
        match self.shape {
            WindowShape::Hop { slide_ms, .. } => Some(window_end.saturating_add(slide_ms)),
            WindowShape::Cumulate { step_ms, .. } => {
                let next = window_end.saturating_add(step_ms);
                (window_end < self.last_window_end(window_end)).then_some(next)
            }
            WindowShape::Tumble { .. } | WindowShape::Session { .. } => None,
        }
    }

    /// Whether windows share slices.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.shape, WindowShape::Hop { .. } | WindowShape::Cumulate { .. })
    }

    /// The start of a window.
    pub(crate) fn window_start(&self, window_end: i64) -> i64 {
        match self.shape {
            WindowShape::Tumble { size_ms } | WindowShape::Hop { size_ms, .. } => window_end.saturating_sub(size_ms),
            WindowShape::Cumulate { max_ms, .. } => self.floor(window_end - 1, max_ms),
            WindowShape::Session { .. } => window_end,
        }
    }

    /// Whether windows grow from a common start, so that merged slices are kept from window to window.
    pub(crate) fn accumulates(&self) -> bool {
        matches!(self.shape, WindowShape::Cumulate { .. })
    }

    /// All windows that hold a time, as (start, end), in the order in which rows are emitted for them.
    pub(crate) fn windows(&self, time_ms: i64, each: &mut impl FnMut(i64, i64)) {
        let first = self.slice_end(time_ms);
        match self.shape {
            WindowShape::Hop { slide_ms, size_ms } => {
                // From the latest window back to the earliest.
                let mut end = self.last_window_end(first);
                while end > time_ms {
                    each(end - size_ms, end);
                    end -= slide_ms;
                }
            }
            _ => {
                let start = self.window_start(first);
                let mut next = Some(first);
                while let Some(end) = next {
                    each(start, end);
                    next = self.next_window_end(end);
                }
            }
        }
    }
}
