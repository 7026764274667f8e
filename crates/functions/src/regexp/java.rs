//! Translation of Java's pattern language to that of the `regex` and `fancy-regex` crates.
//!
//! What differs is rewritten: `\d`, `\w` and `\s` are ASCII in Java, `.` excludes all line terminators, `\Q…\E`
//! quotes, `\h`, `\v`, `\R` and the POSIX classes `\p{Alpha}` … have no equal. Look-around, back-references,
//! atomic groups and possessive quantifiers need backtracking, so they select the slower engine.
//!
//! Known differences that remain: `$` does not match before a final line terminator, `(?i)` ignores case
//! in all of Unicode, `\b` is Unicode-aware. `\G`, Unicode blocks (`\p{InGreek}`) and `\p{java…}` are errors.

/// A translated pattern.
#[derive(Debug, PartialEq)]
pub(super) struct Translated {
    /// The pattern for the Rust engines.
    pub(super) pattern: String,
    /// Whether it needs backtracking.
    pub(super) backtracks: bool,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum PatternError {
    /// Java does not accept it either.
    #[error("invalid regular expression")]
    Invalid,
    /// Java accepts it, this engine does not.
    #[error("{0} in regular expressions is not supported")]
    Unsupported(String),
}

/// What Java's `.` does not match.
const LINE_TERMINATORS: &str = r"\n\r\u{85}\u{2028}\u{2029}";

/// Translates a Java pattern.
pub(super) fn translate(pattern: &str) -> Result<Translated, PatternError> {
    let mut translator = Translator {
        input: pattern.chars().collect(),
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        backtracks: false,
        dot_all: false,
    };
    while let Some(c) = translator.next() {
        translator.outside_class(c)?;
    }
    Ok(Translated { pattern: translator.out, backtracks: translator.backtracks })
}

struct Translator {
    input: Vec<char>,
    at: usize,
    out: String,
    backtracks: bool,
    dot_all: bool,
}

impl Translator {
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }

