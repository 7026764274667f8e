//! Changelogs as plain rows: `TO_CHANGELOG` writes what a change is into a column, `FROM_CHANGELOG` reads it from one.
//!
//! Both keep no state and work on whole batches.

mod from;
#[cfg(test)]
mod tests;
mod to;

pub(crate) use from::FromChangelog;
pub(crate) use to::ToChangelog;
