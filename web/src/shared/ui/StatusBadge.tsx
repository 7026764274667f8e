import { IconBan, IconCheck, IconClockPause, IconHelp, IconPlayerPlayFilled, IconX } from "@tabler/icons-react";
import { statusLook, type Tone } from "./status";
import "./ui.css";

const icons: Record<Tone, typeof IconCheck> = {
  running: IconPlayerPlayFilled,
  good: IconCheck,
  bad: IconX,
  stopped: IconBan,
  late: IconClockPause,
  unknown: IconHelp,
};

/** A state as icon and word. */
export function StatusBadge({ status }: { status: string }) {
  const { label, tone } = statusLook(status);
  const Icon = icons[tone];
  return (
    <span className={`status status-${tone}`}>
      <Icon size={12} stroke={2.5} aria-hidden />
      {label}
    </span>
  );
}
