//! Change batches as bytes, behind each other: for checkpoints and for those who fetch rows.
//!
//! ```text
//! batches := batch*
//! batch   := kinds_len:u32 ( 0xffffffff for append-only ) kinds ipc_len:u32 Arrow IPC stream
//! ```

use crate::ChangeBatch;
use crate::batch::RowKinds;
use arrow::array::RecordBatch;
use arrow::buffer::ScalarBuffer;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use headwater_types::{Error, ErrorKind, Result, RowKind};

/// Stands for a batch of `+I` only.
const APPEND: u32 = u32::MAX;

/// The bytes of batches.
///
/// # Errors
/// When a batch cannot be encoded.
pub fn encode<'a>(batches: impl IntoIterator<Item = &'a ChangeBatch>) -> Result<Vec<u8>> {
    let mut out = vec![];
    for batch in batches {
        match batch.kinds() {
            RowKinds::Append => out.extend_from_slice(&APPEND.to_le_bytes()),
            RowKinds::Mixed(kinds) => {
                out.extend_from_slice(&(kinds.len() as u32).to_le_bytes());
                out.extend(kinds.iter().map(|kind| *kind as u8));
            }
        }
        let rows = encode_rows(batch.rows())?;
        out.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        out.extend_from_slice(&rows);
    }
    Ok(out)
}

fn encode_rows(rows: &RecordBatch) -> Result<Vec<u8>> {
    let failed = |e| Error::internal("rows cannot be encoded").with_source(e);
    let mut writer = StreamWriter::try_new(vec![], &rows.schema()).map_err(failed)?;
    writer.write(rows).map_err(failed)?;
    writer.into_inner().map_err(failed)
}

/// The batches of bytes.
///
/// # Errors
/// When the bytes are not what [`encode`] made.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<ChangeBatch>> {
    let mut batches = vec![];
    while !bytes.is_empty() {
        let kinds = match take_u32(&mut bytes)? {
            APPEND => None,
            length => Some(take_kinds(&mut bytes, length)?),
        };
        let length = take_u32(&mut bytes)?;
        let rows = decode_rows(take(&mut bytes, length)?)?;
        batches.push(match kinds {
            None => ChangeBatch::append(rows),
            Some(kinds) if kinds.len() == rows.num_rows() => ChangeBatch::mixed(rows, kinds),
            Some(_) => return Err(damaged()),
        });
    }
    Ok(batches)
}

fn decode_rows(bytes: &[u8]) -> Result<RecordBatch> {
    let mut reader = StreamReader::try_new(bytes, None).map_err(|e| damaged().with_source(e))?;
    let batch = reader.next().ok_or_else(damaged)?;
    batch.map_err(|e| damaged().with_source(e))
}

fn take_kinds(bytes: &mut &[u8], length: u32) -> Result<ScalarBuffer<i8>> {
    let kind = |byte: &u8| RowKind::from_byte(*byte as i8).map(|kind| kind as i8).ok_or_else(damaged);
    take(bytes, length)?.iter().map(kind).collect()
}

fn take_u32(bytes: &mut &[u8]) -> Result<u32> {
    let (number, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
    *bytes = rest;
    Ok(u32::from_le_bytes(*number))
}

fn take<'a>(bytes: &mut &'a [u8], length: u32) -> Result<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length as usize).ok_or_else(damaged)?;
    *bytes = rest;
    Ok(taken)
}

fn damaged() -> Error {
    Error::new(ErrorKind::Corruption, "rows-corrupt", "encoded rows are damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array};
    use std::sync::Arc;

    fn batch(values: &[i64]) -> ChangeBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        ChangeBatch::append(RecordBatch::try_from_iter([("c", column)]).unwrap())
    }

    #[test]
    fn rows_and_kinds_survive() {
        let append = batch(&[1, 2]);
        let mixed = ChangeBatch::from_kinds(append.rows().clone(), [RowKind::Delete, RowKind::UpdateAfter]);
        let back = decode(&encode(&[append.clone(), mixed]).unwrap()).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!(back[0].rows(), append.rows());
        assert!(back[0].is_append() && back[1].kind(0) == RowKind::Delete && back[1].kind(1) == RowKind::UpdateAfter);
    }

    #[test]
    fn damage_is_an_error() {
        let bytes = encode(&[batch(&[1, 2])]).unwrap();
        for cut in 1..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let kinds = ChangeBatch::from_kinds(batch(&[1]).rows().clone(), [RowKind::Delete]);
        let mut bytes = encode(&[kinds]).unwrap();
        bytes[4] = 77;
        assert!(decode(&bytes).is_err(), "a row kind that there is not");
    }
}
