//! Colours for SQL, from the tokens alone: they work on half-written input.

use headwater_sql_parser::{TokenKind, tokens};
use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

/// Highlights SQL.
pub struct SqlHighlighter;

impl Highlighter for SqlHighlighter {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        let mut done = 0;
        for token in tokens(line) {
            let range = token.span.range();
            if done < range.start {
                styled.push((Style::new(), line[done..range.start].to_string()));
            }
            styled.push((style(token.kind), line[range.clone()].to_string()));
            done = range.end;
        }
        if done < line.len() {
            styled.push((Style::new(), line[done..].to_string()));
        }
        styled
    }
}

fn style(kind: TokenKind) -> Style {
    match kind {
        TokenKind::Keyword(keyword) if keyword.is_reserved() => Style::new().fg(Color::Blue).bold(),
        TokenKind::Keyword(_) => Style::new().fg(Color::Blue),
        TokenKind::String | TokenKind::UnicodeString | TokenKind::BinaryString => Style::new().fg(Color::Green),
        TokenKind::Number => Style::new().fg(Color::Cyan),
        TokenKind::QuotedIdentifier => Style::new().fg(Color::Magenta),
        TokenKind::Comment => Style::new().fg(Color::DarkGray),
        TokenKind::HintStart | TokenKind::HintEnd => Style::new().fg(Color::Yellow),
        TokenKind::Error(_) => Style::new().fg(Color::Red),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_stays_the_same() {
        for line in ["SELECT 'a' -- c", "  x /* open", "INSERT INTO `t` VALUES (1.5);  ", "", "ü 'ö"] {
            let styled = SqlHighlighter.highlight(line, 0);
            let text: String = styled.buffer.iter().map(|(_, part)| part.as_str()).collect();
            assert_eq!(text, line);
        }
    }
}
