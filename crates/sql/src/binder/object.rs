//! OBJECT_OF and OBJECT_UPDATE. There are no classes here: an object is a row whose fields are its attributes.

use super::context::ExprEnv;
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::Function;
use headwater_types::{LogicalType, RowField, TypeRoot};

impl Binder<'_> {
    /// `OBJECT_OF(className, key, value, ..)`.
    pub(super) fn object_of(&self, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let mut args = self.object_args("OBJECT_OF", call, env)?.into_iter();
        let class = args.next().and_then(|class| class.literal);
        if !matches!(class, Some(Value::String(_))) {
            let message = "The first argument must be a non-nullable character string literal representing the class \
                           name.";
            return Err(SqlError::at("bad-function-call", message, call.span));
        }
        let attributes = attributes(args, call.span)?;
        self.object(attributes, call.span)
    }

    /// `OBJECT_UPDATE(object, key, value, ..)`: NULL stays NULL.
    pub(super) fn object_update(&self, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let mut args = self.object_args("OBJECT_UPDATE", call, env)?.into_iter();
        let object = args.next().filter(|object| object.ty.row_fields().is_some()).ok_or_else(|| {
            SqlError::at("bad-function-call", "the first argument of OBJECT_UPDATE is an object", call.span)
        })?;
        let fields = object.ty.row_fields().unwrap_or_default().to_vec();
        // Where the object is NULL its fields are not used, so they keep their types.
        let kept = |(i, field): (usize, &RowField)| {
            (field.name.clone(), Typed { ty: field.ty.clone(), ..self.field_at(object.clone(), i) })
        };
        let mut updated: Vec<(String, Typed)> = fields.iter().enumerate().map(kept).collect();
        for (name, value) in attributes(args, call.span)? {
            let Some(field) = updated.iter_mut().find(|(known, _)| *known == name) else {
                let known = fields.iter().map(|field| field.name.as_str());
                return Err(SqlError::unknown("unknown-field", "attribute", &name, Some(call.span), known));
            };
            field.1 = value;
        }
        let is_null = self.call("IS NULL", vec![object], call.span)?;
        let changed = self.object(updated, call.span)?;
        self.call("IF", vec![is_null, self.null_of(TypeRoot::Null)?, changed], call.span)
    }

    fn object_args(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<Vec<Typed>> {
        if call.args.len().is_multiple_of(2) {
            let message = format!("{name} takes one argument and then keys and values in turn");
            return Err(SqlError::at("bad-function-call", message, call.span));
        }
        call.args.iter().map(|arg| self.scalar_arg(name, arg, env)).collect()
    }

    fn object(&self, attributes: Vec<(String, Typed)>, span: Span) -> SqlResult<Typed> {
        let fields = attributes.iter().map(|(name, value)| RowField::new(name.clone(), value.ty.clone())).collect();
        let ty = LogicalType::from(TypeRoot::Row(fields));
        let row = self.call("ROW", attributes.into_iter().map(|(_, value)| value).collect(), span)?;
        // An object may be NULL for all that its type says.
        Ok(self.try_cast(row, &ty))
    }
}

/// Keys, which are literals and differ, with their values.
fn attributes(args: impl Iterator<Item = Typed>, span: Span) -> SqlResult<Vec<(String, Typed)>> {
    let mut attributes: Vec<(String, Typed)> = vec![];
    let mut args = args;
    while let (Some(key), Some(value)) = (args.next(), args.next()) {
        let Some(Value::String(name)) = key.literal else {
            let message = "the keys of an object are string literals";
            return Err(SqlError::at("bad-function-call", message, span));
        };
        if attributes.iter().any(|(known, _)| *known == name) {
            let message = format!("the key '{name}' of an object appears twice");
            return Err(SqlError::at("bad-function-call", message, span));
        }
        attributes.push((name, value));
    }
    Ok(attributes)
}
