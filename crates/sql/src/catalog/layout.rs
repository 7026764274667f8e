//! The layout in which Flink shows the query of a view: a clause a line, identifiers quoted.

use super::canonical_text;
use headwater_sql_parser::{Punct, Token, TokenKind, tokens};

/// A query in Flink's layout; `None` for text that is no query, and for hints, whose layout is another one.
pub fn query_text(query: &str) -> Option<String> {
    let parsed = headwater_sql_parser::parse_query(query).ok()?;
    let line = canonical_text(&parsed.to_string());
    let tokens = tokens(&line);
    if tokens.iter().any(|token| token.kind == TokenKind::HintStart) {
        return None;
    }
    let mut layout = Layout { line: &line, tokens: &tokens, at: 0, out: String::new(), frames: vec![Frame::query()] };
    while layout.at < tokens.len() {
        layout.token();
    }
    Some(layout.out)
}

/// What a pair of parentheses holds.
struct Frame {
    /// Whether it is a query, and not arguments or a list.
    is_query: bool,
    clause: Clause,
}

#[derive(Clone, Copy, PartialEq)]
enum Clause {
    Other,
    From,
    Group,
    Values,
}

impl Frame {
    fn query() -> Self {
        Self { is_query: true, clause: Clause::Other }
    }
}

struct Layout<'a> {
    line: &'a str,
    tokens: &'a [Token],
    at: usize,
    out: String,
    frames: Vec<Frame>,
}

impl Layout<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.span.text(self.line))
    }

    /// The word at a place: keywords are in upper case, and names are quoted.
    fn word(&self, at: usize) -> &str {
        match self.tokens.get(at).map(|token| token.kind) {
            Some(TokenKind::Keyword(_)) => self.text(at),
            _ => "",
        }
    }

    fn previous(&self) -> &str {
        self.at.checked_sub(1).map_or("", |at| self.text(at))
    }

    fn punct(&self, at: usize) -> Option<Punct> {
        match self.tokens.get(at)?.kind {
            TokenKind::Punct(punct) => Some(punct),
            _ => None,
        }
    }

    fn is_query(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_query)
    }

    fn clause(&self) -> Clause {
        self.frames.last().map_or(Clause::Other, |frame| frame.clause)
    }

    fn enter(&mut self, clause: Clause) {
        if let Some(frame) = self.frames.last_mut() {
            frame.clause = clause;
        }
    }

    /// Writes the next token as it is, behind the space that is before it.
    fn copy(&mut self) {
        let start = self.tokens[self.at].span.range().start;
        let before = self.at.checked_sub(1).map_or(start, |at| self.tokens[at].span.range().end);
        let spaced = self.out.ends_with('\n') || self.out.is_empty();
        if !spaced {
            self.out.push_str(&self.line[before..start]);
        }
        self.out.push_str(&self.line[self.tokens[self.at].span.range()]);
        self.at += 1;
    }

    fn newline(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn token(&mut self) {
        match self.punct(self.at) {
            Some(Punct::LeftParen) => self.open(),
            Some(Punct::RightParen) => {
                self.frames.pop();
                self.copy();
            }
            Some(Punct::Comma) => self.comma(),
            Some(Punct::Minus) => self.minus(),
            _ if self.is_query() && self.clause_word() => {}
            _ => self.other(),
        }
    }

    fn open(&mut self) {
        let is_query = matches!(self.word(self.at + 1), "SELECT" | "VALUES" | "WITH");
        let is_row = self.is_query() && self.clause() == Clause::Values;
        let is_tight = matches!(self.previous(), "SETS" | "ROLLUP" | "CUBE");
        if is_row {
            self.out.push_str(if self.out.ends_with('\n') { "ROW" } else { " ROW" });
        }
        if is_row || is_tight {
            self.out.push('(');
            self.at += 1;
        } else {
            self.copy();
        }
        self.frames.push(Frame { is_query, clause: Clause::Other });
    }

    fn comma(&mut self) {
        let breaks = self.is_query() && matches!(self.clause(), Clause::From | Clause::Values);
        self.copy();
        if breaks {
            self.newline();
        }
    }

    /// A sign stands apart from what it changes, unless that is a number.
    fn minus(&mut self) {
        let is_operand = match self.at.checked_sub(1).map(|at| self.tokens[at].kind) {
            Some(TokenKind::Punct(punct)) => matches!(punct, Punct::RightParen | Punct::RightBracket),
            Some(TokenKind::Keyword(_)) | None => false,
            Some(_) => true,
        };
        self.copy();
        if !is_operand && self.tokens.get(self.at).is_some_and(|next| next.kind != TokenKind::Number) {
            self.out.push(' ');
        }
    }

    /// A word that begins a clause of a query; whether it was one.
    fn clause_word(&mut self) -> bool {
        let is_call = self.punct(self.at + 1) == Some(Punct::LeftParen);
        match self.word(self.at) {
            "FROM" if self.previous() != "DISTINCT" => self.begin(Clause::From),
            "GROUP" => self.begin(Clause::Group),
            "WHERE" | "HAVING" | "WINDOW" | "QUALIFY" | "ORDER" => self.begin(Clause::Other),
            "VALUES" => {
                self.copy();
                self.enter(Clause::Values);
                true
            }
            "LIMIT" | "OFFSET" => self.limit(),
            "UNION" | "INTERSECT" | "EXCEPT" => self.set_operator(),
            "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL" if self.clause() == Clause::From && !is_call => {
                self.newline();
                self.copy();
                true
            }
            "JOIN" if !matches!(self.previous(), "LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL") => {
                self.newline();
                self.out.push_str("INNER JOIN");
                self.at += 1;
                true
            }
            _ if is_call && self.clause() == Clause::Group => self.group_window(),
            _ => false,
        }
    }

    /// The window of a GROUP BY, which Flink marks as its own function.
    fn group_window(&mut self) -> bool {
        let name = self.text(self.at).to_owned();
        if !matches!(name.as_str(), "TUMBLE" | "HOP" | "SESSION") {
            return false;
        }
        self.out.push_str(" $");
        self.out.push_str(&name);
        self.at += 1;
        true
    }

    fn begin(&mut self, clause: Clause) -> bool {
        self.newline();
        self.copy();
        self.enter(clause);
        true
    }

    /// `LIMIT n OFFSET m`, which Flink writes as in the standard.
    fn limit(&mut self) -> bool {
        let (mut limit, mut offset) = (None, None);
        while let word @ ("LIMIT" | "OFFSET") = self.word(self.at) {
            let count = Some(self.text(self.at + 1).to_owned());
            match word {
                "LIMIT" => limit = count,
                _ => offset = count,
            }
            self.at += 2;
        }
        if let Some(offset) = offset {
            self.out.push_str(&format!("\nOFFSET {offset} ROWS"));
        }
        if let Some(limit) = limit {
            self.out.push_str(&format!("\nFETCH NEXT {limit} ROWS ONLY"));
        }
        true
    }

    fn set_operator(&mut self) -> bool {
        self.newline();
        self.copy();
        if self.word(self.at) == "ALL" {
            self.copy();
        }
        self.newline();
        self.enter(Clause::Other);
        true
    }

    fn other(&mut self) {
        let is_frame = matches!(self.previous(), "ROWS" | "RANGE");
        match self.word(self.at) {
            "BETWEEN" if !is_frame && self.word(self.at + 1) != "SYMMETRIC" => {
                self.copy();
                self.out.push_str(" ASYMMETRIC");
            }
            "INT" => {
                self.copy();
                self.out.push_str("EGER");
            }
            _ => self.copy(),
        }
    }
}

#[cfg(test)]
mod tests;
