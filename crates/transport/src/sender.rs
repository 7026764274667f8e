//! The producer's end of a channel into another process.

use crate::credit::Credit;
use crate::dialer::Dialer;
use crate::element::ElementEncoder;
use headwater_exchange::{ChannelSender, Element, Grammar, Waker};
use std::sync::Arc;

/// Sends the elements of one channel to another process. Encodes on the lane of the producer, without copying
/// columns; never waits.
pub struct RemoteSender {
    pub(crate) number: u32,
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) credit: Arc<Credit>,
    pub(crate) encoder: ElementEncoder,
    pub(crate) grammar: Grammar,
    pub(crate) ended: bool,
}

impl ChannelSender for RemoteSender {
    fn has_room(&self) -> bool {
        self.credit.has_room()
    }

    fn await_room(&self) -> bool {
        self.credit.await_room()
    }

    fn is_closed(&self) -> bool {
        self.credit.is_closed()
    }

    fn await_drained(&self) -> bool {
        self.credit.await_drained()
    }

    fn send(&mut self, element: Element) {
        if cfg!(debug_assertions) {
            let broken = self.grammar.accept(&element).err();
            assert!(broken.is_none(), "{broken:?} on channel {}: {element:?}", self.number);
        }
        if self.credit.is_closed() {
            return;
        }
        self.ended |= matches!(element, Element::End);
        let cost = element.bytes();
        let counted = u32::try_from(cost).unwrap_or(u32::MAX);
        match self.encoder.encode(self.number, element, counted) {
            Ok(frame) => {
                self.credit.sent(counted as usize);
                self.dialer.send(frame);
            }
            Err(error) => self.dialer.fail(self.number, &error),
        }
    }

    fn set_waker(&mut self, waker: Waker) {
        self.credit.set_waker(waker);
    }
}

impl Drop for RemoteSender {
    fn drop(&mut self) {
        self.dialer.forget(self.number, self.ended);
    }
}
