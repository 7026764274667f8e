//! Values as cells of text.

use super::Shape;
use headwater_data::ChangeBatch;
use headwater_functions::text::Formatter;
use std::io;

/// What a table shows for NULL.
pub const NULL_TEXT: &str = "<NULL>";

/// The rows of a batch as text, with the `op` first when it is shown. `None` is NULL.
pub fn rows(shape: &Shape, batch: &ChangeBatch) -> io::Result<Vec<Vec<Option<String>>>> {
    let formatters = shape
        .columns
        .iter()
        .zip(batch.rows().columns())
        .map(|((_, ty), array)| Formatter::new(array.as_ref(), ty, shape.zone))
        .collect::<headwater_types::Result<Vec<_>>>()
        .map_err(io::Error::other)?;
    let row = |row: usize| {
        let op = shape.show_op.then(|| Some(batch.kind(row).short().to_string()));
        let cells = formatters.iter().zip(batch.rows().columns()).map(|(formatter, array)| {
            arrow::array::Array::is_valid(array, row).then(|| {
                let mut text = String::new();
                formatter.push(&mut text, row);
                text
            })
        });
        op.into_iter().chain(cells).collect()
    };
    Ok((0..batch.num_rows()).map(row).collect())
}