    fn rest_starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.input.get(self.at + i) == Some(&c))
    }

    fn outside_class(&mut self, c: char) -> Result<(), PatternError> {
        match c {
            '\\' => self.escape(false),
            '[' => self.class(),
            '(' => self.group(),
            '.' if !self.dot_all => {
                self.out.push_str("[^");
                self.out.push_str(LINE_TERMINATORS);
                self.out.push(']');
                Ok(())
            }
            '*' | '+' | '?' | '}' => {
                self.out.push(c);
                self.after_quantifier(c);
                Ok(())
            }
            _ => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    /// A `+` behind a quantifier makes it possessive, a `?` reluctant.
    fn after_quantifier(&mut self, quantifier: char) {
        match self.peek() {
            Some('+') if quantifier != '}' || self.closes_repetition() => {
                self.backtracks = true;
                self.out.push('+');
                self.at += 1;
            }
            Some('?') => {
                self.out.push('?');
                self.at += 1;
            }
            _ => {}
        }
    }

    /// Whether the `}` just read ends a `{n,m}` rather than being a literal.
    fn closes_repetition(&self) -> bool {
        let before = &self.input[..self.at - 1];
        let body = before.iter().rev().take_while(|c| **c != '{').count();
        body > 0 && body < before.len() && before[before.len() - body..].iter().all(|c| c.is_ascii_digit() || *c == ',')
    }

    /// What follows `(`.
    fn group(&mut self) -> Result<(), PatternError> {
        self.out.push('(');
        if self.peek() != Some('?') {
            return Ok(());
        }
        for construct in ["?=", "?!", "?<=", "?<!", "?>"] {
            if self.rest_starts_with(construct) {
                self.backtracks = true;
                self.out.push_str(construct);
                self.at += construct.len();
                return Ok(());
            }
        }
        if self.rest_starts_with("?:") || self.rest_starts_with("?<") {
            self.out.push('?');
            self.at += 1;
            return Ok(());
        }
        self.at += 1;
        self.flags()
    }

    /// Inline flags, behind `(?`: `i`, `m`, `s` and `x` mean the same, `d`, `u` and `U` are dropped.
    fn flags(&mut self) -> Result<(), PatternError> {
        let (mut kept, mut negated) = (String::new(), false);
        loop {
            match self.next().ok_or(PatternError::Invalid)? {
                '-' => {
                    negated = true;
                    kept.push('-');
                }
                c @ ('i' | 'm' | 's' | 'x') => {
                    self.dot_all |= c == 's' && !negated;
                    kept.push(c);
                }
                'd' | 'u' | 'U' => {}
                end @ (')' | ':') => return self.end_flags(&kept, end),
                _ => return Err(PatternError::Invalid),
            }
        }
    }

    fn end_flags(&mut self, kept: &str, end: char) -> Result<(), PatternError> {
        let kept = kept.strip_suffix('-').unwrap_or(kept);
        match (kept.is_empty(), end) {
            // `(?u)` alone leaves nothing of the group.
            (true, ')') => {
                self.out.pop();
            }
            _ => {
                self.out.push('?');
                self.out.push_str(kept);
                self.out.push(end);
            }
        }
        Ok(())
    }

    /// A character class, behind its `[`; classes nest.
    fn class(&mut self) -> Result<(), PatternError> {
        self.out.push('[');
        let mut depth = 1;
        let mut first = true;
        while depth > 0 {
            let c = self.next().ok_or(PatternError::Invalid)?;
            let opens = c == '[' || (first && c == '^');
            match c {
                '\\' => self.escape(true)?,
                ']' if first => self.out.push_str(r"\]"),
                ']' => {
                    depth -= 1;
                    self.out.push(']');
                }
                '[' => {
                    depth += 1;
                    self.out.push('[');
                }
                '~' => self.out.push_str(r"\~"),
                _ => self.out.push(c),
            }
            first = opens;
        }
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), PatternError> {
        let c = self.next().ok_or(PatternError::Invalid)?;
        if let Some(class) = class_escape(c) {
            self.out.push_str(class);
            return Ok(());
        }
        match c {
            'Q' => self.quotation(),
            'p' | 'P' => self.property(c == 'P')?,
            'x' | 'u' => self.hexadecimal(c)?,
            '0' => self.octal()?,
            'c' => {
                let control = self.next().ok_or(PatternError::Invalid)?;
                self.literal(char::from_u32(u32::from(control) ^ 0x40).ok_or(PatternError::Invalid)?);
            }
            'a' => self.literal('\u{7}'),
            'e' => self.literal('\u{1b}'),
            't' | 'n' | 'r' | 'f' => {
                self.out.push('\\');
                self.out.push(c);
            }
            _ if in_class && c.is_ascii_alphanumeric() => return Err(PatternError::Invalid),
            _ => self.escape_outside_class(c)?,
        }
        Ok(())
    }

    fn escape_outside_class(&mut self, c: char) -> Result<(), PatternError> {
        match c {
            'b' | 'B' | 'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'R' => {
                self.out.push_str(r"(?:\r\n|[\x0B\x0C");
                self.out.push_str(LINE_TERMINATORS);
                self.out.push_str("])");
            }
            'Z' => {
                self.backtracks = true;
                self.out.push_str(r"(?=(?:\r\n|[\n\r])?\z)");
            }
            '1'..='9' | 'k' => {
                self.backtracks = true;
                self.out.push('\\');
                self.out.push(c);
            }
            'G' => return Err(PatternError::Unsupported(r"\G".into())),
            _ if c.is_ascii_alphanumeric() => return Err(PatternError::Invalid),
            _ => self.literal(c),
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }

    /// Everything up to `\E` stands for itself.
    fn quotation(&mut self) {
        while self.at < self.input.len() {
            if self.rest_starts_with(r"\E") {
                self.at += 2;
                return;
            }
            if let Some(c) = self.next() {
                self.literal(c);
            }
        }
    }

    /// `\xhh`, `\x{h…}`, `\uhhhh`.
    fn hexadecimal(&mut self, kind: char) -> Result<(), PatternError> {
        let braced = kind == 'x' && self.peek() == Some('{');
        let digits: String = if braced {
            self.at += 1;
            let digits = self.input[self.at..].iter().take_while(|c| **c != '}').collect::<String>();
            self.at += 1;
            digits
        } else {
            self.input[self.at..].iter().take(if kind == 'x' { 2 } else { 4 }).collect()
        };
        self.at += digits.chars().count();
        let code = u32::from_str_radix(&digits, 16).map_err(|_| PatternError::Invalid)?;
        self.literal(char::from_u32(code).ok_or(PatternError::Invalid)?);
        Ok(())
    }

    /// `\0n`, `\0nn`, `\0mnn` with m up to 3.
    fn octal(&mut self) -> Result<(), PatternError> {
        let mut code = self.next().and_then(|c| c.to_digit(8)).ok_or(PatternError::Invalid)?;
        for _ in 0..2 {
            match self.peek().and_then(|c| c.to_digit(8)) {
                Some(digit) if code * 8 + digit <= 0o377 => code = code * 8 + digit,
                _ => break,
            }
            self.at += 1;
        }
        self.literal(char::from_u32(code).ok_or(PatternError::Invalid)?);
        Ok(())
    }

    /// `\pL`, `\p{Lu}`, `\p{Alpha}`, `\p{IsLatin}`, and the same negated with `P`.
    fn property(&mut self, negated: bool) -> Result<(), PatternError> {
        let name: String = match self.next().ok_or(PatternError::Invalid)? {
            '{' => {
                let name: String = self.input[self.at..].iter().take_while(|c| **c != '}').collect();
                self.at += name.chars().count() + 1;
                name
            }
            c => c.to_string(),
        };
        if let Some(posix) = posix_class(&name) {
            let caret = if negated { "^" } else { "" };
            self.out.push_str(&format!("[[:{caret}{posix}:]]"));
            return Ok(());
        }
        if name.starts_with("In") || name.starts_with("java") {
            return Err(PatternError::Unsupported(format!(r"\p{{{name}}}")));
        }
        let name = name.strip_prefix("Is").unwrap_or(&name);
        self.out.push_str(&format!(r"\{}{{{name}}}", if negated { 'P' } else { 'p' }));
        Ok(())
    }
}

/// The predefined classes, valid inside and outside of brackets.
fn class_escape(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[a-zA-Z0-9_]",
        'W' => "[^a-zA-Z0-9_]",
        's' => r"[ \t\n\x0B\x0C\r]",
        'S' => r"[^ \t\n\x0B\x0C\r]",
        'h' => r"[ \t\u{A0}\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]",
        'H' => r"[^ \t\u{A0}\u{1680}\u{180e}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]",
        'v' => r"[\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]",
        'V' => r"[^\n\x0B\x0C\r\u{85}\u{2028}\u{2029}]",
        _ => return None,
    })
}

/// Java's ASCII classes under the names of POSIX.
fn posix_class(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "lower",
        "Upper" => "upper",
        "ASCII" => "ascii",
        "Alpha" => "alpha",
        "Digit" => "digit",
        "Alnum" => "alnum",
        "Punct" => "punct",
        "Graph" => "graph",
        "Print" => "print",
        "Blank" => "blank",
        "Cntrl" => "cntrl",
        "XDigit" => "xdigit",
        "Space" => "space",
        _ => return None,
    })
}
