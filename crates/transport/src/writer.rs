//! Writes frames to a connection, control elements before the rows of other channels.

use crate::frame::{Frame, HEADER_BYTES, Kind, broken};
use crate::handshake::Liveness;
use headwater_types::{Error, Result};
use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::UnboundedReceiver;

/// Bytes written between looks at what else has come: what a control element may wait for.
const WRITE_BYTES: usize = 256 << 10;
/// Frames taken from the queue at a time.
const TAKE_FRAMES: usize = 64;

/// Frames that wait to be written. Their number is bounded by what producers have credit for.
#[derive(Default)]
struct Waiting {
    urgent: VecDeque<Frame>,
    rows: VecDeque<Frame>,
    /// Frames in `rows` by channel: nothing of these channels may overtake.
    behind: HashMap<u32, usize>,
}

impl Waiting {
    fn push(&mut self, frame: Frame) {
        let channel = frame.header.channel;
        if frame.header.kind != Kind::Batch && !self.behind.contains_key(&channel) {
            return self.urgent.push_back(frame);
        }
        *self.behind.entry(channel).or_insert(0) += 1;
        self.rows.push_back(frame);
    }

    fn pop(&mut self) -> Option<Frame> {
        if let Some(frame) = self.urgent.pop_front() {
            return Some(frame);
        }
        let frame = self.rows.pop_front()?;
        if let Some(count) = self.behind.get_mut(&frame.header.channel) {
            *count -= 1;
            if *count == 0 {
                self.behind.remove(&frame.header.channel);
            }
        }
        Some(frame)
    }

    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.rows.is_empty()
    }
}

/// Writes what comes until nobody can send any more, and a beat when nothing comes for a while.
///
/// # Errors
/// When the connection breaks, or the peer takes nothing for too long: it always reads, so that it is gone, and what
/// waits for it must not pile up.
pub(crate) async fn write(
    output: &mut (impl AsyncWrite + Unpin),
    mut queue: UnboundedReceiver<Frame>,
    liveness: Liveness,
) -> Result<()> {
    let (mut waiting, mut taken) = (Waiting::default(), Vec::with_capacity(TAKE_FRAMES));
    loop {
        if waiting.is_empty() {
            taken_in_time(output.flush(), liveness.timeout).await?;
            match tokio::time::timeout(liveness.interval, queue.recv()).await {
                Ok(Some(frame)) => waiting.push(frame),
                Ok(None) => return output.shutdown().await.map_err(broken),
                Err(_) => waiting.push(Frame::empty(Kind::Beat, 0, 0)),
            }
        }
        while let Ok(frame) = queue.try_recv() {
            taken.push(frame);
            if taken.len() == TAKE_FRAMES {
                break;
            }
        }
        taken.drain(..).for_each(|frame| waiting.push(frame));
        write_some(output, &mut waiting, liveness.timeout).await?;
    }
}

async fn taken_in_time<T>(io: impl Future<Output = std::io::Result<T>>, stall_max: Duration) -> Result<T> {
    match tokio::time::timeout(stall_max, io).await {
        Ok(done) => done.map_err(broken),
        Err(_) => Err(Error::retryable("connection-stalled", "the peer takes nothing that is sent to it")),
    }
}

/// Writes frames up to about [`WRITE_BYTES`].
async fn write_some(output: &mut (impl AsyncWrite + Unpin), waiting: &mut Waiting, stall_max: Duration) -> Result<()> {
    let (mut frames, mut bytes) = (vec![], 0);
    while bytes < WRITE_BYTES {
        let Some(frame) = waiting.pop() else { break };
        bytes += frame.payload_bytes() + HEADER_BYTES;
        frames.push((frame.encode_header()?, frame.payload));
    }
    let parts = frames.iter().flat_map(|(header, payload)| {
        let payload = payload.iter().filter(|part| !part.is_empty());
        std::iter::once(IoSlice::new(header)).chain(payload.map(|part| IoSlice::new(part.as_slice())))
    });
    let mut parts: Vec<IoSlice<'_>> = parts.collect();
    let mut left = &mut parts[..];
    while !left.is_empty() {
        let written = taken_in_time(output.write_vectored(left), stall_max).await?;
        if written == 0 {
            return Err(broken(std::io::ErrorKind::WriteZero.into()));
        }
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, channel: u32, cost: u32) -> Frame {
        Frame::empty(kind, channel, cost)
    }

    #[test]
    fn control_overtakes_rows_of_other_channels_only() {
        let mut waiting = Waiting::default();
        let frames = [(Kind::Batch, 1), (Kind::Control, 1), (Kind::Batch, 1), (Kind::Control, 2), (Kind::Batch, 2)];
        for (at, (kind, channel)) in frames.into_iter().enumerate() {
            waiting.push(frame(kind, channel, at as u32));
        }
        let order: Vec<u32> = std::iter::from_fn(|| waiting.pop()).map(|frame| frame.header.cost).collect();
        assert_eq!(order, [3, 0, 1, 2, 4]);
        assert!(waiting.behind.is_empty() && waiting.is_empty());
    }
}
