import type { EntityKind } from "@/shared/api/types";

/** Kinds in words. */
export const kindLabels: Record<EntityKind, string> = { DATASET: "dataset", JOB: "job", RUN: "run", OPERATION: "operation" };
