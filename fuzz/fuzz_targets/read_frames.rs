//! Whatever a peer sends to a port between processes is read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    headwater_transport::inputs::read(data);
    // What is behind checksums is found by nobody who does not make them.
    headwater_transport::inputs::read_framed(data);
});
