/**
 * What the lineage server answers, as in the OpenAPI document of Data.Rentgen 0.7, by hand: these are the fields the
 * pages read, not all there are. Times are ISO 8601 text in UTC; ids are text, those of tags are numbers.
 */

export type EntityKind = "DATASET" | "JOB" | "RUN" | "OPERATION";
export type Direction = "UPSTREAM" | "DOWNSTREAM" | "BOTH";
export type Granularity = "DATASET" | "JOB" | "RUN" | "OPERATION";

export interface PageMeta {
  page: number;
  page_size: number;
  total_count: number;
  pages_count: number;
  has_next: boolean;
  has_previous: boolean;
}

export interface Page<Item> {
  meta: PageMeta;
  items: Item[];
}

export interface Location {
  id: string;
  type: string;
  name: string;
  addresses: { url: string }[];
  external_id: string | null;
}

export interface LocationItem {
  id: string;
  data: Location;
  statistics: { datasets: { total_datasets: number }; jobs: { total_jobs: number } };
}

export interface TagValue {
  id: number;
  value: string;
}

export interface Tag {
  id: number;
  name: string;
  values?: TagValue[];
}

export interface SchemaField {
  name: string;
  type?: string | null;
  description?: string | null;
  fields?: SchemaField[];
}

export interface DatasetSchema {
  id: string;
  fields: SchemaField[];
  relevance_type?: "EXACT_MATCH" | "LATEST_KNOWN" | null;
}

export interface Dataset {
  id: string;
  location: Location;
  name: string;
  external_id: string | null;
  external_url: string | null;
  schema?: DatasetSchema | null;
}

export interface DatasetItem {
  id: string;
  data: Dataset;
  tags?: Tag[];
}

export interface Job {
  id: string;
  parent_job_id?: string | null;
  location: Location;
  name: string;
  type: string;
}

export interface Run {
  id: string;
  created_at: string;
  job_id: string;
  parent_run_id?: string | null;
  status: string;
  external_id?: string | null;
  attempt?: string | null;
  persistent_log_url?: string | null;
  running_log_url?: string | null;
  started_at?: string | null;
  started_by_user?: { name: string } | null;
  start_reason?: string | null;
  ended_at?: string | null;
  end_reason?: string | null;
  expected_start_at?: string | null;
  expected_end_at?: string | null;
}

export interface JobItem {
  id: string;
  data: Job;
  tags?: Tag[];
  last_run?: Run | null;
}

export interface IoStatistics {
  total_datasets?: number;
  total_bytes?: number;
  total_rows?: number;
  total_files?: number;
}

export interface RunItem {
  id: string;
  data: Run;
  job: Job;
  statistics: { inputs: IoStatistics; outputs: IoStatistics; operations: { total_operations?: number } };
}

export interface Operation {
  id: string;
  created_at: string;
  run_id: string;
  status: string;
  name: string;
  type: string;
  position: number | null;
  group: string | null;
  description: string | null;
  sql_query: string | null;
  started_at: string | null;
  ended_at: string | null;
}

export interface OperationItem {
  id: string;
  data: Operation;
  statistics: { inputs: IoStatistics; outputs: IoStatistics };
}

export interface EntityRef {
  kind: EntityKind;
  id: string;
}

export interface ParentRelation {
  from: EntityRef;
  to: EntityRef;
}

export interface SymlinkRelation {
  from: EntityRef;
  to: EntityRef;
  type: string;
}

/** A dataset read by, or written by, a job, run or operation; with granularity DATASET, from dataset to dataset. */
export interface FlowRelation {
  from: EntityRef;
  to: EntityRef;
  /** Only of outputs. */
  types?: string[];
  last_interaction_at: string;
  num_bytes?: number | null;
  num_rows?: number | null;
  num_files?: number | null;
}

export interface SourceColumn {
  field: string;
  types: string[];
  last_used_at: string;
}

export interface DirectColumnRelation {
  from: EntityRef;
  to: EntityRef;
  /** By target column. */
  fields?: Record<string, SourceColumn[]>;
}

export interface IndirectColumnRelation {
  from: EntityRef;
  to: EntityRef;
  fields?: SourceColumn[];
}

export interface LineageAnswer {
  relations: {
    parents: ParentRelation[];
    symlinks: SymlinkRelation[];
    inputs: FlowRelation[];
    outputs: FlowRelation[];
    direct_column_lineage: DirectColumnRelation[];
    indirect_column_lineage: IndirectColumnRelation[];
  };
  nodes: {
    datasets: Record<string, Dataset>;
    jobs: Record<string, Job>;
    runs: Record<string, Run>;
    operations: Record<string, Operation>;
  };
  /** Told in a header: the graph was cut at the server's limit. */
  truncated?: boolean;
}

export interface HierarchyAnswer {
  relations: {
    parents: ParentRelation[];
    dependencies: { from: EntityRef; to: EntityRef; type?: string | null }[];
  };
  nodes: { jobs: Record<string, Job> };
}

export interface PersonalToken {
  id: string;
  name: string;
  scopes: string[];
  since: string;
  until: string;
}

export interface PersonalTokenItem {
  id: string;
  data: PersonalToken;
}

export interface NewPersonalToken extends PersonalTokenItem {
  content: string;
}
