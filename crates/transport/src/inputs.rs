//! What a peer sends, read without a connection: for those who try out what bytes do.

use crate::compression::Codec;
use crate::element::ElementDecoder;
use crate::frame::{self, Frame, Header, Kind};
use crate::handshake::read_hello;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The most that a frame may announce here.
const BYTES_MAX: usize = 1 << 20;

/// What frames can be.
const KINDS: [Kind; 11] = [
    Kind::Hello,
    Kind::Batch,
    Kind::Control,
    Kind::Open,
    Kind::Abandon,
    Kind::Opened,
    Kind::Credit,
    Kind::Closed,
    Kind::Refused,
    Kind::Beat,
    Kind::Message,
];
/// How payloads can be compressed.
const CODECS: [Codec; 2] = [Codec::None, Codec::Zstd];

/// Reads bytes as a connection does: frame by frame until one is refused, with what they hold. How many were taken.
pub fn read(mut bytes: &[u8]) -> usize {
    let (mut decoder, mut taken) = (ElementDecoder::default(), 0);
    loop {
        let read = {
            let next = pin!(frame::read(&mut bytes, BYTES_MAX));
            next.poll(&mut Context::from_waker(Waker::noop()))
        };
        let Poll::Ready(Ok(Some(frame))) = read else { return taken };
        let held = match frame.header.kind {
            Kind::Hello => frame.payload.first().is_some_and(|payload| read_hello(payload).is_ok()),
            Kind::Batch | Kind::Control => decoder.decode(frame).is_ok(),
            _ => true,
        };
        if !held {
            return taken;
        }
        taken += 1;
    }
}

/// Reads bytes as somebody would send them who knows how frames are made: they are cut into payloads and put behind headers
/// that are right, so that what is behind the checksum is tried out, too. How many frames were taken.
///
/// ```text
/// bytes := (kind:u8 codec:u8 channel:u8 row_kinds:u16 length:u16 payload)*
/// ```
pub fn read_framed(bytes: &[u8]) -> usize {
    let (mut sent, mut rest) = (vec![], bytes);
    while let [kind, codec, channel, kinds_low, kinds_high, low, high, more @ ..] = rest {
        let (payload, behind) = more.split_at(more.len().min(usize::from(u16::from_le_bytes([*low, *high]))));
        rest = behind;
        let header = Header {
            kind: KINDS[usize::from(*kind) % KINDS.len()],
            channel: u32::from(*channel),
            row_kinds: match u16::from_le_bytes([*kinds_low, *kinds_high]) {
                u16::MAX => u32::MAX,
                bytes => u32::from(bytes),
            },
            cost: 0,
            codec: CODECS[usize::from(*codec) % CODECS.len()],
        };
        let frame = Frame { header, payload: vec![payload.to_vec().into()] };
        // A payload of two bytes of length is never too large for a frame.
        if let Ok(header) = frame.encode_header() {
            sent.extend_from_slice(&header);
            sent.extend_from_slice(payload);
        }
    }
    read(&sent)
}
