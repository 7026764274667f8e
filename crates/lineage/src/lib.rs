//! The OpenLineage model, events of jobs and the transports that carry them.
