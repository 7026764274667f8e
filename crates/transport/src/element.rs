//! Elements of a channel as frames.

use crate::compression::{Codec, Packer, unpack};
use crate::frame::{Frame, Header, Kind, bad};
use arrow::array::RecordBatch;
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamEncoder;
use headwater_data::ChangeBatch;
use headwater_data::batch::RowKinds;
use headwater_exchange::{Barrier, Element};
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::panic::AssertUnwindSafe;

/// Marks rows that are all `+I`.
const APPEND: u32 = u32::MAX;

/// Encodes the elements of one channel. Holds what the consumer knows already: the columns.
#[derive(Default)]
pub struct ElementEncoder {
    stream: Option<(SchemaRef, StreamEncoder)>,
    packer: Packer,
}

/// Decodes the elements of one channel.
#[derive(Default)]
pub struct ElementDecoder {
    stream: StreamDecoder,
}

/// Elements without rows.
#[derive(Serialize, Deserialize)]
enum Control {
    Watermark(i64),
    Idle(bool),
    Barrier(Barrier),
    Drain(Barrier),
    End,
}

impl ElementEncoder {
    /// Encodes rows that are compressed so.
    pub fn new(codec: Codec) -> Self {
        Self { stream: None, packer: Packer::new(codec) }
    }

    /// The frame of an element that counts `cost` bytes. Columns are not copied, unless they are compressed.
    ///
    /// # Errors
    /// When the rows cannot be encoded.
    pub fn encode(&mut self, channel: u32, element: Element, cost: u32) -> Result<Frame> {
        let control = match element {
            Element::Batch(batch) => return self.batch(channel, batch, cost),
            Element::Watermark(time) => Control::Watermark(time),
            Element::Idle(idle) => Control::Idle(idle),
            Element::Barrier(barrier) => Control::Barrier(barrier),
            Element::Drain(barrier) => Control::Drain(barrier),
            Element::End => Control::End,
        };
        let bytes = postcard::to_stdvec(&control).map_err(|e| unencodable().with_source(e))?;
        let frame = Frame::of_bytes(Kind::Control, channel, bytes);
        Ok(Frame { header: Header { cost, ..frame.header }, ..frame })
    }

    fn batch(&mut self, channel: u32, batch: ChangeBatch, cost: u32) -> Result<Frame> {
        let (rows, kinds) = batch.into_parts();
        let mut payload = self.stream(&rows.schema())?.encode(&rows).map_err(|e| unencodable().with_source(e))?;
        let row_kinds = match kinds {
            RowKinds::Append => APPEND,
            RowKinds::Mixed(kinds) => {
                let length = kinds.len() as u32;
                payload.push(kinds.into_inner());
                length
            }
        };
        let header = Header { row_kinds, cost, ..Header::new(Kind::Batch, channel) };
        self.packer.pack(Frame { header, payload })
    }

    fn stream(&mut self, schema: &SchemaRef) -> Result<&mut StreamEncoder> {
        // One edge carries rows of one type; names may differ between batches, which the consumer does not mind.
        if self.stream.is_none() {
            let encoder = StreamEncoder::try_new(schema).map_err(|e| unencodable().with_source(e))?;
            self.stream = Some((schema.clone(), encoder));
        }
        let (first, encoder) = self.stream.as_mut().ok_or_else(unencodable)?;
        let same = std::sync::Arc::ptr_eq(first, schema)
            || first.fields().len() == schema.fields().len()
                && first.fields().iter().zip(schema.fields()).all(|(a, b)| a.data_type() == b.data_type());
        if same { Ok(encoder) } else { Err(Error::internal("the rows of a channel changed their type")) }
    }
}

impl ElementDecoder {
    /// The element of a [`Kind::Batch`] or [`Kind::Control`] frame.
    ///
    /// # Errors
    /// When the payload does not hold what the header says.
    pub fn decode(&mut self, frame: Frame) -> Result<Element> {
        let payload = frame.payload.into_iter().next().unwrap_or_else(|| Buffer::from_vec(Vec::<u8>::new()));
        match frame.header.kind {
            Kind::Batch => self.batch(&frame.header, unpack(payload, frame.header.codec)?),
            Kind::Control => control(&payload),
            other => Err(bad(format!("a {other:?} frame is no element"))),
        }
    }

    fn batch(&mut self, header: &Header, payload: Buffer) -> Result<Element> {
        let kinds = if header.row_kinds == APPEND { 0 } else { header.row_kinds as usize };
        let split = payload.len().checked_sub(kinds).ok_or_else(|| bad("it has fewer bytes than rows"))?;
        let mut stream = payload.slice_with_length(0, split);
        let rows = self.checked_rows(&mut stream)?.ok_or_else(|| bad("it has no rows"))?;
        if !stream.is_empty() || rows.num_rows() == 0 {
            return Err(bad("it has bytes behind its rows, or none"));
        }
        if header.row_kinds == APPEND {
            return Ok(Element::Batch(ChangeBatch::append(rows)));
        }
        let known = |kind: &u8| headwater_types::RowKind::from_byte(*kind as i8).is_some();
        let bytes = payload.slice(split);
        if kinds != rows.num_rows() || !bytes.as_slice().iter().all(known) {
            return Err(bad("its row kinds do not fit its rows"));
        }
        Ok(Element::Batch(ChangeBatch::mixed(rows, ScalarBuffer::new(bytes, 0, kinds))))
    }
}

impl ElementDecoder {
    /// As [`ElementDecoder::rows`]. Arrow panics over some bytes that it never wrote: places of buffers outside of the
    /// message. Whoever sends such bytes loses the connection, and with it this decoder; the process lives on.
    fn checked_rows(&mut self, stream: &mut Buffer) -> Result<Option<RecordBatch>> {
        let rows = std::panic::catch_unwind(AssertUnwindSafe(|| self.rows(stream)));
        rows.unwrap_or_else(|_| Err(bad("its rows are not what Arrow writes")))
    }

    /// The rows at the beginning of some bytes, which are taken from there.
    fn rows(&mut self, stream: &mut Buffer) -> Result<Option<RecordBatch>> {
        let undecodable = |e| bad("its rows cannot be decoded").with_source(e);
        let rows = self.stream.decode(stream).map_err(undecodable)?;
        if rows.is_some() || !stream.is_empty() {
            return Ok(rows);
        }
        // Rows without columns, as COUNT(*) needs them, have no bytes behind their header; the decoder looks at what it
        // has only when there are more. It takes none of these.
        let mut more = Buffer::from_vec(vec![0u8]);
        let rows = self.stream.decode(&mut more).map_err(undecodable)?;
        Ok(rows.filter(|_| more.len() == 1))
    }
}

fn control(payload: &[u8]) -> Result<Element> {
    let control = postcard::from_bytes(payload).map_err(|e| bad("its element is unknown").with_source(e))?;
    Ok(match control {
        Control::Watermark(time) => Element::Watermark(time),
        Control::Idle(idle) => Element::Idle(idle),
        Control::Barrier(barrier) => Element::Barrier(barrier),
        Control::Drain(barrier) => Element::Drain(barrier),
        Control::End => Element::End,
    })
}

fn unencodable() -> Error {
    Error::internal("rows could not be encoded for another process")
}
