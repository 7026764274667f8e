import { useQuery } from "@tanstack/react-query";
import { freshnessQuery } from "@/shared/api/extensions";
import { freshnessText } from "../graph/FreshnessMark";
import { freshnessById } from "../model/freshness";
import { nodeId } from "../model/ids";

/** How current a dataset is, in a sentence; a dash when no producer tells. */
export function FreshnessFact({ id }: { id: string }) {
  const answer = useQuery(freshnessQuery([id])).data ?? null;
  const freshness = freshnessById(answer).get(nodeId({ kind: "DATASET", id }));
  const text = freshness ? freshnessText(freshness) : "";
  return text === "" ? <span className="muted">not known</span> : text;
}
