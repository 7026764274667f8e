//! Reads every part of every file that a manifest names and compares its checksum.

use headwater_checkpoint::Manifest;
use headwater_checkpoint::manifest::{Place, checksum};
use headwater_env::Storage;
use headwater_types::{ErrorKind, Result};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file, relative to the root of the manifest.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// The operators whose state is in the damaged part, or `in-flight rows`.
    pub holds: Vec<String>,
}

/// Everything that is damaged.
///
/// # Errors
/// When the storage cannot be read at all.
pub fn verify(manifest: &Manifest, storage: &dyn Storage) -> Result<Vec<Damage>> {
    let sizes: BTreeMap<String, u64> = storage.list("")?.into_iter().map(|o| (o.path, o.bytes)).collect();
    let mut damages = vec![];
    let places: BTreeSet<&Place> = manifest.places().collect();
    for place in places {
        if let Some(what) = damage(place, sizes.get(&place.file).copied(), storage)? {
            damages.push(Damage { file: place.file.clone(), what, holds: holders(manifest, place) });
        }
    }
    damages.dedup();
    Ok(damages)
}

fn damage(place: &Place, size: Option<u64>, storage: &dyn Storage) -> Result<Option<String>> {
    let end = place.offset.saturating_add(place.bytes);
    match size {
        None => return Ok(Some("missing".to_owned())),
        Some(size) if size < end => return Ok(Some(format!("cut short: {size} bytes of {end}"))),
        Some(_) => {}
    }
    let bytes = match storage.get_range(&place.file, place.offset..end) {
        Err(error) if error.kind() == ErrorKind::Corruption => return Ok(Some(error.message().to_owned())),
        other => other?,
    };
    let damaged = || format!("the checksum of bytes {} to {end} does not match", place.offset);
    Ok((checksum(&bytes) != place.checksum).then(damaged))
}

fn holders(manifest: &Manifest, place: &Place) -> Vec<String> {
    let holding = manifest.operators.iter().filter(|operator| operator.places().any(|other| other == place));
    let holders: Vec<String> = holding.map(|operator| operator.key.clone()).collect();
    if holders.is_empty() { vec!["in-flight rows".to_owned()] } else { holders }
}
