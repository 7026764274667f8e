//! Whatever a client sends to the REST port is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| headwater_rest::inputs::read(data));
