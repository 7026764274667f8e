/** How the kinds of column lineage look and what they mean, from the strongest to the weakest. */
export interface ColumnKind {
  /** Also the name of the CSS class: `column-<tone>`. */
  tone: "identity" | "transformation" | "aggregation" | "masked" | "indirect" | "unknown";
  label: string;
  meaning: string;
}

export const columnKinds: readonly ColumnKind[] = [
  { tone: "identity", label: "Copied", meaning: "The value as it was." },
  { tone: "transformation", label: "Transformed", meaning: "Computed from single rows." },
  { tone: "aggregation", label: "Aggregated", meaning: "Computed over several rows." },
  { tone: "masked", label: "Masked", meaning: "Computed so that the original cannot be read." },
  { tone: "indirect", label: "Decides about rows", meaning: "A filter, join, grouping, sort, window or condition." },
  { tone: "unknown", label: "Unknown", meaning: "The producer did not say how." },
];

const unknown: ColumnKind = { tone: "unknown", label: "Unknown", meaning: "" };

/** The kind that counts when the producer named several types. */
export function kindOf(types: readonly string[], direct: boolean): ColumnKind {
  const tone = !direct
    ? "indirect"
    : types.some((type) => type.endsWith("_MASKING"))
      ? "masked"
      : types.includes("AGGREGATION")
        ? "aggregation"
        : types.includes("TRANSFORMATION")
          ? "transformation"
          : types.includes("IDENTITY")
            ? "identity"
            : "unknown";
  return columnKinds.find((kind) => kind.tone === tone) ?? unknown;
}

/** `GROUP_BY` as `group by`. */
export function typeText(type: string): string {
  return type.toLowerCase().replaceAll("_", " ");
}
