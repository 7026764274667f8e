//! `ALTER`.

use super::Result;
use super::cursor::Parser;
use crate::ast::{
    Alter, AlterMaterializedTableAction, AlterOptions, AlterTableAction, ColumnPosition, NewPartition, ObjectKind,
    ObjectScope, SchemaElement, Statement,
};
use crate::lexer::Punct;

impl Parser<'_> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        self.expect("ALTER")?;
        let scope = self.object_scope();
        let alter = match self.object_kind()? {
            ObjectKind::Table => self.alter_table()?,
            ObjectKind::MaterializedTable => self.alter_materialized_table()?,
            ObjectKind::View => self.alter_view()?,
            ObjectKind::Database => self.alter_database()?,
            ObjectKind::Catalog => self.alter_catalog()?,
            ObjectKind::Function => self.alter_function(scope)?,
            kind => self.alter_options(kind)?,
        };
        Ok(Statement::Alter(Box::new(alter)))
    }

    fn alter_table(&mut self) -> Result<Alter> {
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let action = self.alter_table_action()?;
        Ok(Alter::Table { if_exists, name, action })
    }

    fn alter_table_action(&mut self) -> Result<AlterTableAction> {
        match self.expect_any(&["ADD", "MODIFY", "DROP", "RENAME", "SET", "RESET"])? {
            "ADD" => self.alter_add(),
            "MODIFY" => self.schema_elements().map(AlterTableAction::Modify),
            "DROP" => self.alter_drop(),
            "RENAME" => self.alter_rename(),
            "SET" => self.options().map(AlterTableAction::SetOptions),
            _ => self.option_keys().map(AlterTableAction::ResetOptions),
        }
    }

    fn alter_rename(&mut self) -> Result<AlterTableAction> {
        if self.eat("TO") {
            return self.object_name().map(AlterTableAction::Rename);
        }
        let from = self.object_name()?;
        self.expect("TO")?;
        let to = self.ident()?;
        Ok(AlterTableAction::RenameColumn { from, to })
    }

    fn alter_add(&mut self) -> Result<AlterTableAction> {
        let if_not_exists = self.if_not_exists();
        if !if_not_exists && !self.at("PARTITION") {
            return self.schema_elements().map(AlterTableAction::Add);
        }
        let mut partitions = Vec::new();
        while partitions.is_empty() || self.at("PARTITION") {
            partitions.push(NewPartition { spec: self.partition()?, options: self.optional_with_options()? });
        }
        Ok(AlterTableAction::AddPartitions { if_not_exists, partitions })
    }

    fn alter_drop(&mut self) -> Result<AlterTableAction> {
        let if_exists = self.if_exists();
        if if_exists || self.at("PARTITION") {
            let partitions = self.comma_list(Self::partition)?;
            return Ok(AlterTableAction::DropPartitions { if_exists, partitions });
        }
        if self.eat("PRIMARY") {
            self.expect("KEY")?;
            return Ok(AlterTableAction::DropPrimaryKey);
        }
        if self.eat("CONSTRAINT") {
            return self.ident().map(AlterTableAction::DropConstraint);
        }
        if self.eat("WATERMARK") {
            return Ok(AlterTableAction::DropWatermark);
        }
        if self.eat("DISTRIBUTION") {
            return Ok(AlterTableAction::DropDistribution);
        }
        let columns = if self.at_punct(Punct::LeftParen) {
            self.paren_list(Self::object_name)?
        } else {
            vec![self.object_name()?]
        };
        Ok(AlterTableAction::DropColumns(columns))
    }

    /// `element` or `(element, …)`.
    fn schema_elements(&mut self) -> Result<Vec<SchemaElement>> {
        if self.at_punct(Punct::LeftParen) {
            self.paren_list(Self::alter_element)
        } else {
            Ok(vec![self.alter_element()?])
        }
    }

    fn alter_element(&mut self) -> Result<SchemaElement> {
        if self.at("WATERMARK") {
            return self.watermark().map(SchemaElement::Watermark);
        }
        if self.at_table_constraint() {
            return self.table_constraint().map(SchemaElement::Constraint);
        }
        let start = self.span();
        let is_distribution = self.is_keyword(1, "BY") || self.is_keyword(1, "INTO");
        if is_distribution && self.eat_any(&["DISTRIBUTION", "DISTRIBUTED"]).is_some() {
            return self.distribution(start).map(SchemaElement::Distribution);
        }
        let column = self.column_def()?;
        let position = if self.eat("FIRST") {
            Some(ColumnPosition::First)
        } else if self.eat("AFTER") {
            Some(ColumnPosition::After(self.object_name()?))
        } else {
            None
        };
        Ok(SchemaElement::Column { column, position })
    }

    fn alter_materialized_table(&mut self) -> Result<Alter> {
        let name = self.object_name()?;
        let action = match self.eat_any(&["SUSPEND", "RESUME", "REFRESH", "AS"]) {
            Some("SUSPEND") => AlterMaterializedTableAction::Suspend,
            Some("RESUME") => AlterMaterializedTableAction::Resume(self.optional_with_options()?),
            Some("REFRESH") => AlterMaterializedTableAction::Refresh(self.optional_partition()?),
            Some(_) => AlterMaterializedTableAction::Query(Box::new(self.query()?)),
            None => AlterMaterializedTableAction::Table(self.alter_table_action()?),
        };
        Ok(Alter::MaterializedTable { name, action })
    }

    fn alter_view(&mut self) -> Result<Alter> {
        let name = self.object_name()?;
        if self.eat("RENAME") {
            self.expect("TO")?;
            let to = self.object_name()?;
            return Ok(Alter::RenameView { name, to });
        }
        self.expect("AS")?;
        let query = Box::new(self.query()?);
        Ok(Alter::ViewQuery { name, query })
    }

    fn alter_database(&mut self) -> Result<Alter> {
        let name = self.object_name()?;
        self.expect("SET")?;
        let options = self.options()?;
        Ok(Alter::Database { name, options })
    }

    fn alter_catalog(&mut self) -> Result<Alter> {
        let name = self.ident()?;
        let action = match self.expect_any(&["SET", "RESET", "COMMENT"])? {
            "SET" => AlterOptions::Set(self.options()?),
            "RESET" => AlterOptions::Reset(self.option_keys()?),
            _ => AlterOptions::Comment(self.string_literal()?),
        };
        Ok(Alter::Catalog { name, action })
    }

    fn alter_function(&mut self, scope: ObjectScope) -> Result<Alter> {
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        self.expect("AS")?;
        let identifier = self.string_literal()?;
        let language = self.function_language()?;
        Ok(Alter::Function { scope, if_exists, name, identifier, language })
    }

    /// Models and connections.
    fn alter_options(&mut self, kind: ObjectKind) -> Result<Alter> {
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let action = match self.expect_any(&["SET", "RESET", "RENAME"])? {
            "SET" => AlterOptions::Set(self.options()?),
            "RESET" => AlterOptions::Reset(self.option_keys()?),
            _ => {
                self.expect("TO")?;
                AlterOptions::Rename(self.object_name()?)
            }
        };
        Ok(match kind {
            ObjectKind::Model => Alter::Model { if_exists, name, action },
            _ => Alter::Connection { if_exists, name, action },
        })
    }
}
