//! In-flight rows as bytes: batches behind each other.
//!
//! ```text
//! channel := batch*
//! batch   := kinds_len:u32 ( 0xffffffff for append-only ) kinds ipc_len:u32 Arrow IPC stream
//! ```

use arrow::array::RecordBatch;
use arrow::buffer::ScalarBuffer;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use headwater_data::ChangeBatch;
use headwater_data::batch::RowKinds;
use headwater_types::{Error, ErrorKind, Result};

/// Stands for a batch of `+I` only.
const APPEND: u32 = u32::MAX;

/// The bytes of batches.
pub(super) fn encode(batches: &[ChangeBatch]) -> Result<Vec<u8>> {
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
    let failed = |e| Error::internal("rows on their way cannot be encoded").with_source(e);
    let mut writer = StreamWriter::try_new(vec![], &rows.schema()).map_err(failed)?;
    writer.write(rows).map_err(failed)?;
    writer.into_inner().map_err(failed)
}

/// The batches of bytes.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<ChangeBatch>> {
    let mut batches = vec![];
    while !bytes.is_empty() {
        let kinds = match take_u32(&mut bytes)? {
            APPEND => None,
            length => Some(take(&mut bytes, length)?.iter().map(|kind| *kind as i8).collect::<ScalarBuffer<i8>>()),
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
    Error::new(ErrorKind::Corruption, "checkpoint-corrupt", "the checkpoint's rows on their way are damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_runtime::testing::batch;
    use headwater_types::RowKind;

    #[test]
    fn rows_and_kinds_survive() {
        let append = batch([(1, 2), (3, 4)]);
        let mixed = ChangeBatch::from_kinds(append.rows().clone(), [RowKind::Delete, RowKind::UpdateAfter]);
        let back = decode(&encode(&[append.clone(), mixed.clone()]).unwrap()).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!(back[0].rows(), append.rows());
        assert!(back[0].is_append() && back[1].kind(0) == RowKind::Delete && back[1].kind(1) == RowKind::UpdateAfter);
    }

    #[test]
    fn damage_is_an_error() {
        let bytes = encode(&[batch([(1, 2)])]).unwrap();
        for cut in 1..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}
