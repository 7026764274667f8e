//! The producer's process.

use crate::figures::{cpu_s, now_ns};
use crate::rows::Rows;
use crate::{Fatal, channel, loopback, runtime, waker};
use headwater_exchange::{ChannelSender, Element};
use headwater_transport::{Identity, RemoteSender, Transport};
use headwater_types::Result;
use std::sync::Arc;
use std::time::Duration;

/// What is sent, and how fast.
pub struct Load {
    pub address: String,
    pub channels: u32,
    pub stalled: u32,
    pub rows: usize,
    pub bytes: u64,
    pub bytes_per_second: u64,
}

/// Sends it, and waits until all of it was taken.
pub fn run(load: &Load) -> Result<()> {
    let runtime = runtime()?;
    let identity = Identity::new("producer", "bench");
    let transport = Transport::start(loopback(), identity, Arc::new(Fatal::default()), runtime.handle().clone())?;
    let open = |number: u32| {
        let mut sender = transport.sender(&load.address, channel(number));
        sender.set_waker(waker());
        sender
    };
    let mut senders: Vec<RemoteSender> = (0..load.channels).map(open).collect();
    let mut unread: Vec<RemoteSender> = (load.channels..load.channels + load.stalled).map(open).collect();
    let rows = Rows::new(load.rows);
    unread.iter_mut().try_for_each(|sender| fill(sender, &rows))?;
    // What is due from now on does not wait for the connection.
    senders.iter().for_each(|sender| until(|| sender.await_room()));
    let (sent_rows, sent_bytes) = send(load, &rows, &mut senders)?;
    for sender in &mut senders {
        sender.send(Element::End);
        until(|| sender.await_drained());
    }
    println!("rows={sent_rows} bytes={sent_bytes} cpu_s={}", cpu_s());
    Ok(())
}

fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::park();
    }
}

/// Sends until there is no room.
fn fill(sender: &mut RemoteSender, rows: &Rows) -> Result<()> {
    until(|| sender.await_room());
    while sender.has_room() {
        sender.send(Element::Batch(rows.batch(0, 0)?));
    }
    Ok(())
}

fn send(load: &Load, rows: &Rows, senders: &mut [RemoteSender]) -> Result<(u64, u64)> {
    let (started_ns, mut sent_rows, mut sent_bytes) = (now_ns(), 0, 0);
    for number in 0.. {
        // A batch counts from when it is due: one that is late because others were makes no difference to who waits.
        let due_ns = match load.bytes_per_second {
            0 => 0,
            rate => started_ns + (sent_bytes as f64 / rate as f64 * 1e9) as i64,
        };
        wait_until(due_ns);
        let batch = rows.batch(number, due_ns)?;
        sent_rows += batch.num_rows() as u64;
        sent_bytes += batch.bytes() as u64;
        let sender = &mut senders[number % load.channels as usize];
        until(|| sender.await_room());
        sender.send(Element::Batch(batch));
        if sent_bytes >= load.bytes {
            break;
        }
    }
    Ok((sent_rows, sent_bytes))
}

fn wait_until(due_ns: i64) {
    while let Ok(left_ns @ 1..) = u64::try_from(due_ns - now_ns()) {
        std::thread::sleep(Duration::from_nanos(left_ns));
    }
}
