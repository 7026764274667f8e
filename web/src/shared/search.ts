/**
 * The state of a page stands in its address, as plain text: `?q=orders&page=2`. Parsing never fails: what does not fit
 * counts as absent.
 */
export type RawSearch = Record<string, unknown>;

/** The text between `?` and the end as fields; repeated keys become lists. */
export function parseSearchText(text: string): RawSearch {
  const fields: Record<string, string | string[]> = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const known = fields[key];
    fields[key] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return fields;
}

/** The reverse; empty values are left out. */
export function searchText(fields: RawSearch): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    for (const one of values) {
      if (typeof one === "boolean") parameters.append(key, one ? "1" : "0");
      else if (typeof one === "number" || (typeof one === "string" && one !== "")) parameters.append(key, String(one));
    }
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

export function textOf(value: unknown, otherwise = ""): string {
  const one: unknown = Array.isArray(value) ? (value as unknown[])[0] : value;
  return typeof one === "string" ? one : typeof one === "number" ? String(one) : otherwise;
}

export function listOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return [...new Set(values.map((one) => textOf(one)).filter((one) => one !== ""))];
}

export function intOf(value: unknown, otherwise: number, least: number, most: number): number {
  const number = Number(textOf(value, "x"));
  return Number.isInteger(number) ? Math.min(most, Math.max(least, number)) : otherwise;
}

export function flagOf(value: unknown, otherwise: boolean): boolean {
  if (typeof value === "boolean") return value;
  const text = textOf(value);
  return text === "1" || text === "true" ? true : text === "0" || text === "false" ? false : otherwise;
}

export function choiceOf<Choice extends string>(value: unknown, choices: readonly Choice[], otherwise: Choice): Choice {
  const text = textOf(value).toUpperCase();
  return choices.find((choice) => choice.toUpperCase() === text) ?? otherwise;
}
