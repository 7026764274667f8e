//! The window columns of output rows.

use crate::columns::timestamps_from_ms;
use crate::window::WallClock;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use headwater_plan::operators::WindowProperty;
use headwater_types::Result;

/// Window columns that follow the results.
pub(super) struct Properties {
    columns: Vec<(WindowProperty, DataType)>,
}

impl Properties {
    /// The last columns of `output` are the properties.
    pub(super) fn new(properties: &[WindowProperty], output: &SchemaRef) -> Self {
        let first = output.fields().len().saturating_sub(properties.len());
        let types = output.fields()[first..].iter().map(|field| field.data_type().clone());
        Self { columns: properties.iter().copied().zip(types).collect() }
    }

    /// The columns for one window per row; windows are (start, end) in wall-clock time.
    pub(super) fn append(
        &self,
        windows: impl Iterator<Item = (i64, i64)> + Clone,
        clock: &WallClock,
        columns: &mut Vec<ArrayRef>,
    ) -> Result<()> {
        for (property, data_type) in &self.columns {
            // A zoned column holds an instant, any other the digits of the wall clock.
            let zoned = matches!(data_type, DataType::Timestamp(_, Some(_)));
            let value = |(start, end): (i64, i64)| {
                let wall = match property {
                    WindowProperty::Start => start,
                    WindowProperty::End => end,
                    WindowProperty::Time => end - 1,
                };
                if zoned { clock.to_instant(wall) } else { wall }
            };
            columns.push(timestamps_from_ms(windows.clone().map(value).collect(), data_type)?);
        }
        Ok(())
    }
}
