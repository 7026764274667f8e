//! Frames: what travels on a connection.
//!
//! ```text
//! frame   := header payload
//! header  := "HWFR" kind:u8 version:u8 codec:u8 reserved:u8 channel:u32 length:u32 rows_kinds:u32 cost:u32 checksum:u64
//! ```
//!
//! Numbers are little-endian. `length` is that of the payload; `checksum` is the xxh3 of the header before it and
//! the payload as it travels. `codec` says how the payload is compressed. What the other fields mean depends on the kind.
//!
//! Memory for a payload is taken as its bytes come: an announcement alone costs nothing.

use crate::compression::Codec;
use arrow::buffer::{Buffer, MutableBuffer};
use headwater_types::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt};
use xxhash_rust::xxh3::Xxh3;

/// Version of the protocol: of the frames and of what they hold.
pub(crate) const VERSION: u8 = 1;
/// Size of a header.
pub(crate) const HEADER_BYTES: usize = 32;
/// Largest payload: a batch is about a megabyte, a single row may be large.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 30;

const MAGIC: &[u8; 4] = b"HWFR";
/// What a connection with TLS starts with: a handshake, or an alert; then the version of TLS.
const TLS: [[u8; 2]; 2] = [[0x16, 0x03], [0x15, 0x03]];
/// Memory that is taken for a payload of which nothing has come yet; twice of what has come after that.
const FIRST_BYTES: usize = 4 << 20;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The first frame of each side: who it is. The payload is a [`Hello`](crate::handshake::Hello).
    Hello = 1,
    /// A producer opens a channel; `channel` is the number it will go by. The payload names it.
    Open = 2,
    /// Rows of a channel: `cost` is what they count against the window.
    Batch = 3,
    /// Another element of a channel.
    Control = 4,
    /// The producer gave the channel up before its end.
    Abandon = 5,
    /// The consumer takes rows; `cost` is its window.
    Opened = 16,
    /// The consumer took rows; `cost` is what they had counted.
    Credit = 17,
    /// The consumer needs no more rows.
    Closed = 18,
    /// The channel is unknown, of an earlier attempt, or failed. The payload says why.
    Refused = 19,
    /// Nothing: shows that the peer lives.
    Beat = 32,
    /// A message, on a connection for these.
    Message = 33,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        use Kind::*;
        [Hello, Open, Batch, Control, Abandon, Opened, Credit, Closed, Refused, Beat, Message]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// The fixed part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// Number of the channel on this connection; 0 for frames of the connection itself.
    pub channel: u32,
    /// Bytes of row kinds at the end of the payload of a batch; `u32::MAX` when all rows are `+I`.
    pub row_kinds: u32,
    /// Bytes of credit.
    pub cost: u32,
    /// How the payload is compressed.
    pub codec: Codec,
}

impl Header {
    /// A header of a frame that is not compressed.
    pub fn new(kind: Kind, channel: u32) -> Self {
        Self { kind, channel, row_kinds: 0, cost: 0, codec: Codec::None }
    }
}

/// A frame; its payload in parts that need not be contiguous.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The fixed part.
    pub header: Header,
    /// The payload.
    pub payload: Vec<Buffer>,
}

impl Frame {
    /// A frame without payload.
    pub fn empty(kind: Kind, channel: u32, cost: u32) -> Self {
        Self { header: Header { cost, ..Header::new(kind, channel) }, payload: vec![] }
    }

    /// A frame with one part.
    pub fn of_bytes(kind: Kind, channel: u32, payload: Vec<u8>) -> Self {
        Self { header: Header::new(kind, channel), payload: vec![Buffer::from_vec(payload)] }
    }

    /// Bytes of the payload.
    pub fn payload_bytes(&self) -> usize {
        self.payload.iter().map(Buffer::len).sum()
    }

