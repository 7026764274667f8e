//! Spread of numbers.

use crate::messages::checkpoint::Stats;
use std::collections::BTreeMap;

/// The spread of some numbers; all 0 when there are none.
pub(crate) fn stats(values: impl IntoIterator<Item = i64>) -> Stats {
    let mut values: Vec<i64> = values.into_iter().collect();
    values.sort_unstable();
    let (Some(min), Some(max)) = (values.first(), values.last()) else { return Stats::default() };
    let at = |share: f64| percentile(&values, share);
    let sum: i64 = values.iter().fold(0, |sum, value| sum.saturating_add(*value));
    Stats {
        min: *min,
        max: *max,
        avg: sum / values.len() as i64,
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        p999: at(0.999),
    }
}

/// The spread of some numbers by the names that vertices tell it with.
pub(crate) fn spread(values: impl IntoIterator<Item = i64>) -> BTreeMap<&'static str, i64> {
    let mut values: Vec<i64> = values.into_iter().collect();
    values.sort_unstable();
    let sum: i64 = values.iter().fold(0, |sum, value| sum.saturating_add(*value));
    let at = |share: f64| if values.is_empty() { 0 } else { percentile(&values, share) as i64 };
    BTreeMap::from([
        ("min", values.first().copied().unwrap_or(0)),
        ("max", values.last().copied().unwrap_or(0)),
        ("avg", sum / (values.len().max(1) as i64)),
        ("sum", sum),
        ("median", at(0.5)),
        ("p25", at(0.25)),
        ("p75", at(0.75)),
        ("p95", at(0.95)),
    ])
}

/// The nearest-rank percentile of sorted numbers, of which there is one.
fn percentile(sorted: &[i64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1] as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_those_of_the_numbers() {
        assert_eq!(stats([]), Stats::default());
        let stats = stats(1..=100);
        assert_eq!((stats.min, stats.max, stats.avg, stats.p50, stats.p99), (1, 100, 50, 50.0, 99.0));
        assert_eq!(spread([4, 2])["sum"], 6);
        assert_eq!(spread([])["median"], 0);
    }
}
