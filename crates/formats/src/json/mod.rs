//! JSON lines, with the conventions of Flink's `json` format.

mod cursor;
mod decoder;
mod encoder;
mod keys;
pub mod options;
mod text;
mod value;

#[cfg(test)]
mod tests;

pub use decoder::JsonDecoder;
pub(crate) use decoder::on_one_line;
pub use encoder::JsonEncoder;
pub use options::{DecodeOptions, EncodeOptions};

/// A text as a JSON string, with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = vec![];
    text::quote(text.as_bytes(), &mut out);
    String::from_utf8_lossy(&out).into_owned()
}
