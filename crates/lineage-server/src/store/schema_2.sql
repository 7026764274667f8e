-- Edges and column lineage of a run are found through its operations: each index less makes every event cheaper.

DROP INDEX edge_run;
DROP INDEX column_lineage_run;
