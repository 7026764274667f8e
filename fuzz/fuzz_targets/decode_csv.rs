//! Any bytes decode or are refused, and how they are cut into blocks makes no difference.
#![no_main]

#[path = "decode.rs"]
mod decode;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| decode::check(headwater_formats::Format::Csv, data));
