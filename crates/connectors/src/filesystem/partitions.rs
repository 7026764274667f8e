//! Partition directories, `key=value`, and the values of a file that are the same for all its rows.

use super::split::FileSplit;
use headwater_formats::text::parse_value;
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result};
use std::path::Path;

/// The value of a partition column, from the directories of a file.
pub(super) fn partition_value(path: &Path, key: &str, ty: &LogicalType, null_name: &str) -> Result<Value> {
    let text = partition_text(path, key).ok_or_else(|| {
        let message = format!("the file '{}' is in no directory '{key}=...' of the partition column", path.display());
        Error::user("bad-partition", message)
    })?;
    if text == null_name {
        return Ok(Value::Null);
    }
    parse_value(ty, text.as_bytes()).ok_or_else(|| {
        let message = format!("'{text}' of the directory '{key}={text}' of '{}' is not a {ty}", path.display());
        Error::user("bad-partition", message)
    })
}

fn partition_text(path: &Path, key: &str) -> Option<String> {
    let parts = path.parent()?.components().rev();
    parts
        .filter_map(|part| part.as_os_str().to_str()?.split_once('='))
        .find(|(k, _)| unescape(k) == key)
        .map(|(_, v)| unescape(v))
}

/// Undoes the `%XX` escapes of a directory name.
pub(super) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Escapes a key or value for a directory name, as Hive and Flink do.
pub(super) fn escape(text: &str) -> String {
    const SPECIAL: &str = "\"#%'*/:=?\\\u{7f}{[]^";
    let mut out = String::new();
    for c in text.chars() {
        if c < ' ' || SPECIAL.contains(c) {
            out += &format!("%{:02X}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a path names an object of a store.
fn is_uri(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with("s3://"))
}

/// The value of a metadata column.
pub(super) fn metadata_value(split: &FileSplit, key: &str) -> Result<Value> {
    let path = || split.path.to_string_lossy().into_owned();
    Ok(match key {
        "file.path" if is_uri(&split.path) => Value::String(path()),
        "file.path" => Value::String(
            std::path::absolute(&split.path).map_or_else(|_| path(), |p| p.to_string_lossy().into_owned()),
        ),
        "file.name" => Value::String(split.path.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        "file.size" => Value::Int(split.size as i64),
        "file.modification-time" => Value::Int(split.modified_ms),
        other => {
            let message = format!(
                "the filesystem connector has no metadata '{other}'; it has file.path, file.name, file.size, \
                 file.modification-time"
            );
            return Err(Error::user("unknown-metadata", message));
        }
    })
}
