//! Decompression with a limit: a small body that would become a huge one is refused, not unpacked.

use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Why a body cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// An encoding other than gzip.
    #[error("content encoding '{0}' is not supported: use gzip or none")]
    Encoding(String),
    /// Larger than allowed.
    #[error("the body is larger than {0} bytes when unpacked")]
    TooLarge(u64),
    /// Not gzip.
    #[error("the body is not valid gzip: {0}")]
    Broken(String),
}

/// The body without its `Content-Encoding`.
///
/// # Errors
/// See [`UnpackError`].
pub fn unpack(body: Vec<u8>, encoding: Option<&str>, max: u64) -> Result<Vec<u8>, UnpackError> {
    match encoding.map(|e| e.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => Ok(body),
        Some("gzip" | "x-gzip") => {
            let mut unpacked = vec![];
            let mut reader = MultiGzDecoder::new(body.as_slice()).take(max + 1);
            reader.read_to_end(&mut unpacked).map_err(|e| UnpackError::Broken(e.to_string()))?;
            if unpacked.len() as u64 > max { Err(UnpackError::TooLarge(max)) } else { Ok(unpacked) }
        }
        Some(other) => Err(UnpackError::Encoding(other.chars().take(40).collect())),
    }
}
