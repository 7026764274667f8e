//! The versioned encoding of job graphs: a header line with magic and version, then JSON.
//!
//! ```text
//! HEADWATER-PLAN <version>\n
//! { "name": ..., "vertices": [...], ... }
//! ```
//!
//! JSON is chosen over a binary encoding because plans are small, rarely sent, and worth reading when
//! something goes wrong. A plan of an unknown version is refused, never guessed.

use crate::JobGraph;
use headwater_types::{Error, ErrorKind, Result};

/// Version written by [`encode`].
pub const VERSION: u32 = 1;

const MAGIC: &str = "HEADWATER-PLAN";

/// Encodes a job graph.
pub fn encode(graph: &JobGraph) -> Result<Vec<u8>> {
    let mut bytes = format!("{MAGIC} {VERSION}\n").into_bytes();
    serde_json::to_writer(&mut bytes, graph)
        .map_err(|e| Error::internal("a job graph could not be encoded").with_source(e))?;
    Ok(bytes)
}

/// Decodes what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<JobGraph> {
    let corrupt = |what: &str| Error::new(ErrorKind::Corruption, "bad-plan", format!("not a Headwater plan: {what}"));
    let newline = bytes.iter().position(|b| *b == b'\n').ok_or_else(|| corrupt("the header line is missing"))?;
    let header = std::str::from_utf8(&bytes[..newline]).map_err(|_| corrupt("the header is not text"))?;
    let version = header.strip_prefix(MAGIC).map(str::trim).ok_or_else(|| corrupt("the header has another magic"))?;
    if version != VERSION.to_string() {
        let message = format!("plan version {version} cannot be read by this build, which reads version {VERSION}");
        return Err(Error::user("plan-version", message));
    }
    serde_json::from_slice(&bytes[newline + 1..]).map_err(|e| corrupt(&e.to_string()))
}
