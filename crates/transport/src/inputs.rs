//! What a peer sends, read without a connection: for those who try out what bytes do.

use crate::element::ElementDecoder;
use crate::frame::{self, Kind};
use crate::handshake::read_hello;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The most that a frame may announce here.
const BYTES_MAX: usize = 1 << 20;

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
