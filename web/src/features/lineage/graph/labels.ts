/** Words that several toolbars use. */
export const directionLabels = { BOTH: "Both ways", UPSTREAM: "Upstream", DOWNSTREAM: "Downstream" } as const;
