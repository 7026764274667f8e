//! `DROP`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{DropObject, ObjectKind, Statement};

impl Parser<'_> {
    pub(super) fn drop_object(&mut self) -> Result<Statement> {
        let start = self.advance().span;
        let scope = self.object_scope();
        let object = self.object_kind()?;
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let cascade = self.eat_any(&["CASCADE", "RESTRICT"]).map(|word| word == "CASCADE");
        let drop = DropObject { object, scope, if_exists, name, cascade, span: self.span_from(start) };
        Ok(Statement::Drop(Box::new(drop)))
    }

    /// `TABLE`, `VIEW` and so on.
    pub(super) fn object_kind(&mut self) -> Result<ObjectKind> {
        match self.optional_object_kind() {
            Some(kind) => Ok(kind),
            None => Err(self.unexpected()),
        }
    }

    pub(super) fn optional_object_kind(&mut self) -> Option<ObjectKind> {
        if self.eat_all(&["MATERIALIZED", "TABLE"]) {
            return Some(ObjectKind::MaterializedTable);
        }
        const KINDS: [(&str, ObjectKind); 7] = [
            ("TABLE", ObjectKind::Table),
            ("VIEW", ObjectKind::View),
            ("FUNCTION", ObjectKind::Function),
            ("DATABASE", ObjectKind::Database),
            ("CATALOG", ObjectKind::Catalog),
            ("MODEL", ObjectKind::Model),
            ("CONNECTION", ObjectKind::Connection),
        ];
        let found = KINDS.iter().find(|(word, _)| self.eat(word));
        found.map(|(_, kind)| *kind)
    }
}
