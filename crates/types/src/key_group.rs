//! Key groups: the unit in which keyed state is placed and moved.
//!
//! There is one key-group function in Headwater. Exchange, state, timers, restore and sinks all call
//! it, so that a row, its state and its timers always meet in the same subtask.

use std::ops::Range;

/// The default number of key groups of a job (`pipeline.max-parallelism`).
pub const MAX_PARALLELISM_DEFAULT: u32 = 128;

/// The largest allowed number of key groups, as in Flink.
pub const MAX_PARALLELISM_LIMIT: u32 = 32_768;

/// The key group of a key hash, for `groups` key groups (the max parallelism of the job).
///
/// Multiplies instead of dividing, so it uses the high bits of the hash; the result is below `groups`.
#[inline]
pub fn key_group(hash: u64, groups: u32) -> u32 {
    ((u128::from(hash) * u128::from(groups)) >> 64) as u32
}

/// The key groups owned by subtask `index` of `parallelism`: `[ceil(i*G/p), ceil((i+1)*G/p))`.
pub fn owned_range(index: u32, parallelism: u32, groups: u32) -> Range<u32> {
    let bound = |i: u32| (u64::from(i) * u64::from(groups)).div_ceil(u64::from(parallelism)) as u32;
    bound(index)..bound(index + 1)
}

/// The subtask that owns `group`: the inverse of [`owned_range`].
#[inline]
pub fn owner(group: u32, parallelism: u32, groups: u32) -> u32 {
    (u64::from(group) * u64::from(parallelism) / u64::from(groups)) as u32
}

/// The max parallelism Flink derives for a job without one: 1.5 times the parallelism, rounded up to a
/// power of two, at least 128 and at most 32768.
pub fn derive_max_parallelism(parallelism: u32) -> u32 {
    let wanted = parallelism.saturating_add(parallelism / 2).next_power_of_two();
    wanted.clamp(MAX_PARALLELISM_DEFAULT, MAX_PARALLELISM_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_the_owner_whose_range_holds_it() {
        for groups in [1u32, 2, 7, 128, 129, 1000, 32_768] {
            for parallelism in [1u32, 2, 3, 4, 5, 7, 64, 127, 128] {
                if parallelism > groups {
                    continue;
                }
                for group in 0..groups {
                    let subtask = owner(group, parallelism, groups);
                    assert!(owned_range(subtask, parallelism, groups).contains(&group));
                }
            }
        }
    }

    #[test]
    fn hashes_at_the_edges_stay_in_range() {
        assert_eq!(key_group(0, 128), 0);
        assert_eq!(key_group(u64::MAX, 128), 127);
    }

    #[test]
    fn derived_max_parallelism_follows_flink() {
        assert_eq!(derive_max_parallelism(1), 128);
        assert_eq!(derive_max_parallelism(200), 512);
        assert_eq!(derive_max_parallelism(100_000), 32_768);
    }
}
