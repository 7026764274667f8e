//! From names to a table of a manifest. What does not match is answered with what there is.

use headwater_checkpoint::Manifest;
use headwater_checkpoint::manifest::{OperatorState, TableState};
use headwater_types::{Error, Result};

/// The operator and table that the options name.
pub(crate) fn find<'a>(
    manifest: &'a Manifest,
    path: &str,
    operator: Option<&str>,
    state: Option<&str>,
) -> Result<(&'a OperatorState, &'a TableState)> {
    let keyed: Vec<&OperatorState> = manifest.operators.iter().filter(|o| !o.tables.is_empty()).collect();
    if keyed.is_empty() {
        return Err(Error::user("no-keyed-state", format!("'{path}' holds no keyed state")));
    }
    let operator = find_operator(&keyed, path, operator)?;
    Ok((operator, find_table(operator, state)?))
}

fn find_operator<'a>(keyed: &[&'a OperatorState], path: &str, wanted: Option<&str>) -> Result<&'a OperatorState> {
    let Some(wanted) = wanted else {
        return match keyed {
            [only] => Ok(only),
            several => {
                let message = format!("'{path}' holds state of several operators, so the option 'operator' is needed");
                Err(Error::user("missing-option", format!("{message}: {}", operators(several))))
            }
        };
    };
    if let Some(exact) = keyed.iter().find(|o| o.key == wanted) {
        return Ok(exact);
    }
    let matching: Vec<&OperatorState> =
        keyed.iter().copied().filter(|o| o.name == wanted || o.key.starts_with(wanted)).collect();
    match matching.as_slice() {
        [only] => Ok(only),
        [] => {
            let message = format!("'{path}' holds no keyed state of an operator '{wanted}'; it has");
            Err(Error::user("unknown-operator", format!("{message}: {}", operators(keyed))))
        }
        several => {
            let message = format!("'{wanted}' is the beginning of several operators of '{path}'");
            Err(Error::user("ambiguous-operator", format!("{message}: {}", operators(several))))
        }
    }
}

fn find_table<'a>(operator: &'a OperatorState, wanted: Option<&str>) -> Result<&'a TableState> {
    let names: Vec<String> = operator.tables.iter().map(|t| format!("'{}'", t.descriptor.name)).collect();
    let names = names.join(", ");
    match wanted {
        None => match operator.tables.as_slice() {
            [only] => Ok(only),
            _ => {
                let message = format!(
                    "the operator '{}' has several tables, so the option 'state' is needed: {names}",
                    operator.key
                );
                Err(Error::user("missing-option", message))
            }
        },
        Some(wanted) => operator.tables.iter().find(|t| t.descriptor.name == wanted).ok_or_else(|| {
            let message = format!("the operator '{}' has no state '{wanted}'; it has {names}", operator.key);
            Error::user("unknown-state", message)
        }),
    }
}

fn operators(operators: &[&OperatorState]) -> String {
    operators.iter().map(|o| format!("'{}'", o.key)).collect::<Vec<_>>().join(", ")
}
