//! The window table functions: rows with their windows.
//!
//! [`aligned`] handles windows that follow the clock, [`session`] session windows. Output row: input
//! columns, window_start, window_end, window_time.

mod aligned;
mod session;
#[cfg(test)]
mod tests;

use crate::columns::timestamps_from_ms;
use crate::window::WallClock;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::{WindowShape, WindowSpec, WindowTime};
use headwater_types::{Error, Result};

/// Builds the operator of a window table function.
pub(crate) fn build(spec: &WindowSpec, node: &OperatorNode) -> Result<Box<dyn Operator>> {
    if matches!(spec.time, WindowTime::Attached { .. }) {
        return Err(Error::internal("a window table function assigns windows itself"));
    }
    match spec.shape {
        WindowShape::Session { gap_ms } => Ok(Box::new(session::SessionWindows::new(gap_ms, spec, node)?)),
        _ => Ok(Box::new(aligned::AlignedWindows::new(spec, node)?)),
    }
}

/// The three window columns of rows with these windows, (start, end) in wall-clock time.
fn window_columns(windows: &[(i64, i64)], output: &SchemaRef, clock: &WallClock) -> Result<Vec<ArrayRef>> {
    let first = output.fields().len().saturating_sub(3);
    let column = |value: fn((i64, i64)) -> i64, data_type: &DataType| {
        let zoned = matches!(data_type, DataType::Timestamp(_, Some(_)));
        let convert = |window: &(i64, i64)| {
            let wall = value(*window);
            if zoned { clock.to_instant(wall) } else { wall }
        };
        timestamps_from_ms(windows.iter().map(convert).collect(), data_type)
    };
    let types = &output.fields()[first..];
    Ok(vec![
        column(|w| w.0, types[0].data_type())?,
        column(|w| w.1, types[1].data_type())?,
        column(|w| w.1 - 1, types[2].data_type())?,
    ])
}
