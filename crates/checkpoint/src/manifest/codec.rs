//! Manifests to bytes and back, with every way they can be broken told apart.

use super::{Manifest, checksum};
use headwater_types::{Error, ErrorKind, Result};

/// Version of the format that this build writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: &str = "headwater-checkpoint ";
const TRAILER: &str = "xxh3:";
/// The trailer's line: `xxh3:`, 16 digits, a line feed.
const TRAILER_BYTES: usize = 22;

/// The bytes of a manifest's file.
///
/// # Errors
/// Never for manifests that were assembled or decoded.
pub fn encode(manifest: &Manifest) -> Result<Vec<u8>> {
    let mut bytes = format!("{MAGIC}{FORMAT_VERSION}\n").into_bytes();
    serde_json::to_writer(&mut bytes, manifest)
        .map_err(|e| Error::internal("a checkpoint's manifest cannot be written as JSON").with_source(e))?;
    bytes.push(b'\n');
    let sum = checksum(&bytes);
    bytes.extend_from_slice(format!("{TRAILER}{sum:016x}\n").as_bytes());
    Ok(bytes)
}

/// The manifest in the bytes of the file `name`.
///
/// # Errors
/// `Corruption` when the file is not a manifest, is cut short or changed; `User` when a newer version wrote it.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Manifest> {
    let Some(rest) = bytes.strip_prefix(MAGIC.as_bytes()) else {
        return Err(corrupt(name, "it does not start like a checkpoint's manifest"));
    };
    // A later version may end in another way, or sum up another.
    refuse_later_version(name, rest)?;
    let (body, trailer) = bytes.split_at(bytes.len().saturating_sub(TRAILER_BYTES));
    let stored = trailer_checksum(trailer).ok_or_else(|| corrupt(name, "it is cut short: its checksum is missing"))?;
    if stored != checksum(body) {
        return Err(corrupt(name, "its checksum does not match its content"));
    }
    let line_end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    if version(&rest[..line_end]) != Some(FORMAT_VERSION) {
        return Err(corrupt(name, "its format version is not one that there was"));
    }
    let json = &body[(MAGIC.len() + line_end + 1).min(body.len())..];
    serde_json::from_slice(json).map_err(|e| corrupt(name, "its content is not understood").with_source(e))
}

fn trailer_checksum(trailer: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(trailer).ok()?.strip_prefix(TRAILER)?.strip_suffix('\n')?;
    u64::from_str_radix(text, 16).ok()
}

fn version(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok())
}

/// Judges the version by the first line alone, if that is whole.
fn refuse_later_version(name: &str, rest: &[u8]) -> Result<()> {
    let line = rest.iter().position(|b| *b == b'\n').map(|end| &rest[..end]);
    let Some(version) = line.and_then(version).filter(|version| *version > FORMAT_VERSION) else { return Ok(()) };
    Err(Error::user(
        "checkpoint-version",
        format!(
            "'{name}' has format version {version}, and this version of Headwater reads up to {FORMAT_VERSION}: \
             use the version that wrote it, or a newer one"
        ),
    ))
}

fn corrupt(name: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::Corruption,
        "checkpoint-corrupt",
        format!("the checkpoint manifest '{name}' is unusable: {why}"),
    )
}

#[cfg(test)]
mod tests;
