//! What stands in the parentheses of `CREATE TABLE`: columns, watermarks, constraints.

use super::Result;
use super::cursor::Parser;
use crate::Span;
use crate::ast::{
    ColumnDef, ColumnKind, ConstraintKind, DataType, Distribution, DistributionKind, Ident, TableConstraint,
    TableSchema, WatermarkDef,
};
use crate::lexer::Punct;

impl Parser<'_> {
    /// `(element, …)` if it is there.
    pub(super) fn optional_schema(&mut self) -> Result<TableSchema> {
        let mut schema = TableSchema::default();
        if self.at_punct(Punct::LeftParen) {
            self.paren_list_or_empty(|parser| parser.schema_element(&mut schema))?;
        }
        Ok(schema)
    }

    fn schema_element(&mut self, schema: &mut TableSchema) -> Result<()> {
        if self.at("WATERMARK") {
            schema.watermarks.push(self.watermark()?);
        } else if self.at_table_constraint() {
            schema.constraints.push(self.table_constraint()?);
        } else {
            schema.columns.push(self.column_def()?);
        }
        Ok(())
    }

    pub(super) fn at_table_constraint(&self) -> bool {
        self.at("CONSTRAINT") || self.at("PRIMARY") || self.at("UNIQUE")
    }

    pub(super) fn watermark(&mut self) -> Result<WatermarkDef> {
        let start = self.span();
        self.expect_all(&["WATERMARK", "FOR"])?;
        let column = self.object_name()?;
        self.expect("AS")?;
        let expr = self.expr()?;
        Ok(WatermarkDef { column, expr, span: self.span_from(start) })
    }

    pub(super) fn table_constraint(&mut self) -> Result<TableConstraint> {
        let start = self.span();
        let name = self.constraint_name()?;
        let kind = self.constraint_kind()?;
        let columns = self.paren_list(Self::ident)?;
        self.finish_constraint(start, name, kind, columns)
    }

    fn constraint_name(&mut self) -> Result<Option<Ident>> {
        if self.eat("CONSTRAINT") { self.ident().map(Some) } else { Ok(None) }
    }

    fn constraint_kind(&mut self) -> Result<ConstraintKind> {
        if self.eat("UNIQUE") {
            return Ok(ConstraintKind::Unique);
        }
        self.expect_all(&["PRIMARY", "KEY"])?;
        Ok(ConstraintKind::PrimaryKey)
    }

    fn finish_constraint(
        &mut self,
        start: Span,
        name: Option<Ident>,
        kind: ConstraintKind,
        columns: Vec<Ident>,
    ) -> Result<TableConstraint> {
        let enforced = if self.eat_all(&["NOT", "ENFORCED"]) {
            Some(false)
        } else if self.eat("ENFORCED") {
            Some(true)
        } else {
            None
        };
        Ok(TableConstraint { name, kind, columns, enforced, span: self.span_from(start) })
    }

    pub(super) fn column_def(&mut self) -> Result<ColumnDef> {
        let start = self.span();
        let name = self.ident()?;
        let kind = self.column_kind()?;
        let comment = self.optional_comment()?;
        Ok(ColumnDef { name, kind, comment, span: self.span_from(start) })
    }

    fn column_kind(&mut self) -> Result<ColumnKind> {
        if self.eat("AS") {
            return self.expr().map(ColumnKind::Computed);
        }
        if self.at_punct(Punct::Comma) || self.at_punct(Punct::RightParen) {
            return Ok(ColumnKind::NameOnly);
        }
        let data_type = self.data_type()?;
        if self.eat("METADATA") {
            return self.metadata_column(data_type);
        }
        let constraint = if self.at_table_constraint() {
            Some(self.column_constraint()?)
        } else {
            self.note_expected("PRIMARY");
            None
        };
        Ok(ColumnKind::Physical { data_type, constraint })
    }

    fn metadata_column(&mut self, data_type: DataType) -> Result<ColumnKind> {
        let key = if self.eat("FROM") { Some(self.string_literal()?) } else { None };
        let is_virtual = self.eat("VIRTUAL");
        Ok(ColumnKind::Metadata { data_type, key, is_virtual })
    }

    fn column_constraint(&mut self) -> Result<TableConstraint> {
        let start = self.span();
        let name = self.constraint_name()?;
        let kind = self.constraint_kind()?;
        self.finish_constraint(start, name, kind, Vec::new())
    }

    /// `DISTRIBUTED …` of `CREATE TABLE` if it is there.
    pub(super) fn optional_distribution(&mut self) -> Result<Option<Distribution>> {
        let start = self.span();
        if self.eat("DISTRIBUTED") { self.distribution(start).map(Some) } else { Ok(None) }
    }

    /// Behind `DISTRIBUTED` or, in `ALTER TABLE`, `DISTRIBUTION`.
    pub(super) fn distribution(&mut self, start: Span) -> Result<Distribution> {
        let mut kind = None;
        let mut columns = Vec::new();
        let has_columns = self.eat("BY");
        if has_columns {
            kind = self.eat_any(&["HASH", "RANGE"]).map(distribution_kind);
            columns = self.paren_list(Self::ident)?;
        }
        let has_buckets = if has_columns {
            self.eat("INTO")
        } else {
            self.expect("INTO")?;
            true
        };
        let buckets = if has_buckets {
            let count = self.unsigned()?;
            self.expect("BUCKETS")?;
            Some(count)
        } else {
            None
        };
        Ok(Distribution { kind, columns, buckets, span: self.span_from(start) })
    }

    /// `PARTITIONED BY (a, b)` if it is there.
    pub(super) fn optional_partitioned_by(&mut self) -> Result<Vec<Ident>> {
        if !self.eat("PARTITIONED") {
            return Ok(Vec::new());
        }
        self.expect("BY")?;
        self.paren_list_or_empty(Self::ident)
    }
}

fn distribution_kind(word: &str) -> DistributionKind {
    match word {
        "HASH" => DistributionKind::Hash,
        _ => DistributionKind::Range,
    }
}
