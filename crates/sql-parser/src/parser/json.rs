//! The SQL/JSON functions.

use super::Result;
use super::cursor::Parser;
use crate::ast::{
    DataType, Expr, JsonExistsBehavior, JsonMember, JsonNullClause, JsonQueryBehavior, JsonValueBehavior, JsonWrapper,
    SpecialFunction,
};
use crate::lexer::Punct;

/// What an empty result and an error give.
type Behaviors<T> = (Option<T>, Option<T>);

impl Parser<'_> {
    /// A SQL/JSON call, if the keyword names one with syntax of its own.
    pub(super) fn json_call(&mut self, keyword: &'static str) -> Result<Option<SpecialFunction>> {
        Ok(Some(match keyword {
            "JSON_EXISTS" => self.json_exists()?,
            "JSON_VALUE" => self.json_value()?,
            "JSON_QUERY" => self.json_query()?,
            "JSON_OBJECT" => self.json_object()?,
            "JSON_ARRAY" => self.json_array()?,
            "JSON_OBJECTAGG" => self.json_object_agg()?,
            "JSON_ARRAYAGG" => self.json_array_agg()?,
            _ => return Ok(None),
        }))
    }

    fn json_exists(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let (input, path) = parser.json_input_and_path()?;
            let on_error = match parser.eat_any(&["TRUE", "FALSE", "UNKNOWN", "ERROR"]) {
                None => None,
                Some(word) => {
                    parser.expect_all(&["ON", "ERROR"])?;
                    Some(exists_behavior(word))
                }
            };
            Ok(SpecialFunction::JsonExists { input, path, on_error })
        })
    }

    fn json_value(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let (input, path) = parser.json_input_and_path()?;
            let returning = parser.json_returning()?;
            let (on_empty, on_error) = parser.json_behaviors(Self::json_value_behavior)?;
            Ok(SpecialFunction::JsonValue { input, path, returning, on_empty, on_error })
        })
    }

    fn json_query(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let (input, path) = parser.json_input_and_path()?;
            let returning = parser.json_returning()?;
            let wrapper = parser.json_wrapper()?;
            let (on_empty, on_error) = parser.json_behaviors(Self::json_query_behavior)?;
            Ok(SpecialFunction::JsonQuery { input, path, returning, wrapper, on_empty, on_error })
        })
    }

    fn json_input_and_path(&mut self) -> Result<(Expr, Expr)> {
        let input = self.expr()?;
        self.eat_all(&["FORMAT", "JSON"]);
        self.expect_punct(Punct::Comma)?;
        let path = self.expr()?;
        Ok((input, path))
    }

    fn json_returning(&mut self) -> Result<Option<DataType>> {
        if self.eat("RETURNING") { self.data_type().map(Some) } else { Ok(None) }
    }

    /// `behavior ON EMPTY` and `behavior ON ERROR`, in any order; a repeated one replaces the
    /// former.
    fn json_behaviors<T>(&mut self, mut behavior: impl FnMut(&mut Self) -> Result<Option<T>>) -> Result<Behaviors<T>> {
        let (mut on_empty, mut on_error) = (None, None);
        while let Some(value) = behavior(self)? {
            self.expect("ON")?;
            match self.expect_any(&["EMPTY", "ERROR"])? {
                "EMPTY" => on_empty = Some(value),
                _ => on_error = Some(value),
            }
        }
        Ok((on_empty, on_error))
    }

    fn json_value_behavior(&mut self) -> Result<Option<JsonValueBehavior>> {
        Ok(match self.eat_any(&["ERROR", "NULL", "DEFAULT"]) {
            None => None,
            Some("ERROR") => Some(JsonValueBehavior::Error),
            Some("NULL") => Some(JsonValueBehavior::Null),
            Some(_) => Some(JsonValueBehavior::Default(Box::new(self.expr()?))),
        })
    }

    fn json_query_behavior(&mut self) -> Result<Option<JsonQueryBehavior>> {
        Ok(match self.eat_any(&["ERROR", "NULL", "EMPTY"]) {
            None => None,
            Some("ERROR") => Some(JsonQueryBehavior::Error),
            Some("NULL") => Some(JsonQueryBehavior::Null),
            Some(_) => match self.expect_any(&["ARRAY", "OBJECT"])? {
                "ARRAY" => Some(JsonQueryBehavior::EmptyArray),
                _ => Some(JsonQueryBehavior::EmptyObject),
            },
        })
    }

    fn json_wrapper(&mut self) -> Result<Option<JsonWrapper>> {
        let wrapper = if self.eat("WITHOUT") {
            JsonWrapper::Without
        } else if self.eat("WITH") {
            match self.eat_any(&["CONDITIONAL", "UNCONDITIONAL"]) {
                Some("CONDITIONAL") => JsonWrapper::Conditional,
                _ => JsonWrapper::Unconditional,
            }
        } else {
            return Ok(None);
        };
        self.eat("ARRAY");
        self.expect("WRAPPER")?;
        Ok(Some(wrapper))
    }

    fn json_object(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let is_empty = parser.at_punct(Punct::RightParen) || parser.at_json_null_clause();
            let members = if is_empty { Vec::new() } else { parser.comma_list(Self::json_member)? };
            let on_null = parser.json_null_clause()?;
            Ok(SpecialFunction::JsonObject { members, on_null })
        })
    }

    fn json_array(&mut self) -> Result<SpecialFunction> {
        self.advance();
        self.parens(|parser| {
            let is_empty = parser.at_punct(Punct::RightParen) || parser.at_json_null_clause();
            let elements = if is_empty { Vec::new() } else { parser.comma_list(Self::json_element)? };
            let on_null = parser.json_null_clause()?;
            Ok(SpecialFunction::JsonArray { elements, on_null })
        })
    }

    fn json_element(&mut self) -> Result<Expr> {
        let element = self.expr()?;
        self.eat_all(&["FORMAT", "JSON"]);
        Ok(element)
    }

    fn json_object_agg(&mut self) -> Result<SpecialFunction> {
        self.advance();
        let (member, on_null) = self.parens(|parser| {
            let member = parser.json_member()?;
            Ok((member, parser.json_null_clause()?))
        })?;
        let filter = self.optional_filter()?;
        Ok(SpecialFunction::JsonObjectAgg { member, on_null, filter })
    }

    fn json_array_agg(&mut self) -> Result<SpecialFunction> {
        self.advance();
        let (value, order_by, on_null) = self.parens(|parser| {
            let value = parser.json_element()?;
            let order_by = parser.optional_order_by()?;
            Ok((value, order_by, parser.json_null_clause()?))
        })?;
        let filter = self.optional_filter()?;
        Ok(SpecialFunction::JsonArrayAgg { value, order_by, on_null, filter })
    }

    /// `[KEY] key VALUE value` or `key : value`.
    fn json_member(&mut self) -> Result<JsonMember> {
        let names_a_column = self.is_keyword(1, "VALUE") || self.is_punct(1, Punct::Colon);
        if self.at("KEY") && !names_a_column {
            self.advance();
        }
        let key = self.expr()?;
        if !self.eat_punct(Punct::Colon) {
            self.expect("VALUE")?;
        }
        let value = self.json_element()?;
        Ok(JsonMember { key, value })
    }

    fn at_json_null_clause(&self) -> bool {
        (self.at("NULL") || self.at("ABSENT")) && self.is_keyword(1, "ON")
    }

    fn json_null_clause(&mut self) -> Result<Option<JsonNullClause>> {
        let clause = match self.eat_any(&["NULL", "ABSENT"]) {
            None => return Ok(None),
            Some("NULL") => JsonNullClause::Null,
            Some(_) => JsonNullClause::Absent,
        };
        self.expect_all(&["ON", "NULL"])?;
        Ok(Some(clause))
    }
}

fn exists_behavior(word: &str) -> JsonExistsBehavior {
    match word {
        "TRUE" => JsonExistsBehavior::True,
        "FALSE" => JsonExistsBehavior::False,
        "UNKNOWN" => JsonExistsBehavior::Unknown,
        _ => JsonExistsBehavior::Error,
    }
}
