//! The consumer's process.

use crate::figures::Received;
use crate::{CHANNEL_BYTES, Fatal, channel, loopback, rows, runtime, waker};
use headwater_exchange::{Element, Gate};
use headwater_transport::{Identity, Transport};
use headwater_types::Result;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Takes all of `channels`, and nothing of `stalled` others. Stays until its standard input ends.
pub fn run(channels: u32, stalled: u32) -> Result<()> {
    let runtime = runtime()?;
    let (identity, events) = (Identity::new("consumer", "bench"), Arc::new(Fatal::default()));
    let transport = Transport::start(loopback(), identity, events.clone(), runtime.handle().clone())?;
    let mut gate = open(&transport, 0..channels);
    // Held, so that its channels stay open.
    let _unread = open(&transport, channels..channels + stalled);
    gate.set_waker(waker());
    println!("{}", transport.address());
    let (mut received, mut ended) = (Received::default(), 0);
    while ended < channels {
        match gate.poll() {
            Some((_, Element::Batch(batch))) => {
                received.take(batch.num_rows(), batch.bytes(), rows::sent_ns(&batch));
            }
            Some((_, Element::End)) => ended += 1,
            Some(_) => {}
            None => std::thread::park(),
        }
    }
    // Channels that nobody reads break with their producer.
    events.is_over.store(true, Ordering::Release);
    received.print();
    // The producer has yet to hear that the last rows were taken.
    let _ = std::io::stdin().read_line(&mut String::new());
    Ok(())
}

fn open(transport: &Transport, channels: std::ops::Range<u32>) -> Gate {
    let (gate, endpoints) = Gate::new(channels.len(), CHANNEL_BYTES);
    for (number, endpoint) in channels.zip(endpoints) {
        transport.receive(channel(number), endpoint);
    }
    gate
}
