/** Numbers, sizes and times as people read them. */

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en");
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** `1.2M`. */
export function formatCount(count: number): string {
  return compact.format(count);
}

/** `1,234,567`. */
export function formatExact(count: number): string {
  return whole.format(count);
}

/** Binary units: `4.8 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < names.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${names[unit] ?? "B"}`;
}

/** Date and time in the zone of the browser. */
export function formatMoment(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : moment.format(date);
}

/** `12 s`, `3 min`, `5 h 10 min`, `2 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, "h", minutes % 60, "min");
  return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

function joined(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  const minorText = minor === 0 ? "" : ` ${minor} ${minorUnit}`;
  return `${major} ${majorUnit}${minorText}`;
}

/** `3 min ago`, `in 2 h`; one unit only. */
export function formatAgo(iso: string, now: number): string {
  const difference = now - new Date(iso).getTime();
  if (Number.isNaN(difference)) return iso;
  const text = coarse(Math.abs(difference));
  if (text === "0 s") return "just now";
  return difference >= 0 ? `${text} ago` : `in ${text}`;
}

function coarse(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
