//! Metrics over several subtasks, jobs or TaskManagers.

use super::Value;
use crate::answer::ApiError;
use crate::messages::metric::AggregatedMetric;
use std::collections::BTreeMap;

/// The measures that were asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measures {
    min: bool,
    max: bool,
    avg: bool,
    sum: bool,
    skew: bool,
}

impl Measures {
    /// From the parameter `agg`; without it, all of them.
    pub(crate) fn parse(names: &[&str]) -> Result<Self, ApiError> {
        let all = names.is_empty();
        let mut measures = Self { min: all, max: all, avg: all, sum: all, skew: all };
        for name in names {
            let measure = match name.to_ascii_lowercase().as_str() {
                "min" => &mut measures.min,
                "max" => &mut measures.max,
                "avg" => &mut measures.avg,
                "sum" => &mut measures.sum,
                "skew" => &mut measures.skew,
                _ => return Err(crate::call::unresolved("query", "agg", name)),
            };
            *measure = true;
        }
        Ok(measures)
    }
}

/// The metrics of these ids over all sources; those that no source has are left out, as are values that are no
/// numbers.
pub(crate) fn aggregate(sources: &[Vec<Value>], ids: &[&str], measures: Measures) -> Vec<AggregatedMetric> {
    let mut found: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (id, value) in sources.iter().flatten() {
        if let Ok(value) = value.parse() {
            found.entry(id).or_default().push(value);
        }
    }
    ids.iter().filter_map(|id| found.get(id).map(|values| over(id, values, measures))).collect()
}

fn over(id: &str, values: &[f64], measures: Measures) -> AggregatedMetric {
    let sum: f64 = values.iter().sum();
    let avg = sum / values.len().max(1) as f64;
    AggregatedMetric {
        id: id.to_owned(),
        min: measures.min.then(|| values.iter().copied().fold(f64::INFINITY, f64::min)),
        max: measures.max.then(|| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        avg: measures.avg.then_some(avg),
        sum: measures.sum.then_some(sum),
        skew: measures.skew.then(|| skew(values, avg)),
    }
}

/// Mean deviation in percent of the mean, at most 100.
fn skew(values: &[f64], avg: f64) -> f64 {
    if avg == 0.0 {
        return 0.0;
    }
    let deviation = values.iter().map(|value| (value - avg).abs()).sum::<f64>() / values.len().max(1) as f64;
    (deviation / avg * 100.0).abs().min(100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_told() {
        let source = |value: &str| vec![("a".to_owned(), value.to_owned()), ("b".to_owned(), "text".to_owned())];
        let sources = [source("1"), source("3")];
        let measures = Measures::parse(&["min", "SUM"]).expect("known measures");
        let expected = AggregatedMetric { id: "a".to_owned(), min: Some(1.0), sum: Some(4.0), ..Default::default() };
        assert_eq!(aggregate(&sources, &["a", "b", "c"], measures), [expected]);
        assert!(Measures::parse(&["median"]).is_err());
    }
}
