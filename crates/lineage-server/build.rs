//! Has the crate built again when the pages in `assets` change: names of built files are new each time, which the
//! macro that embeds them does not notice by itself.

fn main() {
    println!("cargo::rerun-if-changed=assets");
}
