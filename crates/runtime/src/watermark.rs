//! Event time of a subtask: the combination of the watermarks of its input channels.
//!
//! A channel is active, idle or finished. The watermark of an input is the minimum over its active channels;
//! it only rises, so a channel that wakes with an old watermark holds event time where it is, and never
//! lowers it. When the last active channel turns idle, no rows can be late against any of the idle ones' watermarks
//! any more than they already are, and the largest of them holds: so the order in which channels turn idle
//! does not matter. Finished channels do not take part. The inputs of a two-input operator are combined by
//! the same rule.
//!
//! Pure bookkeeping: the caller forwards what [`Change`] says.

use headwater_types::MIN_WATERMARK;

/// What a channel reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelEvent {
    /// Its event time.
    Watermark(i64),
    /// It turned idle or active.
    Idle(bool),
    /// It ended.
    End,
}

/// What follows from a channel's report for the subtask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// The combined watermark rose to this.
    pub watermark: Option<i64>,
    /// The subtask's input as a whole turned idle or active. To be forwarded before a watermark when
    /// active, after it when idle.
    pub idle: Option<bool>,
    /// All channels of the reporting input have ended.
    pub input_ended: bool,
    /// All channels of all inputs have ended.
    pub ended: bool,
}

/// Combines the watermarks of all channels of all inputs of a subtask.
#[derive(Debug, Clone)]
pub struct WatermarkTracker {
    inputs: Vec<Members>,
    combined: Members,
    idle: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Idle,
    Finished,
}

/// Members (channels of an input, or inputs of an operator) and their combination.
#[derive(Debug, Clone)]
struct Members {
    last: Vec<i64>,
    status: Vec<Status>,
    watermark: i64,
}

impl WatermarkTracker {
    /// A tracker for inputs with these numbers of channels. An input without channels has ended.
    pub fn new(channels: &[usize]) -> Self {
        let inputs: Vec<_> = channels.iter().map(|count| Members::new(*count)).collect();
        let mut combined = Members::new(inputs.len());
        for (member, input) in inputs.iter().enumerate() {
            combined.status[member] = input.combined_status();
        }
        Self { inputs, combined, idle: false }
    }

    /// The combined watermark.
    pub fn watermark(&self) -> i64 {
        self.combined.watermark
    }

    /// Whether an input has ended.
    pub fn input_ended(&self, input: usize) -> bool {
        self.combined.status[input] == Status::Finished
    }

    /// Takes the report of a channel of an input.
    pub fn on_event(&mut self, input: usize, channel: usize, event: ChannelEvent) -> Change {
        self.inputs[input].apply(channel, event);
        self.inputs[input].advance();
        let status = self.inputs[input].combined_status();
        let input_ended = status == Status::Finished && self.combined.status[input] != Status::Finished;
        self.combined.last[input] = self.inputs[input].watermark;
        self.combined.status[input] = status;
        let risen = self.combined.advance();
        let status = self.combined.combined_status();
        Change {
            watermark: risen.then_some(self.combined.watermark),
            idle: self.idle_change(status),
            input_ended,
            ended: status == Status::Finished,
        }
    }

    fn idle_change(&mut self, status: Status) -> Option<bool> {
        let idle = match status {
            Status::Active => false,
            Status::Idle => true,
            Status::Finished => self.idle,
        };
        (std::mem::replace(&mut self.idle, idle) != idle).then_some(idle)
    }
}

impl Members {
    fn new(count: usize) -> Self {
        Self { last: vec![MIN_WATERMARK; count], status: vec![Status::Active; count], watermark: MIN_WATERMARK }
    }

    fn apply(&mut self, member: usize, event: ChannelEvent) {
        match event {
            ChannelEvent::Watermark(watermark) => self.last[member] = self.last[member].max(watermark),
            ChannelEvent::Idle(idle) => self.status[member] = if idle { Status::Idle } else { Status::Active },
            ChannelEvent::End => self.status[member] = Status::Finished,
        }
    }

    fn combined_status(&self) -> Status {
        let any = |status| self.status.contains(&status);
        match () {
            () if any(Status::Active) => Status::Active,
            () if any(Status::Idle) => Status::Idle,
            () => Status::Finished,
        }
    }

    /// Recomputes the combination; whether it rose.
    fn advance(&mut self) -> bool {
        let of = |status| self.last.iter().zip(&self.status).filter(move |(_, s)| **s == status).map(|(w, _)| *w);
        let candidate = of(Status::Active).min().or_else(|| of(Status::Idle).max());
        let risen = candidate.is_some_and(|w| w > self.watermark);
        if risen {
            self.watermark = candidate.unwrap_or(self.watermark);
        }
        risen
    }
}

#[cfg(test)]
mod tests;
