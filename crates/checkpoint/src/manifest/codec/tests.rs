//! Manifests survive, and no damage does.

use super::*;
use crate::testing::manifest;
use expect_test::expect;

#[test]
fn manifests_round_trip() {
    let bytes = encode(&manifest()).unwrap();
    assert_eq!(decode("m", &bytes).unwrap(), manifest());
    let text = String::from_utf8(bytes).unwrap();
    expect![[r#"
        headwater-checkpoint 1
        {"job":"0000000000000000000000000000000b","job_name":"job","checkpoint":3,"savepoint":false,"triggered_ms":100,"#]]
    .assert_eq(&text[..text.find("\"completed_ms\"").unwrap()]);
}

#[test]
fn every_cut_and_every_flipped_bit_is_found() {
    let bytes = encode(&manifest()).unwrap();
    for cut in 0..bytes.len() {
        let error = decode("m", &bytes[..cut]).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Corruption, "checkpoint-corrupt"), "cut at {cut}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert_eq!(decode("m", &damaged).unwrap_err().kind(), ErrorKind::Corruption, "byte {at}");
    }
}

#[test]
fn a_newer_version_is_refused_with_advice() {
    let mut bytes = b"headwater-checkpoint 2\n{}\n".to_vec();
    let sum = checksum(&bytes);
    bytes.extend_from_slice(format!("xxh3:{sum:016x}\n").as_bytes());
    expect![
        "'m' has format version 2, and this version of Headwater reads up to 1: use the version that wrote it, or a newer one"
    ]
    .assert_eq(decode("m", &bytes).unwrap_err().message());
    // However a later version may end.
    for later in [&b"headwater-checkpoint 9\n{}\nxxh3:0000000000000000\n"[..], b"headwater-checkpoint 9\n{}\n"] {
        assert_eq!(decode("m", later).unwrap_err().code(), "checkpoint-version");
    }
}
