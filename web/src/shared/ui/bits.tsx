/** Small parts that many pages use. */
import { ActionIcon, Anchor, CopyButton, Group, Pagination, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy, IconExternalLink } from "@tabler/icons-react";
import { useSyncExternalStore, type ReactNode } from "react";
import type { PageMeta, Tag } from "@/shared/api/types";
import { formatAgo, formatDuration, formatExact, formatMoment } from "@/shared/format";
import { safeUrl } from "@/shared/url";

const clockMs = 30_000;
let clock = Date.now();

function subscribeClock(listener: () => void): () => void {
  const timer = setInterval(() => {
    clock = Date.now();
    listener();
  }, clockMs);
  return () => clearInterval(timer);
}

/** The time of day, renewed twice a minute. */
export function useNow(): number {
  return useSyncExternalStore(subscribeClock, () => clock);
}

/** A moment as distance from now, with the exact one on hover. */
export function Moment({ iso }: { iso: string | null | undefined }) {
  const now = useNow();
  if (!iso) return <span className="muted">–</span>;
  return (
    <time dateTime={iso} title={`${formatMoment(iso)} (${iso})`}>
      {formatAgo(iso, now)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Took({ from, to }: { from: string | null | undefined; to: string | null | undefined }) {
  const now = useNow();
  if (!from) return <span className="muted">–</span>;
  const end = to ? Date.parse(to) : now;
  return <span>{formatDuration(end - Date.parse(from))}</span>;
}

/** An address from an event: a link only when it is http or https, text otherwise. */
export function ForeignLink({ url, children }: { url: string; children?: ReactNode }) {
  const href = safeUrl(url);
  if (href === null) return <span className="mono wrap-anywhere">{url}</span>;
  return (
    <Anchor href={href} target="_blank" rel="noreferrer noopener" size="sm">
      {children ?? url} <IconExternalLink size={12} aria-label="(opens in a new tab)" />
    </Anchor>
  );
}

/** A button that copies text. */
export function Copy({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon variant="subtle" color="gray" size="sm" onClick={copy} aria-label={copied ? "Copied" : label}>
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** Tags as `name: value`. */
export function Tags({ tags, max = 4 }: { tags: readonly Tag[] | undefined; max?: number }) {
  const texts = (tags ?? []).flatMap((tag) => (tag.values ?? []).map((value) => `${tag.name}: ${value.value}`));
  if (texts.length === 0) return null;
  const rest = texts.slice(max);
  return (
    <Group gap={4} component="span">
      {texts.slice(0, max).map((text) => (
        <span className="tag" key={text}>
          {text}
        </span>
      ))}
      {rest.length > 0 && (
        <Tooltip label={rest.join(", ")} multiline maw={360}>
          <span className="tag">+{rest.length}</span>
        </Tooltip>
      )}
    </Group>
  );
}

/** Which page of how many, and how many items in all. */
export function Pager({ meta, onPage }: { meta: PageMeta; onPage: (page: number) => void }) {
  return (
    <Group justify="space-between" px="md" py={8}>
      <Text size="xs" c="dimmed" aria-live="polite">
        {formatExact(meta.total_count)} {meta.total_count === 1 ? "entry" : "entries"}
      </Text>
      {meta.pages_count > 1 && (
        <Pagination
          size="xs"
          total={meta.pages_count}
          value={meta.page}
          onChange={onPage}
          getItemProps={(number) => ({ "aria-label": `Page ${number}` })}
        />
      )}
    </Group>
  );
}
