//! Event time only rises, whatever the channels do.

use super::*;
use headwater_types::MAX_WATERMARK;
use proptest::collection::vec;
use proptest::prelude::*;

use ChannelEvent::{End, Idle, Watermark};

/// Applies events `(input, channel, event)`; what was forwarded, as text.
fn run(channels: &[usize], events: &[(usize, usize, ChannelEvent)]) -> Vec<String> {
    let mut tracker = WatermarkTracker::new(channels);
    let mut lines = vec![];
    for (input, channel, event) in events {
        let change = tracker.on_event(*input, *channel, *event);
        lines.extend((change.idle == Some(false)).then(|| "active".to_owned()));
        lines.extend(change.watermark.map(|w| w.to_string()));
        lines.extend((change.idle == Some(true)).then(|| "idle".to_owned()));
        lines.extend(change.input_ended.then(|| format!("end {input}")));
        lines.extend(change.ended.then(|| "end".to_owned()));
    }
    lines
}

#[test]
fn the_slowest_active_channel_holds_event_time() {
    for (name, events, expected) in [
        ("minimum", vec![(0, 0, Watermark(5)), (0, 1, Watermark(3)), (0, 1, Watermark(9))], vec!["3", "5"]),
        ("idle ones do not count", vec![(0, 0, Watermark(5)), (0, 1, Idle(true))], vec!["5"]),
        (
            "a channel that wakes holds but does not lower",
            vec![
                (0, 1, Idle(true)),
                (0, 0, Watermark(5)),
                (0, 1, Idle(false)),
                (0, 1, Watermark(2)),
                (0, 0, Watermark(8)),
                (0, 1, Watermark(7)),
            ],
            vec!["5", "7"],
        ),
        (
            "the last to turn idle does not hold back the others",
            vec![
                (0, 0, Watermark(5)),
                (0, 1, Watermark(3)),
                (0, 0, Idle(true)),
                (0, 1, Idle(true)),
                (0, 1, Idle(false)),
            ],
            vec!["3", "5", "idle", "active"],
        ),
        ("finished ones do not count", vec![(0, 0, Watermark(5)), (0, 1, End), (0, 0, End)], vec!["5", "end 0", "end"]),
        (
            "a finished channel beside an idle one is idle, not over",
            vec![(0, 0, Watermark(5)), (0, 0, End), (0, 1, Idle(true)), (0, 1, End)],
            vec!["idle", "end 0", "end"],
        ),
    ] {
        assert_eq!(run(&[2], &events), expected, "{name}");
    }
}

#[test]
fn inputs_are_combined_by_the_same_rule() {
    let events = [
        (0, 0, Watermark(10)),
        (1, 0, Watermark(4)),
        (1, 0, Idle(true)),
        (0, 0, Watermark(20)),
        (1, 0, Idle(false)),
        (1, 0, Watermark(15)),
        (0, 0, Watermark(30)),
        (1, 0, End),
        (0, 0, End),
    ];
    assert_eq!(run(&[1, 1], &events), ["4", "10", "20", "30", "end 1", "end 0", "end"]);
}

#[test]
fn an_input_without_channels_has_ended() {
    let tracker = WatermarkTracker::new(&[0, 1]);
    assert!(tracker.input_ended(0) && !tracker.input_ended(1));
}

fn events(channels: &'static [usize]) -> impl Strategy<Value = Vec<(usize, usize, ChannelEvent)>> {
    let event = prop_oneof![
        6 => (-50i64..50).prop_map(Watermark),
        2 => any::<bool>().prop_map(Idle),
        1 => Just(End),
    ];
    let place = (0..channels.len()).prop_flat_map(move |input| (Just(input), 0..channels[input]));
    vec((place, event).prop_map(|((input, channel), event)| (input, channel, event)), 0..80)
}

/// Drops what no channel would send: anything after its end.
fn legal(events: Vec<(usize, usize, ChannelEvent)>) -> Vec<(usize, usize, ChannelEvent)> {
    let mut ended = std::collections::BTreeSet::new();
    let keep = |(input, channel, event): &(usize, usize, ChannelEvent)| {
        if *event == End { ended.insert((*input, *channel)) } else { !ended.contains(&(*input, *channel)) }
    };
    let mut keep = keep;
    events.into_iter().filter(|event| keep(event)).collect()
}

proptest! {
    #[test]
    fn watermarks_strictly_rise_and_never_pass_an_active_channel(events in events(&[3, 2]).prop_map(legal)) {
        let mut tracker = WatermarkTracker::new(&[3, 2]);
        let mut last = [vec![MIN_WATERMARK; 3], vec![MIN_WATERMARK; 2]];
        let mut active = [vec![true; 3], vec![true; 2]];
        let mut combined = MIN_WATERMARK;
        for (input, channel, event) in events {
            match event {
                Watermark(w) => last[input][channel] = last[input][channel].max(w),
                Idle(idle) => active[input][channel] = !idle,
                End => active[input][channel] = false,
            }
            let change = tracker.on_event(input, channel, event);
            if let Some(watermark) = change.watermark {
                prop_assert!(watermark > combined);
                prop_assert!(watermark < MAX_WATERMARK);
                // A rise is allowed by every active channel of the inputs that count.
                for input in 0..2 {
                    let holding: Vec<_> = last[input].iter().zip(&active[input]).filter(|(_, a)| **a).collect();
                    for (w, _) in holding {
                        prop_assert!(*w >= watermark || tracker.inputs[input].watermark >= watermark);
                    }
                }
                combined = watermark;
            }
            prop_assert_eq!(tracker.watermark(), combined);
        }
    }

    #[test]
    fn idle_and_active_alternate(events in events(&[3, 2]).prop_map(legal)) {
        let mut tracker = WatermarkTracker::new(&[3, 2]);
        let mut idle = false;
        for (input, channel, event) in events {
            if let Some(now) = tracker.on_event(input, channel, event).idle {
                prop_assert_ne!(now, idle);
                idle = now;
            }
        }
    }

    #[test]
    fn the_order_in_which_channels_turn_idle_does_not_matter(watermarks in vec(0i64..100, 4), order in Just(vec![0usize, 1, 2, 3]).prop_shuffle()) {
        let mut tracker = WatermarkTracker::new(&[4]);
        for (channel, watermark) in watermarks.iter().enumerate() {
            tracker.on_event(0, channel, Watermark(*watermark));
        }
        for channel in order {
            tracker.on_event(0, channel, Idle(true));
        }
        prop_assert_eq!(Some(tracker.watermark()), watermarks.iter().copied().max());
    }
}
