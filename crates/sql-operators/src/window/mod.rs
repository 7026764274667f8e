//! What all window operators share: where windows lie ([`slice`]), which clock aligns them ([`clock`]).

pub(crate) mod assign;
#[cfg(test)]
mod checkpoint_tests;
pub(crate) mod clock;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod slice;
#[cfg(test)]
mod tests;

pub(crate) use clock::WallClock;
pub(crate) use slice::Slices;

use headwater_plan::operators::{WindowShape, WindowSpec};

/// The windows of a specification in words: state of aggregates in others makes no sense.
pub(crate) fn cut(spec: &WindowSpec) -> String {
    let shape = match spec.shape {
        WindowShape::Tumble { size_ms } => format!("TUMBLE({size_ms} ms"),
        WindowShape::Hop { slide_ms, size_ms } => format!("HOP({slide_ms} ms, {size_ms} ms"),
        WindowShape::Cumulate { step_ms, max_ms } => format!("CUMULATE({step_ms} ms, {max_ms} ms"),
        WindowShape::Session { gap_ms } => format!("SESSION({gap_ms} ms"),
    };
    let offset = match spec.offset_ms {
        0 => String::new(),
        offset_ms => format!(", offset {offset_ms} ms"),
    };
    let time = if spec.proctime { " by processing time" } else { "" };
    let zone = spec.zone.as_ref().map_or(String::new(), |zone| format!(" in {zone}"));
    format!("{shape}{offset}){time}{zone}")
}
