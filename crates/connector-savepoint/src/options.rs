//! The options of a table: which savepoint, which operator, which state. Flink's names are understood as well.

use headwater_connector_api::{OptionSpec, Options};
use headwater_plan::TableSpec;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};

pub(crate) const NAME: &str = "savepoint";

const PATH: [&str; 2] = ["path", "state.path"];
const OPERATOR: [&str; 2] = ["operator", "operator.uid"];
const STATE: &str = "state";

pub(crate) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::optional("path", "Directory of a savepoint or checkpoint, or one above: then the newest is read."),
    OptionSpec::optional("state.path", "The same, by Flink's name."),
    OptionSpec::optional("operator", "Uid of the operator, the beginning of exactly one, or its display name."),
    OptionSpec::optional("operator.uid", "The same, by Flink's name."),
    OptionSpec::optional("state", "Name of the state table; needed when the operator has several."),
    OptionSpec::optional("state.backend.type", "Accepted as in Flink: state is stored the same way by every engine."),
];

/// Options whose names are free: `fields.<column>.state-name` of Flink, and the storage's.
const FAMILIES: &[&str] = &["fields.", "s3."];

/// What a table asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) path: String,
    pub(crate) operator: Option<String>,
    pub(crate) state: Option<String>,
    /// What the storage is opened with.
    pub(crate) config: Configuration,
}

impl Wanted {
    /// Reads the options. Those of the storage stand over `config`.
    pub(crate) fn of(table: &TableSpec, config: &Configuration) -> Result<Self> {
        let options = Options(&table.options);
        options.validate(NAME, OPTIONS, FAMILIES)?;
        let mut config = config.clone();
        for (key, value) in table.options.iter().filter(|(key, _)| key.starts_with("s3.")) {
            config.set(key, value);
        }
        let path = either(options, PATH)?.ok_or_else(|| {
            let message = format!(
                "the {NAME} connector needs the option '{}': the directory of a savepoint or checkpoint",
                PATH[0]
            );
            Error::user("missing-option", message)
        })?;
        Ok(Self { path, operator: either(options, OPERATOR)?, state: state(options, table)?, config })
    }
}

/// An option under one of two names.
fn either(options: Options<'_>, names: [&str; 2]) -> Result<Option<String>> {
    match names.map(|name| options.get(name)) {
        [Some(own), Some(other)] if own != other => Err(Error::user(
            "bad-option-value",
            format!("'{}' and '{}' are the same option: set one", names[0], names[1]),
        )),
        [own, other] => Ok(own.or(other).map(str::to_owned)),
    }
}

/// The state's name: of the table, or of its columns as in Flink, where all must be of one state.
fn state(options: Options<'_>, table: &TableSpec) -> Result<Option<String>> {
    let of_columns = table.options.iter().filter(|(key, _)| key.starts_with("fields.") && key.ends_with(".state-name"));
    let mut names: Vec<&str> = of_columns.map(|(_, name)| name.as_str()).chain(options.get(STATE)).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => Ok(None),
        [name] => Ok(Some((*name).to_owned())),
        several => Err(Error::user(
            "bad-option-value",
            format!(
                "a table shows one state, and its options name several: {}; declare one table for each",
                several.join(", ")
            ),
        )),
    }
}
