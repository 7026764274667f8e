//! What all window operators share: where windows lie ([`slice`]), which clock aligns them ([`clock`]).

pub(crate) mod assign;
#[cfg(test)]
mod checkpoint_tests;
pub(crate) mod clock;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod slice;
#[cfg(test)]
mod tests;

pub(crate) use clock::WallClock;
pub(crate) use slice::Slices;
