/** A list in pages: filters above, the table, which page below, and a word for every state in between. */
import { Box, Group, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Question } from "@/shared/api/queries";
import type { Page } from "@/shared/api/types";
import { Pager } from "./bits";
import { DataTable, type Column } from "./DataTable";
import { Empty, Failure, Loading } from "./States";

export interface PagedListProps<Item> {
  title: string;
  /** In the plural and lower case: `datasets`. */
  what: string;
  query: Question<Page<Item>>;
  columns: readonly Column<Item>[];
  rowKey: (item: Item) => string;
  filters?: ReactNode;
  /** Whether filters are set: then an empty list means that nothing matches. */
  filtered: boolean;
  /** Said when there is nothing at all. */
  whenEmpty: ReactNode;
  onPage: (page: number) => void;
}

/** The page. */
export function PagedList<Item>(props: PagedListProps<Item>) {
  return (
    <Box component="section" aria-label={props.title}>
      <PageHead title={props.title}>{props.filters}</PageHead>
      <PagedTable {...props} />
    </Box>
  );
}

/** Title and controls of a page. */
export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  useDocumentTitle(`${title} · Headwater`);
  return (
    <Group px="md" py={10} gap={8} className="page-head">
      <Title order={1} size="h4" mr="sm">
        {title}
      </Title>
      {children}
    </Group>
  );
}

/** The table alone, inside another page. */
export function PagedTable<Item>({ title, what, query, columns, rowKey, filtered, whenEmpty, onPage }: Omit<PagedListProps<Item>, "filters">) {
  const { data, error, isPending, refetch } = useQuery(query);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (isPending) return <Loading what={what} />;
  if (data.items.length === 0) {
    return filtered ? <Empty title={`No ${what} match`}>Take a filter away or search for less.</Empty> : <Empty title={`No ${what} yet`}>{whenEmpty}</Empty>;
  }
  return (
    <>
      <DataTable caption={title} columns={columns} items={data.items} rowKey={rowKey} />
      <Pager meta={data.meta} onPage={onPage} />
    </>
  );
}
