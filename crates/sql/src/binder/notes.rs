//! The text of a query with all names written out: what SHOW CREATE VIEW shows.
//!
//! While a query is bound, the binder notes what every name and star stands for; afterwards the notes are put in the places
//! of the names. Queries that hold what the notes do not cover (rows unpacked by a star, columns merged by USING) keep
//! their text.

use super::Binder;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use crate::SqlResult;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Query, TableRef, TableRefKind};
use headwater_types::logical_type::quote_identifier;
use std::collections::BTreeMap;

/// What was noted about one query.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What stands for the text between two places.
    edits: BTreeMap<usize, (usize, String)>,
    /// What follows a place.
    aliases: BTreeMap<usize, String>,
    /// Names that were made up for relations without one.
    generated: usize,
    /// Views and tables that are being bound: their text is another one.
    foreign: usize,
    failed: bool,
}

impl Binder<'_> {
    /// Binds a query, and gives its text with all names written out, if that is possible.
    pub fn expanded_text(&self, query: &Query, source: &str) -> SqlResult<Option<String>> {
        *self.notes.borrow_mut() = Some(Notes::default());
        let bound = self.bind_query(query);
        let notes = self.notes.borrow_mut().take();
        bound?;
        let range = query.span.range();
        let text = source.get(range.clone());
        Ok(notes.zip(text).and_then(|(notes, text)| notes.applied(text, range.start)))
    }

    /// Notes something, unless nobody asked for it or the text at hand is that of a view or of a table.
    fn note(&self, note: impl FnOnce(&mut Notes)) {
        if let Some(notes) = self.notes.borrow_mut().as_mut()
            && notes.foreign == 0
        {
            note(notes);
        }
    }

    /// Notes that the query cannot be written out.
    pub(super) fn note_failure(&self) {
        self.note(|notes| notes.failed = true);
    }

    /// Notes what a name or a star stands for.
    pub(super) fn note_text(&self, span: Span, text: impl FnOnce() -> String) {
        self.note(|notes| {
            let range = span.range();
            notes.edits.insert(range.start, (range.end, text()));
        });
    }

    /// Notes what a column is called in full: its relation, itself, and the fields behind it.
    pub(super) fn note_column<'n>(
        &self,
        span: Span,
        scope: &'n Scope<'_>,
        column: &'n ScopeColumn,
        fields: impl Iterator<Item = &'n str>,
    ) {
        let relation = scope.relations.iter().find(|r| r.columns.iter().any(|own| std::ptr::eq(own, column)));
        match relation.and_then(|relation| relation.path.last()) {
            Some(alias) => self.note_text(span, || dotted([alias.as_str(), &column.name].into_iter().chain(fields))),
            None => self.note_failure(),
        }
    }

    /// Notes the columns of a star.
    pub(super) fn note_star<'n>(&self, span: Span, relations: impl Iterator<Item = &'n ScopeRelation>) {
        let mut columns = vec![];
        for relation in relations {
            let Some(alias) = relation.path.last() else { return self.note_failure() };
            if relation.columns.iter().any(|column| column.merged) {
                return self.note_failure();
            }
            columns.extend(relation.columns.iter().map(|column| dotted([alias.as_str(), &column.name].into_iter())));
        }
        self.note_text(span, || columns.join(", "));
    }

    /// The name that a relation without one gets, when names are noted.
    pub(super) fn generated_alias(&self, item: &TableRef) -> Option<String> {
        let is_unnamed =
            item.alias.is_none() && matches!(item.kind, TableRefKind::Derived { .. } | TableRefKind::Function { .. });
        let mut alias = None;
        if is_unnamed {
            self.note(|notes| {
                alias = Some(format!("EXPR${}", notes.generated));
                notes.generated += 1;
            });
        }
        if let Some(alias) = &alias {
            self.note_alias(item, alias);
        }
        alias
    }

    /// Notes that a relation is called by a name that was not written.
    pub(super) fn note_alias(&self, item: &TableRef, alias: &str) {
        if item.alias.is_none() {
            self.note(|notes| {
                notes.aliases.insert(item.span.range().end, format!(" AS {}", quote_identifier(alias)));
            });
        }
    }

    /// Binds what has a text of its own, such as a view or the computed columns of a table: nothing of it is noted.
    pub(super) fn unnoted<T>(&self, bind: impl FnOnce() -> T) -> T {
        let count = |step: fn(&mut usize)| {
            if let Some(notes) = self.notes.borrow_mut().as_mut() {
                step(&mut notes.foreign);
            }
        };
        count(|foreign| *foreign += 1);
        let bound = bind();
        count(|foreign| *foreign -= 1);
        bound
    }
}

/// Names in backticks with dots between them.
pub(super) fn dotted<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(quote_identifier).collect::<Vec<_>>().join(".")
}

impl Notes {
    /// The text, which begins at `start` of its source, with everything noted put in its place.
    fn applied(mut self, text: &str, start: usize) -> Option<String> {
        if self.failed {
            return None;
        }
        let mut out = String::with_capacity(text.len() * 2);
        let mut at = start;
        while !(self.edits.is_empty() && self.aliases.is_empty()) {
            // What lies within text that was replaced as a whole is gone.
            self.edits = self.edits.split_off(&at);
            self.aliases = self.aliases.split_off(&at);
            let edit = self.edits.keys().next().copied().unwrap_or(usize::MAX);
            let alias = self.aliases.keys().next().copied().unwrap_or(usize::MAX);
            if edit == alias {
                break;
            }
            let next = edit.min(alias);
            out.push_str(text.get(at.checked_sub(start)?..next.checked_sub(start)?)?);
            at = next;
            // An alias ends its relation, so it comes before whatever begins at the same place.
            if alias <= edit {
                out.push_str(&self.aliases.remove(&alias)?);
            } else {
                let (end, new) = self.edits.remove(&edit)?;
                out.push_str(&new);
                at = end;
            }
        }
        out.push_str(text.get(at.checked_sub(start)?..)?);
        Some(out)
    }
}
