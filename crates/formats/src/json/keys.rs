//! Guessing the next key of an object.
//!
//! Records of one table mostly have the same keys in the same order. A row remembers, for each place in that
//! order, the bytes `"key":` it met last; the guess is right when the next bytes are the same, which is one
//! comparison of sixteen bytes. A wrong guess costs a look-up by name and teaches the new order.

use super::cursor::{Cursor, Failure, Step};

/// Places that are remembered; objects with more keys look the rest up by name.
const PLACES_MAX: usize = 256;
/// Longer keys are not remembered.
const KEY_BYTES_MAX: usize = 256;

/// The bytes `"key":` met at one place, and the child they lead to.
#[derive(Debug)]
struct Guess {
    head: u128,
    mask: u128,
    bytes: Box<[u8]>,
    child: Option<usize>,
}

impl Guess {
    fn new(bytes: &[u8], child: Option<usize>) -> Self {
        let mut head = [0; 16];
        let length = bytes.len().min(16);
        head[..length].copy_from_slice(&bytes[..length]);
        let mask = if length == 16 { u128::MAX } else { (1 << (8 * length)) - 1 };
        Self { head: u128::from_le_bytes(head), mask, bytes: bytes.into(), child }
    }

    #[inline(always)]
    fn matches(&self, rest: &[u8]) -> bool {
        match rest.first_chunk::<16>() {
            Some(chunk) => {
                u128::from_le_bytes(*chunk) & self.mask == self.head
                    && (self.bytes.len() <= 16 || rest.starts_with(&self.bytes))
            }
            None => rest.starts_with(&self.bytes),
        }
    }
}

/// The keys of a row type and the order they were last met in.
#[derive(Debug)]
pub(super) struct Keys {
    names: Vec<String>,
    guesses: Vec<Guess>,
}

impl Keys {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self { names, guesses: vec![] }
    }

    /// The name of a child.
    pub(super) fn name(&self, child: usize) -> &str {
        &self.names[child]
    }

    /// Takes the key at the given place with its colon: the child it names, `None` for one that is not read.
    #[inline]
    pub(super) fn take(&mut self, place: usize, cursor: &mut Cursor<'_>) -> Step<Option<usize>> {
        if let Some(guess) = self.guesses.get(place)
            && guess.matches(cursor.rest())
        {
            cursor.at += guess.bytes.len();
            return Ok(guess.child);
        }
        self.look_up(place, cursor)
    }

    #[cold]
    #[inline(never)]
    fn look_up(&mut self, place: usize, cursor: &mut Cursor<'_>) -> Step<Option<usize>> {
        let start = cursor.at;
        if cursor.peek() != b'"' {
            return Err(cursor.unexpected("a field name in quotes"));
        }
        let raw = cursor.string()?;
        let plain = cursor.peek() == b':';
        cursor.skip_blanks();
        cursor.expect(b':', "':' after a field name")?;
        let mut scratch = vec![];
        let name = raw.text(&mut scratch)?;
        let child = self.names.iter().position(|n| n.as_bytes() == name);
        if plain && cursor.at - start <= KEY_BYTES_MAX && place <= self.guesses.len() && place < PLACES_MAX {
            let guess = Guess::new(&cursor.bytes[start..cursor.at], child);
            match self.guesses.get_mut(place) {
                Some(old) => *old = guess,
                None => self.guesses.push(guess),
            }
        }
        Ok(child)
    }

    /// The failure of a required field that a record does not have.
    #[cold]
    pub(super) fn missing(&self, child: usize, at: usize) -> Failure {
        Failure::new(at, format!("could not find the field '{}'", self.names[child]))
    }
}