    /// The encoded header.
    ///
    /// # Errors
    /// When the payload is larger than a frame may be.
    pub fn encode_header(&self) -> Result<[u8; HEADER_BYTES]> {
        let length = self.payload_bytes();
        if length > MAX_PAYLOAD_BYTES {
            let message = format!("rows of {length} bytes are more than a frame holds ({MAX_PAYLOAD_BYTES})");
            return Err(Error::user("frame-too-large", message));
        }
        let Header { kind, channel, row_kinds, cost, codec } = self.header;
        let mut out = [0; HEADER_BYTES];
        out[..4].copy_from_slice(MAGIC);
        out[4] = kind as u8;
        out[5] = VERSION;
        out[6] = codec as u8;
        for (at, number) in [(8, channel), (12, length as u32), (16, row_kinds), (20, cost)] {
            out[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = checksum(&out[..24], self.payload.iter().map(Buffer::as_slice));
        out[24..].copy_from_slice(&checksum.to_le_bytes());
        Ok(out)
    }
}

/// Reads the next frame; `None` when the peer ended the connection between two frames.
///
/// # Errors
/// When the bytes are not a frame, it is damaged or cut short, or the connection breaks.
pub(crate) async fn read(input: &mut (impl AsyncRead + Unpin), max_bytes: usize) -> Result<Option<Frame>> {
    let mut bytes = [0; HEADER_BYTES];
    match input.read(&mut bytes[..1]).await {
        Ok(1..) => {}
        Ok(0) => return Ok(None),
        // A process that was ended says no goodbye in TLS. Between two frames nothing can have been cut off by that.
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(e) => return Err(broken(e)),
    }
    if bytes[0] != MAGIC[0] {
        return Err(foreign(bytes[0], input).await);
    }
    input.read_exact(&mut bytes[1..]).await.map_err(broken)?;
    let (header, length, expected) = parse(&bytes)?;
    if length > max_bytes {
        return Err(bad(format!("it announces {length} bytes, and {max_bytes} are the most")));
    }
    let payload = read_payload(input, length).await?;
    if checksum(&bytes[..24], [payload.as_slice()].into_iter()) != expected {
        return Err(bad("its checksum does not match: bytes were changed on the way"));
    }
    Ok(Some(Frame { header, payload: vec![payload.into()] }))
}

/// The error of a peer whose first byte begins no frame: others send less than a header and wait.
async fn foreign(first: u8, input: &mut (impl AsyncRead + Unpin)) -> Error {
    let mut second = [0];
    let start = match input.read(&mut second).await {
        Ok(1) => [first, second[0]],
        _ => [first, 0],
    };
    if TLS.contains(&start) {
        let message = "the peer speaks TLS, and this process does not: 'security.ssl.internal.enabled' has to be the \
                       same in all processes";
        return Error::new(ErrorKind::User, "tls-refused", message);
    }
    bad("it does not start as one: the peer speaks another protocol")
}

/// Allocated by Arrow, so that the columns inside are aligned and need no copy.
async fn read_payload(input: &mut (impl AsyncRead + Unpin), length: usize) -> Result<MutableBuffer> {
    let mut payload = MutableBuffer::from_len_zeroed(length.min(FIRST_BYTES));
    let mut filled = 0;
    loop {
        input.read_exact(&mut payload.as_slice_mut()[filled..]).await.map_err(broken)?;
        filled = payload.len();
        if filled == length {
            return Ok(payload);
        }
        payload.resize(length.min(filled.saturating_mul(2)), 0);
    }
}

/// Header, length of the payload, checksum.
fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<(Header, usize, u64)> {
    if &bytes[..4] != MAGIC {
        return Err(bad("it does not start as one: the peer speaks another protocol"));
    }
    if bytes[5] != VERSION {
        let message = format!(
            "the peer speaks version {} of the protocol, this program version {VERSION}: run the same version of \
             Headwater on all hosts",
            bytes[5]
        );
        return Err(Error::new(ErrorKind::User, "transport-version", message));
    }
    let kind = Kind::from_byte(bytes[4]).ok_or_else(|| bad(format!("its kind {} is unknown", bytes[4])))?;
    let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let codec = Codec::from_byte(bytes[6]).ok_or_else(|| bad(format!("its codec {} is unknown", bytes[6])))?;
    let header = Header { kind, channel: number(8), row_kinds: number(16), cost: number(20), codec };
    let checksum = u64::from(number(24)) | u64::from(number(28)) << 32;
    Ok((header, number(12) as usize, checksum))
}

fn checksum<'a>(header: &[u8], payload: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(header);
    payload.for_each(|part| hash.update(part));
    hash.digest()
}

/// The error of bytes that are no frame.
pub(crate) fn bad(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corruption, "bad-frame", format!("a frame was refused: {what}"))
}

/// The error of a connection that broke.
pub(crate) fn broken(e: std::io::Error) -> Error {
    if let Some(error) = headwater_tls::explain(&e) {
        return error.with_source(e);
    }
    Error::retryable("connection-broken", format!("the connection broke: {e}")).with_source(e)
}
