import { IconClock, IconClockExclamation } from "@tabler/icons-react";
import { formatDuration, formatMoment } from "@/shared/format";
import { useNow } from "@/shared/ui/bits";
import type { Freshness } from "../model/types";

/** How far the data is behind, in one short word; in full on hover. */
export function FreshnessMark({ freshness }: { freshness: Freshness }) {
  const now = useNow();
  const { completeUpTo, stale } = freshness;
  if (completeUpTo === null && !stale) return null;
  const behind = completeUpTo === null ? null : formatDuration(now - Date.parse(completeUpTo)).split(" ").slice(0, 2).join(" ");
  return (
    <span className={`freshness${stale ? " freshness-stale" : ""}`} title={freshnessText(freshness)}>
      {stale ? <IconClockExclamation size={12} aria-hidden /> : <IconClock size={12} aria-hidden />}
      {behind ?? "silent"}
    </span>
  );
}

/** The same in a sentence. */
export function freshnessText({ completeUpTo, stale }: Freshness): string {
  const parts = [];
  if (completeUpTo !== null) parts.push(`Complete up to ${formatMoment(completeUpTo)}`);
  if (stale) parts.push("nothing heard for longer than expected");
  return parts.join("; ");
}
