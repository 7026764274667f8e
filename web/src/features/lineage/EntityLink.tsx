import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EntityKind, EntityRef } from "@/shared/api/types";

export const entityPaths = {
  DATASET: "/datasets/$id",
  JOB: "/jobs/$id",
  RUN: "/runs/$id",
  OPERATION: "/operations/$id",
} as const satisfies Record<EntityKind, string>;

export const lineagePaths = {
  DATASET: "/datasets/$id/lineage",
  JOB: "/jobs/$id/lineage",
  RUN: "/runs/$id/lineage",
  OPERATION: "/operations/$id/lineage",
} as const satisfies Record<EntityKind, string>;

/** Only datasets and jobs have a history of their own. */
export const historyPaths = { DATASET: "/datasets/$id/history", JOB: "/jobs/$id/history" } as const;

export interface EntityLinkProps {
  entity: EntityRef;
  children: ReactNode;
  button?: boolean;
}

/** A link to the page of a dataset, job, run or operation. */
export function EntityLink({ entity, children, button = false }: EntityLinkProps) {
  const target = { to: entityPaths[entity.kind], params: { id: entity.id } } as const;
  if (button) {
    return (
      <Button size="compact-sm" renderRoot={(props: object) => <Link {...props} {...target} />}>
        {children}
      </Button>
    );
  }
  return (
    <Link className="entity-link" {...target}>
      {children}
    </Link>
  );
}
