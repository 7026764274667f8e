//! A validity bitmap in which NULL is the absence of a mark.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Marks of the valid rows of a column. Rows that were never marked are NULL, so a run of missing values
/// costs nothing.
#[derive(Debug, Default)]
pub(super) struct Validity {
    words: Vec<u64>,
    valid: usize,
}

impl Validity {
    /// Marks a row as valid. A row is marked at most once.
    #[inline]
    pub(super) fn mark(&mut self, row: usize) {
        let word = row >> 6;
        if word >= self.words.len() {
            self.words.resize((word + 1).next_power_of_two().max(16), 0);
        }
        self.words[word] |= 1 << (row & 63);
        self.valid += 1;
    }

    /// Whether a row was marked.
    pub(super) fn is_marked(&self, row: usize) -> bool {
        self.words.get(row >> 6).is_some_and(|word| word >> (row & 63) & 1 == 1)
    }

    /// Forgets the rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        let word = rows >> 6;
        if let Some(last) = self.words.get_mut(word) {
            *last &= (1 << (rows & 63)) - 1;
        }
        self.words.truncate(word + 1);
        self.valid = self.words.iter().map(|w| w.count_ones() as usize).sum();
    }

    /// The bitmap of `rows` rows, `None` when all are valid; starts over empty.
    pub(super) fn take(&mut self, rows: usize) -> Option<NullBuffer> {
        let valid = std::mem::take(&mut self.valid);
        let mut words = std::mem::take(&mut self.words);
        if valid == rows {
            return None;
        }
        words.resize(rows.div_ceil(64), 0);
        // Arrow wants the bytes of little-endian words, whatever the machine is.
        words.iter_mut().for_each(|w| *w = w.to_le());
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, rows)))
    }
}
