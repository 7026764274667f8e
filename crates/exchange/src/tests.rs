//! Gates, outputs and their bounds.

use crate::{
    Alignment, Barrier, Captured, ChannelSender, Element, Gate, Grammar, LocalSender, Output, OutputOptions, Route,
    Waker,
};
use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use headwater_data::ChangeBatch;
use headwater_data::scatter::Scatter;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn batch(values: impl IntoIterator<Item = i64>) -> ChangeBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
    let column = Int64Array::from(values.into_iter().collect::<Vec<_>>());
    ChangeBatch::append(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]).unwrap())
}

fn values(batch: &ChangeBatch) -> Vec<i64> {
    batch.rows().column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn counting_waker() -> (Waker, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    (Arc::new(move || _ = counted.fetch_add(1, Ordering::SeqCst)), count)
}

fn drain(gate: &mut Gate) -> Vec<(usize, Element)> {
    std::iter::from_fn(|| gate.poll()).collect()
}

fn rows_of(elements: &[(usize, Element)]) -> Vec<i64> {
    let rows = |(_, element): &(usize, Element)| match element {
        Element::Batch(batch) => values(batch),
        _ => vec![],
    };
    elements.iter().flat_map(rows).collect()
}

fn boxed(senders: Vec<LocalSender>) -> Vec<Box<dyn ChannelSender>> {
    senders.into_iter().map(|sender| Box::new(sender) as _).collect()
}

/// One gate per target, each with one channel.
fn gates(count: usize) -> (Vec<Gate>, Vec<Box<dyn ChannelSender>>) {
    let (gates, senders): (Vec<_>, Vec<_>) = (0..count).map(|_| Gate::new(1, 1 << 20)).unzip();
    (gates, boxed(senders.into_iter().flatten().collect()))
}

fn options(batch_rows: usize) -> OutputOptions {
    OutputOptions { batch_rows, batch_bytes: 1 << 20, buffer_timeout_ms: 100 }
}

#[test]
fn the_grammar_accepts_and_refuses() {
    let (b, w, i, a, e) =
        (Element::Batch(batch([1])), Element::Watermark, Element::Idle(true), Element::Idle(false), Element::End);
    for (elements, accepted) in [
        (vec![b.clone(), w(1), b.clone(), w(2), i.clone(), b.clone(), a.clone(), w(3), e.clone()], true),
        (vec![i.clone(), e.clone()], true),
        (vec![w(1), w(1)], false),
        (vec![w(2), w(1)], false),
        (vec![i.clone(), w(1)], false),
        (vec![i.clone(), i.clone()], false),
        (vec![a.clone()], false),
        (vec![e.clone(), b.clone()], false),
        (vec![Element::Batch(batch([]))], false),
    ] {
        let mut grammar = Grammar::new();
        let result = elements.iter().try_for_each(|element| grammar.accept(element));
        assert_eq!(result.is_ok(), accepted, "{elements:?}");
    }
}

#[test]
fn channels_are_served_in_turn() {
    let (mut gate, mut senders) = Gate::new(2, 1 << 20);
    (0..3).for_each(|n| senders[0].send(Element::Batch(batch([n]))));
    (10..12).for_each(|n| senders[1].send(Element::Batch(batch([n]))));
    let order: Vec<_> = drain(&mut gate).iter().map(|(channel, _)| *channel).collect();
    assert_eq!(order, [0, 1, 0, 1, 0]);
}

#[test]
fn the_consumer_is_woken_by_the_first_element_only() {
    let (mut gate, mut senders) = Gate::new(2, 1 << 20);
    let (waker, woken) = counting_waker();
    gate.set_waker(waker);
    senders[0].send(Element::Watermark(1));
    senders[1].send(Element::Watermark(1));
    senders[0].send(Element::Watermark(2));
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    drain(&mut gate);
    senders[1].send(Element::End);
    assert_eq!(woken.load(Ordering::SeqCst), 2);
}

#[test]
fn a_producer_without_room_is_woken_once_when_half_is_free() {
    let element_bytes = Element::Batch(batch([1])).bytes();
    let (mut gate, mut senders) = Gate::new(1, 4 * element_bytes);
    let (waker, woken) = counting_waker();
    let sender = &mut senders[0];
    sender.set_waker(waker);
    (0..4).for_each(|n| sender.send(Element::Batch(batch([n]))));
    assert!(!sender.has_room() && !sender.await_room());
    sender.send(Element::Watermark(1));
    gate.poll();
    assert_eq!(woken.load(Ordering::SeqCst), 0, "more than half is in use");
    drain(&mut gate);
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    assert!(sender.await_room() && sender.await_drained());
}

#[test]
fn closing_wakes_producers_and_drops_rows() {
    let (mut gate, mut senders) = Gate::new(1, 1);
    let (waker, woken) = counting_waker();
    let sender = &mut senders[0];
    sender.set_waker(waker);
    sender.send(Element::Batch(batch([1])));
    assert!(!sender.await_room());
    gate.close();
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    assert!(sender.is_closed() && sender.has_room());
    sender.send(Element::Batch(batch([2])));
    assert!(gate.poll().is_none());
    assert_eq!(gate.queued_bytes(0), 0);
}

#[test]
fn small_batches_are_joined_and_large_ones_pass() {
    let (mut gates, targets) = gates(1);
    let mut output = Output::new(Route::Single, targets, options(10));
    (0..4).for_each(|n| output.send(batch([n]), 0).unwrap());
    assert!(gates[0].poll().is_none(), "they wait for more");
    output.send(batch(10..16), 0).unwrap();
    let sent = drain(&mut gates[0]);
    assert_eq!(sent.len(), 2, "what waited, then the large batch");
    assert_eq!(rows_of(&sent), [0, 1, 2, 3, 10, 11, 12, 13, 14, 15]);
}

#[test]
fn the_buffer_timeout_counts_from_the_oldest_row() {
    let (mut gates, targets) = gates(1);
    let mut output = Output::new(Route::Single, targets, options(10));
    output.send(batch([1]), 1000).unwrap();
    output.send(batch([2]), 1099).unwrap();
    output.flush_due(1099).unwrap();
    assert!(gates[0].poll().is_none());
    output.flush_due(1100).unwrap();
    assert_eq!(rows_of(&drain(&mut gates[0])), [1, 2]);
    output.flush_due(5000).unwrap();
    assert!(gates[0].poll().is_none());
}

#[test]
fn a_pause_sends_rows_to_consumers_without_work_only() {
    let (mut gates, mut targets) = gates(1);
    let (waker, woken) = counting_waker();
    targets[0].set_waker(waker);
    let mut output = Output::new(Route::Single, targets, options(10));
    output.send(batch([1]), 0).unwrap();
    output.flush_starving().unwrap();
    assert_eq!(output.deadline_ms(), None);
    for n in 2..5 {
        output.send(batch([n]), 0).unwrap();
        output.flush_starving().unwrap();
    }
    assert_eq!(output.deadline_ms(), Some(100));
    assert_eq!(rows_of(&drain(&mut gates[0])), [1]);
    assert_eq!(woken.load(Ordering::SeqCst), 1, "the consumer has run out of work");
    output.flush_starving().unwrap();
    let sent = drain(&mut gates[0]);
    assert_eq!((sent.len(), rows_of(&sent)), (1, vec![2, 3, 4]));
}

#[test]
fn control_follows_pending_rows_even_without_room() {
    let (mut gate, senders) = Gate::new(1, 1);
    let mut output = Output::new(Route::Single, boxed(senders), options(10));
    output.send(batch([1]), 0).unwrap();
    output.send_control(&Element::Watermark(5)).unwrap();
    assert!(!output.has_room());
    output.send_control(&Element::End).unwrap();
    let kinds: Vec<_> = drain(&mut gate).into_iter().map(|(_, element)| format!("{element:?}")).collect();
    assert!(kinds[0].starts_with("Batch"));
    assert_eq!(kinds[1..], ["Watermark(5)", "End"]);
}

#[test]
fn broadcast_reaches_all_and_rebalance_takes_turns() {
    let (mut all, targets) = gates(3);
    let mut output = Output::new(Route::Broadcast, targets, options(2));
    output.send(batch([1, 2]), 0).unwrap();
    all.iter_mut().for_each(|gate| assert_eq!(rows_of(&drain(gate)), [1, 2]));

    let (mut turns, targets) = gates(3);
    let mut output = Output::new(Route::Rebalance(1), targets, options(2));
    (0..6).for_each(|n| output.send(batch([n, n]), 0).unwrap());
    let received: Vec<_> = turns.iter_mut().map(|gate| rows_of(&drain(gate))).collect();
    assert_eq!(received, [vec![2, 2, 5, 5], vec![0, 0, 3, 3], vec![1, 1, 4, 4]]);
}

#[test]
fn an_output_is_closed_when_all_consumers_left() {
    let (mut gates, targets) = gates(2);
    let output = Output::new(Route::Broadcast, targets, options(2));
    gates[0].close();
    assert!(!output.is_closed());
    gates[1].close();
    assert!(output.is_closed() && output.has_room());
}

proptest! {
    /// Hash routing with coalescing loses nothing, keeps the order per key, and sends equal keys to one target.
    #[test]
    fn hashed_rows_arrive_once_and_in_order(
        batches in vec(vec(0i64..30, 0..40), 0..12),
        targets in 1usize..6,
        batch_rows in 1usize..50,
    ) {
        let (mut gates, senders) = gates(targets);
        let scatter = Scatter::new(vec![0], &[DataType::Int64], targets as u32, 128).unwrap();
        let mut output = Output::new(Route::Hash(Box::new(scatter)), senders, options(batch_rows));
        for rows in &batches {
            output.send(batch(rows.iter().copied()), 0).unwrap();
        }
        output.send_control(&Element::End).unwrap();
        let received: Vec<Vec<i64>> = gates.iter_mut().map(|gate| rows_of(&drain(gate))).collect();
        let sent: Vec<i64> = batches.concat();
        for key in 0..30 {
            let holders = received.iter().filter(|rows| rows.contains(&key)).count();
            prop_assert!(holders <= 1);
        }
        let mut all = received.concat();
        let mut expected = sent;
        all.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(all, expected);
    }

    /// A producer that asks for room before each send never has more queued than the bound and one send.
    #[test]
    fn queues_hold_at_most_the_bound_and_one_overdraft(
        steps in vec(prop_oneof![(1usize..200).prop_map(Some), Just(None)], 1..200),
        capacity in 1usize..4000,
    ) {
        let (mut gate, mut senders) = Gate::new(1, capacity);
        let mut next = 0i64;
        let mut received = vec![];
        for step in steps {
            match step {
                Some(rows) if senders[0].has_room() => {
                    let element = Element::Batch(batch(next..next + rows as i64));
                    let bound = capacity + element.bytes();
                    next += rows as i64;
                    senders[0].send(element);
                    prop_assert!(gate.queued_bytes(0) <= bound);
                }
                Some(_) => prop_assert!(gate.queued_bytes(0) >= capacity),
                None => received.extend(gate.poll()),
            }
        }
        received.extend(drain(&mut gate));
        prop_assert_eq!(rows_of(&received), (0..next).collect::<Vec<_>>());
        prop_assert_eq!(gate.queued_bytes(0), 0);
    }
}

fn barrier(checkpoint: u64, alignment: Alignment) -> Element {
    Element::Barrier(Barrier { alignment, ..Barrier::aligned(checkpoint, 0) })
}

fn captured_rows(captured: &Captured) -> Vec<Vec<i64>> {
    captured.channels.iter().map(|batches| batches.iter().flat_map(values).collect()).collect()
}

#[test]
fn barriers_rise_and_a_channel_drains_once() {
    let drain = Element::Drain(Barrier::aligned(5, 0));
    for (elements, accepted) in [
        (vec![barrier(1, Alignment::Aligned), barrier(3, Alignment::Unaligned), drain.clone(), Element::End], true),
        (vec![barrier(2, Alignment::Aligned), barrier(2, Alignment::Aligned)], false),
        (vec![drain.clone(), drain.clone()], false),
        (vec![Element::End, barrier(1, Alignment::Aligned)], false),
    ] {
        let mut grammar = Grammar::new();
        let result = elements.iter().try_for_each(|element| grammar.accept(element));
        assert_eq!(result.is_ok(), accepted, "{elements:?}");
    }
}

#[test]
fn blocked_channels_hold_back_what_they_have() {
    let (mut gate, mut senders) = Gate::new(2, 1 << 20);
    (0..2).for_each(|n| senders[0].send(Element::Batch(batch([n]))));
    gate.block(0);
    assert!(gate.poll().is_none());
    let (waker, woken) = counting_waker();
    gate.set_waker(waker);
    senders[0].send(Element::Batch(batch([2])));
    assert_eq!(woken.load(Ordering::SeqCst), 0, "nothing that the consumer may take");
    senders[1].send(Element::Batch(batch([10])));
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    assert_eq!(rows_of(&drain(&mut gate)), [10]);
    gate.unblock_all();
    assert_eq!(rows_of(&drain(&mut gate)), [0, 1, 2]);
}

#[test]
fn barriers_wake_a_consumer_that_does_not_read() {
    let (mut gate, mut senders) = Gate::new(1, 1 << 20);
    senders[0].send(Element::Batch(batch([1])));
    let (waker, woken) = counting_waker();
    gate.set_waker(waker);
    senders[0].send(barrier(1, Alignment::Aligned));
    assert!(gate.has_news() && woken.load(Ordering::SeqCst) == 1);
    senders[0].send(barrier(2, Alignment::Timeout(10)));
    assert!(gate.has_news() && woken.load(Ordering::SeqCst) == 2);
    let announced: Vec<_> = gate.take_announced().into_iter().map(|(c, barrier)| (c, barrier.checkpoint)).collect();
    assert_eq!(announced, [(0, 1), (0, 2)]);
    assert!(!gate.has_news());
}

#[test]
fn a_capture_takes_what_comes_before_the_barriers_and_changes_no_order() {
    let (mut gate, mut senders) = Gate::new(3, 1 << 20);
    senders[0].send(Element::Batch(batch([0])));
    senders[0].send(barrier(1, Alignment::Unaligned));
    senders[0].send(Element::Batch(batch([1])));
    senders[1].send(Element::Batch(batch([10])));
    senders[2].send(Element::Batch(batch([20])));
    gate.take_announced();
    gate.begin_capture(1, &[true, true, false]);
    assert!(gate.take_captured().is_none(), "one channel has yet to deliver its barrier");
    assert_eq!(rows_of(&[gate.poll().unwrap()]), [0]);
    senders[1].send(Element::Watermark(7));
    senders[1].send(Element::Batch(batch([11])));
    senders[1].send(Element::End);
    assert!(gate.has_news(), "the end stands for the barrier");
    let captured = gate.take_captured().unwrap();
    assert!(captured.complete);
    assert_eq!(captured_rows(&captured), [vec![0], vec![10, 11], vec![]]);
    let mut rest = rows_of(&drain(&mut gate));
    rest.sort_unstable();
    assert_eq!(rest, [1, 10, 11, 20]);
    assert!((0..3).all(|channel| gate.queued_bytes(channel) == 0));
}

#[test]
fn a_capture_that_a_later_barrier_meets_is_incomplete() {
    let (mut gate, mut senders) = Gate::new(2, 1 << 20);
    gate.begin_capture(1, &[true, true]);
    senders[0].send(barrier(2, Alignment::Unaligned));
    assert!(gate.take_captured().is_none());
    senders[1].send(barrier(1, Alignment::Unaligned));
    assert!(!gate.take_captured().unwrap().complete);
    gate.begin_capture(3, &[true, true]);
    assert!(!gate.cancel_capture().unwrap().complete);
    assert!(gate.cancel_capture().is_none());
}
