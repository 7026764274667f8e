//! All readers of what clients send that need no cluster, in one function for the fuzzer.

use crate::messages::job as requests;
use crate::multipart;
use crate::uploads::Uploads;
use serde::de::DeserializeOwned;

/// Reads bytes as everything that a request can hold: none of it may panic, whatever they are. What is before the first
/// line break is the type of the body, the rest the body.
pub fn read(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = (String::from_utf8_lossy(&data[..at]), &data[(at + 1).min(data.len())..]);
    if let Ok(file) = multipart::file(&kind, body) {
        assert!(body.len() >= file.content.len(), "a file is part of its body");
        let uploads = Uploads::default();
        if let Ok(upload) = uploads.add(&file.name, file.content, 0, 0) {
            assert!(uploads.find(&upload.id).is_ok(), "what was kept is found");
            assert!(upload.name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'), "names are harmless");
        }
    }
    crate::call::hex(&kind);
    json::<requests::CheckpointRequest>(body);
    json::<requests::SavepointRequest>(body);
    json::<requests::StopRequest>(body);
    json::<requests::DisposalRequest>(body);
    json::<requests::HeartbeatRequest>(body);
    json::<requests::ResourceRequirements>(body);
    json::<requests::ScriptRequest>(body);
}

fn json<T: DeserializeOwned>(body: &[u8]) {
    let _ = serde_json::from_slice::<T>(body);
}

#[cfg(test)]
mod tests;
