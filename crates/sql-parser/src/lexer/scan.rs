//! A cursor over characters.

/// A position in a text, with the few moves the lexer needs.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    source: &'a str,
    /// Always at a character boundary.
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, offset: 0 }
    }

    /// The offset in bytes; saturates for sources the parser refuses anyway.
    pub(super) fn offset(&self) -> u32 {
        u32::try_from(self.offset).unwrap_or(u32::MAX)
    }

    fn rest(&self) -> &'a str {
        &self.source[self.offset..]
    }

    pub(super) fn first(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) {
        if let Some(c) = self.first() {
            self.offset += c.len_utf8();
        }
    }

    /// Moves over `bytes` bytes of ASCII that were just looked at.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.offset += bytes;
    }

    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix)
    }

    pub(super) fn starts_with_ignoring_case(&self, prefix: &str) -> bool {
        let start = self.rest().as_bytes().get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    }

    pub(super) fn skip_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }

    /// Moves behind the next `needle`, or to the end when there is none.
    pub(super) fn skip_past(&mut self, needle: &str) -> bool {
        let found = self.rest().find(needle);
        self.offset = match found {
            Some(position) => self.offset + position + needle.len(),
            None => self.source.len(),
        };
        found.is_some()
    }

    /// Moves behind the closing quote; a doubled quote stands for itself.
    pub(super) fn skip_quoted(&mut self, quote: char) -> bool {
        let doubled: String = [quote, quote].iter().collect();
        loop {
            self.skip_while(|c| c != quote);
            if self.starts_with(&doubled) {
                self.advance(doubled.len());
            } else {
                let terminated = self.first().is_some();
                self.bump();
                return terminated;
            }
        }
    }

    /// Moves over `e10`, `E-3` and the like, if they are there in full.
    pub(super) fn skip_exponent(&mut self) {
        let bytes = self.rest().as_bytes();
        if !matches!(bytes.first(), Some(b'e' | b'E')) {
            return;
        }
        let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
        if bytes.get(1 + sign).is_some_and(u8::is_ascii_digit) {
            self.advance(1 + sign);
            self.skip_while(|c| c.is_ascii_digit());
        }
    }
}
