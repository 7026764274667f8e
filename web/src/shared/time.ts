/**
 * Moments as they stand in addresses: `now`-relative (`7d`, `24h`, `30m`) or ISO 8601. Relative ones keep a deep link
 * fresh; absolute ones keep it exact.
 */
const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const relative = /^(\d{1,5})([mhd])$/;

/** The earliest moment a query can ask for. */
export const beginning = "1970-01-01T00:00:00.000Z";

/** Whether the text is a moment. */
export function isMoment(text: string): boolean {
  return text === "all" || relative.test(text) || !Number.isNaN(Date.parse(text));
}

/** The moment as ISO 8601 text in UTC; `now` in milliseconds. Text that is no moment counts as the beginning. */
export function resolveMoment(text: string, now: number): string {
  const match = relative.exec(text);
  if (match) {
    const [, count, unit] = match;
    return new Date(now - Number(count) * units[unit as keyof typeof units]).toISOString();
  }
  const time = Date.parse(text);
  return text === "all" || Number.isNaN(time) ? beginning : new Date(time).toISOString();
}

/** So close to now counts as now: who goes a day back and a day forth is back at now. */
const nowWithinMs = 60_000;

/** The moment that much later, or earlier; empty, which is now, when that is not before `now`. */
export function shiftMoment(text: string, milliseconds: number, now: number): string {
  const from = text === "" ? now : Date.parse(resolveMoment(text, now));
  const moved = from + milliseconds;
  return moved >= now - nowWithinMs ? "" : new Date(Math.max(0, moved)).toISOString();
}

/** For `<input type="datetime-local">`, in the zone of the browser. */
export function toLocalInput(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
