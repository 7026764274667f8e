//! What columns and rows are made of.

use headwater_lineage::Kind;
use headwater_types::LogicalType;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Longest text of an expression that is kept, in bytes.
const TEXT_MAX: usize = 240;

/// What is done with a source: kind and masking, with the first expression that did it.
pub(super) type Kinds = BTreeMap<(Kind, bool), String>;

/// Columns of inputs, and what is done with each.
pub(super) type Sources = BTreeMap<(usize, String), Kinds>;

/// What a column is made of.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The sources of its values.
    pub sources: Sources,
    /// Where it is event time: what its watermark is made of.
    pub watermark: Sources,
    /// The expression, over columns of inputs.
    pub text: String,
    /// Its type.
    pub ty: LogicalType,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            sources: Sources::new(),
            watermark: Sources::new(),
            text: String::new(),
            ty: headwater_types::TypeRoot::Null.into(),
        }
    }
}

/// A relation.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Its columns by unique name.
    pub columns: HashMap<String, Origin>,
    /// What decides which rows there are.
    pub decisive: Sources,
    /// The inputs it is made of.
    pub inputs: BTreeSet<usize>,
    /// A column of the other side of the join above, whose time says which versions of these rows are meant.
    pub as_of: Option<String>,
}

/// How a value is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    /// For what.
    pub kind: Kind,
    /// Whether the result does not show the value.
    pub masking: bool,
    /// The expression that uses it.
    pub text: &'a str,
}

impl<'a> Use<'a> {
    /// A use that shows the value.
    pub fn new(kind: Kind, text: &'a str) -> Self {
        Self { kind, masking: false, text }
    }

    /// The use of a value within another use: the inner one is `kind`. What decides stays what it decides; among uses that
    /// go into the value the strongest names the whole.
    pub fn then(self, kind: Kind, masking: bool) -> Self {
        let kind = match (self.kind.is_direct(), kind.is_direct()) {
            (false, _) => self.kind,
            (true, false) => kind,
            (true, true) => self.kind.max(kind),
        };
        Self { kind, masking: self.masking || masking, ..self }
    }
}

/// Adds `from`, used so, to `to`.
pub(super) fn add(to: &mut Sources, from: &Sources, how: Use<'_>) {
    for (source, kinds) in from {
        let known = to.entry(source.clone()).or_default();
        for ((kind, masking), text) in kinds {
            let composed = how.then(*kind, *masking);
            // An identity says nothing of its own: the expression is the one that is passed on.
            let text = if how.kind == Kind::Identity { text.as_str() } else { how.text };
            let text = if composed.kind == Kind::Identity { "" } else { text };
            known.entry((composed.kind, composed.masking)).or_insert_with(|| shortened(text));
        }
    }
}

/// Adds all of `from`.
pub(super) fn merge(to: &mut Sources, from: Sources) {
    for (source, kinds) in from {
        let known = to.entry(source).or_default();
        for (kind, text) in kinds {
            known.entry(kind).or_insert(text);
        }
    }
}

/// A text that does not grow without end when expressions are put into expressions.
pub(super) fn shortened(text: &str) -> String {
    match text.len() > TEXT_MAX {
        false => text.to_owned(),
        true => {
            let end = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            format!("{}...", &text[..end])
        }
    }
}

impl Rows {
    /// Text of a column.
    pub fn text(&self, unique: &str) -> String {
        self.columns.get(unique).map_or_else(|| crate::logical::display_name(unique).to_owned(), |o| o.text.clone())
    }

    /// Texts of columns, as a list.
    pub fn texts<'a>(&self, columns: impl IntoIterator<Item = &'a String>) -> String {
        columns.into_iter().map(|column| self.text(column)).collect::<Vec<_>>().join(", ")
    }

    /// A column decides which rows there are.
    pub fn decide(&mut self, unique: &str, how: Use<'_>) {
        if let Some(origin) = self.columns.get(unique) {
            add(&mut self.decisive, &origin.sources, how);
        }
    }

    /// The event time of a column decides which rows there are: with it, its watermark.
    pub fn decide_by_time(&mut self, unique: &str, how: Use<'_>) {
        self.decide(unique, how);
        if let Some(origin) = self.columns.get(unique) {
            merge(&mut self.decisive, origin.watermark.clone());
        }
    }

    /// Columns of both, as a join has them.
    pub fn joined(mut self, other: Self) -> Self {
        self.columns.extend(other.columns);
        merge(&mut self.decisive, other.decisive);
        self.inputs.extend(other.inputs);
        self.as_of = self.as_of.or(other.as_of);
        self
    }
}
