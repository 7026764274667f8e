//! Messages that point into source text.

use std::fmt::Write;

use crate::Span;

/// Longest part of a source line that is shown.
const LINE_CHARS_MAX: usize = 160;

/// Renders a message with the source line and a caret under the span.
///
/// ```text
/// error: unexpected `FORM`
///  --> line 1, column 10
///   |
/// 1 | SELECT * FORM t
///   |          ^^^^
///   = help: did you mean FROM?
/// ```
///
/// A span over several lines is underlined to the end of its first line; a very long line is
/// cut around the span. Spans outside of the source point at its end.
pub fn render_diagnostic(source: &str, span: Span, message: &str, hint: Option<&str>) -> String {
    let notes: Vec<String> = hint.map(|hint| format!("help: {hint}")).into_iter().collect();
    render_with_notes(source, span, message, &notes)
}

/// As [`render_diagnostic`], with any number of lines behind the caret.
pub fn render_with_notes(source: &str, span: Span, message: &str, notes: &[String]) -> String {
    let location = Location::of(source, span);
    let number = location.line.to_string();
    let margin = " ".repeat(number.len());
    let excerpt = Excerpt::of(&location);
    let mut out = format!("error: {message}\n");
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "{margin}--> line {}, column {}", location.line, location.column);
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, "{number} | {}", excerpt.text);
    let _ = write!(out, "{margin} | {}{}", excerpt.padding, excerpt.carets);
    for note in notes {
        let _ = write!(out, "\n{margin} = {note}");
    }
    out
}

/// Line and column, both from 1, of a span's start; columns count characters.
pub fn line_and_column(source: &str, span: Span) -> (usize, usize) {
    let location = Location::of(source, span);
    (location.line, location.column)
}

/// A span in terms of lines.
struct Location<'a> {
    line: usize,
    column: usize,
    /// The line, without its end.
    text: &'a str,
    /// How many characters of the line are under the span.
    width: usize,
}

impl<'a> Location<'a> {
    fn of(source: &'a str, span: Span) -> Self {
        let start = floor_char_boundary(source, span.start as usize);
        let end = floor_char_boundary(source, span.end as usize).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let text = source[line_start..line_end].trim_end_matches('\r');
        let covered_end = end.min(line_start + text.len()).max(start);
        Location {
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            text,
            width: source[start..covered_end].chars().count(),
        }
    }
}

/// What is shown of a line.
struct Excerpt {
    text: String,
    padding: String,
    carets: String,
}

impl Excerpt {
    fn of(location: &Location<'_>) -> Self {
        let before = location.column - 1;
        let from = before.saturating_sub(LINE_CHARS_MAX / 2);
        let visible: String = location.text.chars().skip(from).take(LINE_CHARS_MAX).collect();
        let is_cut_behind = location.text.chars().count() > from + LINE_CHARS_MAX;
        let lead = if from > 0 { "…" } else { "" };
        let tail = if is_cut_behind { "…" } else { "" };
        let room = LINE_CHARS_MAX.saturating_sub(before - from);
        Excerpt {
            padding: padding_under(lead, &visible, before - from),
            carets: "^".repeat(location.width.min(room).max(1)),
            text: format!("{lead}{visible}{tail}"),
        }
    }
}

/// Spaces as wide as the text before the caret; tabs stay tabs.
fn padding_under(lead: &str, visible: &str, chars: usize) -> String {
    let before = visible.chars().take(chars);
    lead.chars().chain(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

fn floor_char_boundary(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
