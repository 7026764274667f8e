//! In-flight rows as bytes ([`headwater_data::ipc`]); damage is told as that of a checkpoint.

use headwater_data::{ChangeBatch, ipc};
use headwater_types::{Error, ErrorKind, Result};

/// The bytes of batches.
pub(super) fn encode(batches: &[ChangeBatch]) -> Result<Vec<u8>> {
    ipc::encode(batches)
}

/// The batches of bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<ChangeBatch>> {
    let message = "the checkpoint's rows on their way are damaged";
    ipc::decode(bytes).map_err(|e| Error::new(ErrorKind::Corruption, "checkpoint-corrupt", message).with_source(e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_runtime::testing::batch;

    #[test]
    fn damage_is_that_of_a_checkpoint() {
        let mut bytes = encode(&[batch([(1, 2)])]).unwrap();
        assert_eq!(decode(&bytes).unwrap().len(), 1);
        bytes.pop();
        assert_eq!(decode(&bytes).unwrap_err().code(), "checkpoint-corrupt");
    }
}
