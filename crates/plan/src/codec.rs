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
use serde::Deserialize;

/// Version written by [`encode`].
pub const VERSION: u32 = 1;

/// Deepest nesting of objects and arrays in a plan. An operator of an expression takes about three, a nested type
/// about four: this is room for any statement the parser lets through, and what the stack of [`PLAN_STACK_BYTES`] holds.
pub const NESTING_MAX: usize = 2048;

/// Stack of a thread that decodes plans, builds operators from them or runs those: all recurse over expressions
/// and types.
pub const PLAN_STACK_BYTES: usize = 32 << 20;

const MAGIC: &str = "HEADWATER-PLAN";

/// Encodes a job graph.
pub fn encode(graph: &JobGraph) -> Result<Vec<u8>> {
    let mut bytes = format!("{MAGIC} {VERSION}\n").into_bytes();
    serde_json::to_writer(&mut bytes, graph)
        .map_err(|e| Error::internal("a job graph could not be encoded").with_source(e))?;
    if nesting(&bytes) > NESTING_MAX {
        let message = "the statement's expressions or types are nested too deeply to be sent as a plan";
        return Err(Error::user("too-deep", message));
    }
    Ok(bytes)
}

/// Decodes what [`encode`] wrote. Plans may be deep: call it on a thread with [`PLAN_STACK_BYTES`].
pub fn decode(bytes: &[u8]) -> Result<JobGraph> {
    let corrupt = |what: &str| Error::new(ErrorKind::Corruption, "bad-plan", format!("not a Headwater plan: {what}"));
    let newline = bytes.iter().position(|b| *b == b'\n').ok_or_else(|| corrupt("the header line is missing"))?;
    let header = std::str::from_utf8(&bytes[..newline]).map_err(|_| corrupt("the header is not text"))?;
    let version = header.strip_prefix(MAGIC).map(str::trim).ok_or_else(|| corrupt("the header has another magic"))?;
    if version != VERSION.to_string() {
        let message = format!("plan version {version} cannot be read by this build, which reads version {VERSION}");
        return Err(Error::user("plan-version", message));
    }
    let json = &bytes[newline + 1..];
    if nesting(json) > NESTING_MAX {
        return Err(corrupt("it is nested too deeply"));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    // The limit of serde_json is a constant far below what statements need; ours was checked above.
    reader.disable_recursion_limit();
    let graph = JobGraph::deserialize(&mut reader).map_err(|e| corrupt(&e.to_string()))?;
    reader.end().map_err(|e| corrupt(&e.to_string()))?;
    Ok(graph)
}

/// [`decode`] on a thread of its own that has the stack for it, for callers that have less.
///
/// # Errors
/// As [`decode`], and when no thread can be started.
pub fn decode_on_thread(bytes: &[u8]) -> Result<JobGraph> {
    let no_thread = |e| Error::retryable("no-thread", "no thread could be started to read a plan").with_source(e);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("decode-plan".to_owned()).stack_size(PLAN_STACK_BYTES);
        let running = thread.spawn_scoped(scope, || decode(bytes)).map_err(no_thread)?;
        running.join().unwrap_or_else(|_| Err(Error::internal("reading a plan failed")))
    })
}

/// The deepest nesting of objects and arrays in a JSON text, which need not be valid.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
