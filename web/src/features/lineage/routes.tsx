/** The pages of lineage and their addresses. The graph and its library are loaded when a graph is first shown. */
import { createRoute, redirect, type SearchSchemaInput } from "@tanstack/react-router";
import { lazy } from "react";
import type { EntityKind } from "@/shared/api/types";
import { rootRoute } from "@/shared/router/root";
import { textOf } from "@/shared/search";
import { parseHistory, type HistoryView } from "./model/history";
import { parseList, type ListSearch } from "./model/list";
import { parseView, type LineageView } from "./model/view";
import { DatasetPage } from "./pages/DatasetPage";
import { ImpactPage } from "./pages/ImpactPage";
import { HierarchyPage } from "./pages/HierarchyPage";
import { JobPage } from "./pages/JobPage";
import { DatasetsPage, JobsPage, RunsPage } from "./pages/lists";
import { LocationsPage } from "./pages/LocationsPage";
import { OperationPage, OperationsPage } from "./pages/OperationPages";
import { QuarantinePage } from "./pages/QuarantinePage";
import { RunPage } from "./pages/RunPage";

const HistoryPage = lazy(async () => ({ default: (await import("./pages/HistoryPage")).HistoryPage }));
const LineagePage = lazy(async () => ({ default: (await import("./pages/LineagePage")).LineagePage }));

type ListInput = Partial<ListSearch> & SearchSchemaInput;
type ViewInput = Partial<LineageView> & SearchSchemaInput;

const listSearch = (raw: ListInput): ListSearch => parseList(raw);
type HistoryInput = Partial<HistoryView> & SearchSchemaInput;

const historySearch = (kind: "DATASET" | "JOB") => (raw: HistoryInput): HistoryView => parseHistory(raw, kind);
const viewSearch = (kind: EntityKind) => (raw: ViewInput): LineageView => parseView(raw, kind);

const parent = { getParentRoute: () => rootRoute } as const;

const home = createRoute({
  ...parent,
  path: "/",
  beforeLoad: () => redirect({ to: "/datasets", search: {}, throw: true }),
});

const datasets = createRoute({ ...parent, path: "/datasets", validateSearch: listSearch, component: () => <DatasetsPage search={datasets.useSearch()} /> });
const dataset = createRoute({ ...parent, path: "/datasets/$id", component: () => <DatasetPage {...dataset.useParams()} /> });
const datasetLineage = createRoute({
  ...parent,
  path: "/datasets/$id/lineage",
  validateSearch: viewSearch("DATASET"),
  component: () => <LineagePage kind="DATASET" id={datasetLineage.useParams().id} view={datasetLineage.useSearch()} />,
});
const datasetHistory = createRoute({
  ...parent,
  path: "/datasets/$id/history",
  validateSearch: historySearch("DATASET"),
  component: () => <HistoryPage kind="DATASET" id={datasetHistory.useParams().id} view={datasetHistory.useSearch()} />,
});
const datasetImpact = createRoute({
  ...parent,
  path: "/datasets/$id/impact",
  validateSearch: (raw: { column?: string } & SearchSchemaInput): { column: string } => ({ column: textOf(raw.column) }),
  component: () => <ImpactPage id={datasetImpact.useParams().id} column={datasetImpact.useSearch().column} />,
});

const jobs = createRoute({ ...parent, path: "/jobs", validateSearch: listSearch, component: () => <JobsPage search={jobs.useSearch()} /> });
const job = createRoute({ ...parent, path: "/jobs/$id", component: () => <JobPage {...job.useParams()} /> });
const jobHierarchy = createRoute({ ...parent, path: "/jobs/$id/hierarchy", component: () => <HierarchyPage {...jobHierarchy.useParams()} /> });
const jobHistory = createRoute({
  ...parent,
  path: "/jobs/$id/history",
  validateSearch: historySearch("JOB"),
  component: () => <HistoryPage kind="JOB" id={jobHistory.useParams().id} view={jobHistory.useSearch()} />,
});
const jobLineage = createRoute({
  ...parent,
  path: "/jobs/$id/lineage",
  validateSearch: viewSearch("JOB"),
  component: () => <LineagePage kind="JOB" id={jobLineage.useParams().id} view={jobLineage.useSearch()} />,
});

const runs = createRoute({ ...parent, path: "/runs", validateSearch: listSearch, component: () => <RunsPage search={runs.useSearch()} /> });
const run = createRoute({ ...parent, path: "/runs/$id", component: () => <RunPage {...run.useParams()} /> });
const runLineage = createRoute({
  ...parent,
  path: "/runs/$id/lineage",
  validateSearch: viewSearch("RUN"),
  component: () => <LineagePage kind="RUN" id={runLineage.useParams().id} view={runLineage.useSearch()} />,
});

const operations = createRoute({ ...parent, path: "/operations", validateSearch: listSearch, component: () => <OperationsPage search={operations.useSearch()} /> });
const operation = createRoute({ ...parent, path: "/operations/$id", component: () => <OperationPage {...operation.useParams()} /> });
const operationLineage = createRoute({
  ...parent,
  path: "/operations/$id/lineage",
  validateSearch: viewSearch("OPERATION"),
  component: () => <LineagePage kind="OPERATION" id={operationLineage.useParams().id} view={operationLineage.useSearch()} />,
});

const locations = createRoute({ ...parent, path: "/locations", validateSearch: listSearch, component: () => <LocationsPage search={locations.useSearch()} /> });
const quarantine = createRoute({ ...parent, path: "/quarantine", validateSearch: listSearch, component: () => <QuarantinePage search={quarantine.useSearch()} /> });

/** All of them. */
export const lineageRoutes = [
  home,
  datasets,
  dataset,
  datasetLineage,
  datasetHistory,
  datasetImpact,
  jobs,
  job,
  jobHierarchy,
  jobHistory,
  jobLineage,
  runs,
  run,
  runLineage,
  operations,
  operation,
  operationLineage,
  locations,
  quarantine,
] as const;
