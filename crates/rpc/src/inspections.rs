//! Who waits for what was asked of a TaskManager's process. Bounded: who asks while many wait displaces the oldest, who
//! sees that there will be no answer.

use headwater_taskmanager::Inspected;
use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Questions that wait at once.
const WAITING_MAX: usize = 64;

/// The questions that wait, oldest first.
#[derive(Default)]
pub(crate) struct Inspections(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    number: u64,
    replies: VecDeque<(u64, SyncSender<Inspected>)>,
}

impl Inspections {
    /// Somebody asks; the number of the question.
    pub(crate) fn expect(&self, reply: SyncSender<Inspected>) -> u64 {
        let mut waiting = self.lock();
        waiting.number += 1;
        let number = waiting.number;
        waiting.replies.push_back((number, reply));
        if waiting.replies.len() > WAITING_MAX {
            waiting.replies.pop_front();
        }
        number
    }

    /// An answer has arrived.
    pub(crate) fn answer(&self, number: u64, answer: Inspected) {
        let mut waiting = self.lock();
        let at = waiting.replies.iter().position(|(known, _)| *known == number);
        if let Some((_, reply)) = at.and_then(|at| waiting.replies.remove(at)) {
            let _ = reply.try_send(answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn answers_find_who_asked_and_the_oldest_question_gives_way() {
        let inspections = Inspections::default();
        let (first, displaced) = sync_channel(1);
        inspections.expect(first);
        let (reply, answer) = sync_channel(1);
        let numbers: Vec<u64> = (0..WAITING_MAX).map(|_| inspections.expect(reply.clone())).collect();
        assert!(displaced.recv().is_err(), "the oldest was displaced");
        inspections.answer(numbers[3], Inspected::Log(None));
        inspections.answer(numbers[3], Inspected::Log(None));
        inspections.answer(9999, Inspected::Log(None));
        assert_eq!(answer.try_iter().count(), 1);
    }
}
