//! `CREATE` of everything but tables.

use super::Result;
use super::cursor::Parser;
use crate::ast::{
    CreateCatalog, CreateConnection, CreateDatabase, CreateFunction, CreateMode, CreateModel, CreateView,
    FunctionLanguage, FunctionResource, ModelColumn, ObjectScope, Statement, ViewColumn,
};
use crate::lexer::Punct;

impl Parser<'_> {
    /// `CREATE …` and `REPLACE TABLE …`.
    pub(super) fn create(&mut self) -> Result<Statement> {
        if self.eat("REPLACE") {
            self.expect("TABLE")?;
            return self.create_table(CreateMode::Replace, false);
        }
        self.expect("CREATE")?;
        if self.eat_all(&["OR", "ALTER"]) {
            return self.create_materialized_table(true);
        }
        let mode = if self.eat_all(&["OR", "REPLACE"]) { CreateMode::CreateOrReplace } else { CreateMode::Create };
        let scope = self.object_scope();
        self.create_object(mode, scope)
    }

    /// `TEMPORARY [SYSTEM]` if it is there.
    pub(super) fn object_scope(&mut self) -> ObjectScope {
        if !self.eat("TEMPORARY") {
            ObjectScope::Permanent
        } else if self.eat("SYSTEM") {
            ObjectScope::TemporarySystem
        } else {
            ObjectScope::Temporary
        }
    }

    fn create_object(&mut self, mode: CreateMode, scope: ObjectScope) -> Result<Statement> {
        let temporary = scope == ObjectScope::Temporary;
        if self.at("MATERIALIZED") && scope == ObjectScope::Permanent {
            return self.create_materialized_table(false);
        }
        let kind = self.expect_any(&["TABLE", "VIEW", "FUNCTION", "DATABASE", "CATALOG", "MODEL", "CONNECTION"])?;
        match kind {
            "TABLE" => self.create_table(mode, temporary),
            "VIEW" => self.create_view(mode, temporary),
            "FUNCTION" => self.create_function(scope),
            "DATABASE" => self.create_database(),
            "CATALOG" => self.create_catalog(),
            "MODEL" => self.create_model(temporary),
            _ => self.create_connection(scope),
        }
    }

    fn create_view(&mut self, mode: CreateMode, temporary: bool) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let columns = if self.at_punct(Punct::LeftParen) { self.paren_list(Self::view_column)? } else { Vec::new() };
        let comment = self.optional_comment()?;
        self.expect("AS")?;
        let query = self.query()?;
        Ok(Statement::CreateView(Box::new(CreateView {
            mode,
            temporary,
            if_not_exists,
            name,
            columns,
            comment,
            query,
        })))
    }

    fn view_column(&mut self) -> Result<ViewColumn> {
        let name = self.ident()?;
        let comment = self.optional_comment()?;
        Ok(ViewColumn { name, comment })
    }

    fn create_function(&mut self, scope: ObjectScope) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        self.expect("AS")?;
        let identifier = self.string_literal()?;
        let language = self.function_language()?;
        let resources = if self.eat("USING") { self.comma_list(Self::function_resource)? } else { Vec::new() };
        let options = self.optional_with_options()?;
        Ok(Statement::CreateFunction(Box::new(CreateFunction {
            scope,
            if_not_exists,
            name,
            identifier,
            language,
            resources,
            options,
        })))
    }

    /// `LANGUAGE …` if it is there.
    pub(super) fn function_language(&mut self) -> Result<Option<FunctionLanguage>> {
        if !self.eat("LANGUAGE") {
            return Ok(None);
        }
        let language = match self.expect_any(&["JAVA", "SCALA", "PYTHON", "SQL"])? {
            "JAVA" => FunctionLanguage::Java,
            "SCALA" => FunctionLanguage::Scala,
            "PYTHON" => FunctionLanguage::Python,
            _ => FunctionLanguage::Sql,
        };
        Ok(Some(language))
    }

    fn function_resource(&mut self) -> Result<FunctionResource> {
        let is_artifact = self.expect_any(&["JAR", "ARTIFACT"])? == "ARTIFACT";
        let uri = self.string_literal()?;
        Ok(FunctionResource { is_artifact, uri })
    }

    fn create_database(&mut self) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let comment = self.optional_comment()?;
        let options = self.optional_with_options()?;
        Ok(Statement::CreateDatabase(Box::new(CreateDatabase { if_not_exists, name, comment, options })))
    }

    fn create_catalog(&mut self) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.ident()?;
        let comment = self.optional_comment()?;
        let options = self.optional_with_options()?;
        Ok(Statement::CreateCatalog(Box::new(CreateCatalog { if_not_exists, name, comment, options })))
    }

    fn create_model(&mut self, temporary: bool) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let inputs = self.model_columns("INPUT")?;
        let outputs = self.model_columns("OUTPUT")?;
        let comment = self.optional_comment()?;
        let options = self.optional_with_options()?;
        let query = if self.eat("AS") { Some(self.query()?) } else { None };
        Ok(Statement::CreateModel(Box::new(CreateModel {
            temporary,
            if_not_exists,
            name,
            inputs,
            outputs,
            comment,
            options,
            query,
        })))
    }

    fn model_columns(&mut self, keyword: &'static str) -> Result<Vec<ModelColumn>> {
        if !self.eat(keyword) {
            return Ok(Vec::new());
        }
        self.paren_list(|parser| {
            let name = parser.ident()?;
            let data_type = parser.data_type()?;
            let comment = parser.optional_comment()?;
            Ok(ModelColumn { name, data_type, comment })
        })
    }

    fn create_connection(&mut self, scope: ObjectScope) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.object_name()?;
        let comment = self.optional_comment()?;
        let options = self.optional_with_options()?;
        Ok(Statement::CreateConnection(Box::new(CreateConnection { scope, if_not_exists, name, comment, options })))
    }
}
