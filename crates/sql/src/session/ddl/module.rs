//! Modules: there is one, `core`, which can be unloaded and loaded again. Built-in functions stay callable without it.

use crate::session::{Rows, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{Ident, SqlOption};

/// The module of the built-in functions.
const CORE: &str = "core";

/// Which modules are loaded.
#[derive(Debug)]
pub(in crate::session) struct Modules {
    core: bool,
}

impl Default for Modules {
    fn default() -> Self {
        Self { core: true }
    }
}

impl Modules {
    /// LOAD MODULE: other modules would be code in Java.
    pub(in crate::session) fn load(&mut self, name: &Ident, options: &[SqlOption]) -> SqlResult<StatementResult> {
        if let Some(option) = options.iter().find(|option| option.key.value == "type") {
            let kind = &option.value.value;
            let message = format!("Option 'type' = '{kind}' is not supported since module name is used to find module");
            return Err(SqlError::at("reserved-option", message, option.span()));
        }
        if name.value != CORE {
            return Err(SqlError::unknown("unknown-module", "module", &name.value, Some(name.span), [CORE]));
        }
        if self.core {
            let message = format!("A module with name '{CORE}' already exists");
            return Err(SqlError::at("duplicate-module", message, name.span));
        }
        self.core = true;
        Ok(StatementResult::Ok)
    }

    /// UNLOAD MODULE.
    pub(in crate::session) fn unload(&mut self, name: &Ident) -> SqlResult<StatementResult> {
        self.check(name)?;
        self.core = false;
        Ok(StatementResult::Ok)
    }

    /// USE MODULES.
    pub(in crate::session) fn enable(&self, names: &[Ident]) -> SqlResult<StatementResult> {
        names.iter().try_for_each(|name| self.check(name))?;
        match names {
            [_, second, ..] => {
                let message = format!("Module '{CORE}' appears more than once");
                Err(SqlError::at("duplicate-module", message, second.span))
            }
            _ => Ok(StatementResult::Ok),
        }
    }

    /// SHOW MODULES; `full` says whether each is used.
    pub(in crate::session) fn show(&self, full: bool) -> Rows {
        let name = || Some(CORE.to_string());
        if !full {
            return Rows::list("module name", self.core.then_some(name()).flatten());
        }
        let rows = self.core.then(|| vec![name(), Some("TRUE".to_string())]);
        Rows::strings(&["module name", "used"], rows.into_iter().collect()).with_boolean(1)
    }

    fn check(&self, name: &Ident) -> SqlResult<()> {
        if self.core && name.value == CORE {
            return Ok(());
        }
        let message = format!("No module with name '{}' exists", name.value);
        let error = SqlError::at("unknown-module", message, name.span);
        Err(if self.core { error.with_hint(format!("the only module is '{CORE}'")) } else { error })
    }
}
