//! Compression by file extension.

use std::io::{BufReader, Read, Result};
use std::path::Path;

/// A known compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Deflate,
}

impl Compression {
    /// The compression that the extension of a path names.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "gz" | "gzip" => Self::Gzip,
            "bz2" => Self::Bzip2,
            "xz" => Self::Xz,
            "zst" | "zstd" => Self::Zstd,
            "deflate" => Self::Deflate,
            _ => return None,
        })
    }

    /// The decompressed content of a file; all members of a file of several.
    pub(super) fn reader(self, file: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file))),
            Self::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(file)),
            Self::Xz => Box::new(liblzma::read::XzDecoder::new_multi_decoder(file)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
            Self::Deflate => Box::new(flate2::read::ZlibDecoder::new(file)),
        })
    }
}

/// Whether ranges of the file can be read on their own.
pub(super) fn is_uncompressed(path: &Path) -> bool {
    Compression::of(path).is_none()
}
