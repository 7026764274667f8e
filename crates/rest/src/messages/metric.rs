//! Documents about metrics.

use serde::Serialize;

/// The id of a metric there is.
#[derive(Debug, Clone, Serialize)]
pub struct MetricId {
    /// Its id.
    pub id: String,
}

/// A metric.
#[derive(Debug, Clone, Serialize)]
pub struct Metric {
    /// Its id.
    pub id: String,
    /// Its value as text, as in Flink.
    pub value: String,
}

/// A metric over several subtasks, jobs or TaskManagers; only what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AggregatedMetric {
    /// Its id.
    pub id: String,
    /// The least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg: Option<f64>,
    /// The sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// Mean deviation in percent of the mean, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew: Option<f64>,
}
