/**
 * Addresses that come from events are written by strangers: only http and https become links, so that a
 * `javascript:` address stays text.
 */
export function isHttpUrl(text: string): boolean {
  return safeUrl(text) !== null;
}

/** The address, if it may be linked. */
export function safeUrl(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === "") return null;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
