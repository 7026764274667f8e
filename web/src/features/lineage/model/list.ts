/** What the user chose on a list, as it stands in the address. Each list uses the fields it has filters for. */
import { intOf, listOf, textOf, type RawSearch } from "@/shared/search";
import { isMoment } from "@/shared/time";

export interface ListSearch {
  q: string;
  page: number;
  /** Types of jobs. */
  type: string[];
  /** Types of locations. */
  location: string[];
  /** Ids of tag values; all of them must be there. */
  tag: string[];
  status: string[];
  /** Id of a job, run, or location that the entries belong to. */
  job: string;
  run: string;
  at: string;
  since: string;
}

/** Reads the fields of an address. */
export function parseList(raw: RawSearch): ListSearch {
  const since = textOf(raw.since);
  return {
    q: textOf(raw.q),
    page: intOf(raw.page, 1, 1, 1_000_000),
    type: listOf(raw.type),
    location: listOf(raw.location),
    tag: listOf(raw.tag),
    status: listOf(raw.status),
    job: textOf(raw.job),
    run: textOf(raw.run),
    at: textOf(raw.at),
    since: isMoment(since) ? since : "",
  };
}

/** Whether any filter is set. */
export function isFiltered(search: ListSearch): boolean {
  return Object.entries(search).some(([key, value]: [string, string | string[] | number]) => key !== "page" && typeof value !== "number" && value.length > 0);
}
