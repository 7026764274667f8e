/** How states look; the colour is never the only sign. */
export type Tone = "running" | "good" | "bad" | "stopped" | "late" | "unknown";

export interface StatusLook {
  label: string;
  tone: Tone;
}

const looks: Record<string, StatusLook> = {
  STARTED: { label: "Running", tone: "running" },
  SUCCEEDED: { label: "Succeeded", tone: "good" },
  FAILED: { label: "Failed", tone: "bad" },
  KILLED: { label: "Stopped", tone: "stopped" },
  STALE: { label: "Silent", tone: "late" },
  UNKNOWN: { label: "Unknown", tone: "unknown" },
};

/** The look of a status of the server; a new one shows under its own name. */
export function statusLook(status: string): StatusLook {
  return looks[status] ?? { label: status, tone: "unknown" };
}
