/** What became of something between two moments: a sign, a word and a colour. */
import { changeLabels } from "../model/changes";
import type { Change } from "../model/types";

/** In one sign. */
export const changeSigns: Record<Change, string> = { ADDED: "+", REMOVED: "−", CHANGED: "~" };

/** `+ added`. */
export function changeText(change: Change): string {
  return `${changeSigns[change]} ${changeLabels[change]}`;
}

/** The class of the node or edge itself. */
export function changeClass(change: Change | undefined): string {
  return change === undefined ? "" : `is-${change.toLowerCase()}`;
}

/** The same as a small badge. */
export function ChangeMark({ change }: { change: Change }) {
  return <span className={`change change-${change.toLowerCase()}`}>{changeText(change)}</span>;
}

/** All three, for those who see them for the first time. */
export function ChangeLegend() {
  return (
    <span className="change-legend" aria-hidden>
      {(["ADDED", "REMOVED", "CHANGED"] as const).map((change) => (
        <ChangeMark key={change} change={change} />
      ))}
    </span>
  );
}
