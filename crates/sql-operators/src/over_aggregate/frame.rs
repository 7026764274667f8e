//! The order in which rows enter and leave frames.

use headwater_plan::operators::OverFrame;

/// A row of a partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct OverRow {
    /// Its position in the rows at hand.
    pub(super) position: u32,
    /// What RANGE distances are measured in; rises along the partition.
    pub(super) time: i64,
    /// Rows with the same number are peers.
    pub(super) peer: i64,
}

/// Additions and removals of rows, group by group.
#[derive(Default)]
pub(super) struct Script {
    /// Positions of the rows.
    pub(super) rows: Vec<u32>,
    /// 1 for rows that enter a frame, -1 for rows that leave it.
    pub(super) signs: Vec<i8>,
    pub(super) groups: Vec<u32>,
    /// For every row that gets a result: its position.
    pub(super) outputs: Vec<u32>,
    /// The step after which it has the result of a function of rows.
    pub(super) own: Vec<u32>,
    /// The step after which its frame is complete.
    pub(super) complete: Vec<u32>,
}

impl Script {
    /// Adds a partition: `rows` are `old` rows that were added before and may leave now, then rows to be added.
    /// `in_frame` counts all rows that were added before and have not left. The answer is how many of `rows` left.
    pub(super) fn partition(
        &mut self,
        frame: OverFrame,
        group: u32,
        rows: &[OverRow],
        old: usize,
        mut in_frame: u64,
    ) -> usize {
        let mut head = 0;
        let mut next = old;
        while next < rows.len() {
            let row = rows[next];
            let leaves = |head: usize, in_frame: u64| match frame {
                OverFrame::RowsUnbounded | OverFrame::RangeUnbounded => false,
                OverFrame::Rows(before) => head < next && in_frame > before,
                OverFrame::Range(ms) => head < next && rows[head].time < row.time.saturating_sub(ms),
            };
            while leaves(head, in_frame) {
                self.step(rows[head].position, -1, group);
                head += 1;
                in_frame -= 1;
            }
            let by_row = matches!(frame, OverFrame::RowsUnbounded | OverFrame::Rows(_));
            let is_peer = |other: &&OverRow| other.peer == row.peer;
            let peers = if by_row { 1 } else { rows[next..].iter().take_while(is_peer).count() };
            let last = (self.rows.len() + peers - 1) as u32;
            for peer in &rows[next..next + peers] {
                self.own.push(self.rows.len() as u32);
                self.complete.push(last);
                self.outputs.push(peer.position);
                self.step(peer.position, 1, group);
            }
            in_frame += peers as u64;
            next += peers;
        }
        head
    }

    fn step(&mut self, position: u32, sign: i8, group: u32) {
        self.rows.push(position);
        self.signs.push(sign);
        self.groups.push(group);
    }
}
