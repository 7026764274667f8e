//! Takes lineage events in, keeps the catalog of datasets, jobs and runs, and answers questions about it.
