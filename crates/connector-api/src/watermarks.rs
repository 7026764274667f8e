//! `scan.watermark.*`: how the watermarks of one table are made, where not as the configuration says.
//!
//! They are options of every table that is read, whatever its connector, and may stand in an `OPTIONS` hint.

use crate::{OptionSpec, Options};
use headwater_types::{Error, Result};
use std::time::Duration;

const STRATEGY: &str = "scan.watermark.emit.strategy";
const GAP: &str = "scan.watermark.emit.on-event.gap";
const IDLE_TIMEOUT: &str = "scan.watermark.idle-timeout";
const ALIGNMENT: &str = "scan.watermark.alignment.";

/// The options, for help and errors.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default(STRATEGY, "on-periodic", "When watermarks are emitted: on-periodic or on-event."),
    OptionSpec::with_default(GAP, "1", "Rows between two watermarks with on-event; only 1 is supported."),
    OptionSpec::optional(IDLE_TIMEOUT, "Time without rows after which watermarks of others need not wait."),
];

/// Whether an option is one of these.
pub(crate) fn is_option(name: &str) -> bool {
    OPTIONS.iter().any(|option| option.name == name) || name.starts_with(ALIGNMENT)
}

/// What a table says about its watermarks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WatermarkOptions {
    /// Whether every row may raise the watermark at once.
    pub on_event: bool,
    /// After how long without rows it is idle; `None` for as long as the configuration says.
    pub idle_timeout: Option<Duration>,
}

impl WatermarkOptions {
    /// Reads the options of a table.
    ///
    /// # Errors
    /// When a value is not one, or what it asks for is not supported.
    pub fn from_options(options: Options<'_>) -> Result<Self> {
        if let Some(name) = options.0.keys().find(|name| name.starts_with(ALIGNMENT)) {
            let message =
                format!("the alignment of watermarks, which the option '{name}' asks for, is not supported yet");
            return Err(Error::unsupported(message));
        }
        if options.integer(GAP)?.is_some_and(|gap| gap != 1) {
            let message =
                format!("the option '{GAP}' is not supported yet but as 1: every row may raise the watermark");
            return Err(Error::unsupported(message));
        }
        let on_event = options.choice(STRATEGY, false, &[("on-periodic", false), ("on-event", true)])?;
        Ok(Self { on_event, idle_timeout: options.duration(IDLE_TIMEOUT)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_what_is_not_there_is_refused() {
        let read = |pairs: &[(&str, &str)]| {
            let options = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            WatermarkOptions::from_options(Options(&options)).map_err(|error| error.to_string())
        };
        let second = Some(Duration::from_secs(1));
        assert_eq!(read(&[]), Ok(WatermarkOptions::default()));
        assert_eq!(
            read(&[(STRATEGY, "on-event"), (IDLE_TIMEOUT, "1 s"), (GAP, "1")]),
            Ok(WatermarkOptions { on_event: true, idle_timeout: second })
        );
        for (pair, expected) in [
            ((STRATEGY, "sometimes"), "expected one of on-periodic, on-event"),
            ((IDLE_TIMEOUT, "soon"), "expected a duration"),
            ((GAP, "5"), "is not supported yet"),
            (
                ("scan.watermark.alignment.group", "g"),
                "'scan.watermark.alignment.group' asks for, is not supported yet",
            ),
        ] {
            let error = read(&[pair]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
