import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import "./ui.css";

export interface Column<Item> {
  header: string;
  cell: (item: Item) => ReactNode;
  /** Right-aligned digits. */
  number?: boolean;
  width?: number | string;
}

export interface DataTableProps<Item> {
  caption: string;
  columns: readonly Column<Item>[];
  items: readonly Item[];
  rowKey: (item: Item) => string;
}

/** A plain table; what a row leads to is a link in its cells, so that keys and middle clicks work. */
export function DataTable<Item>({ caption, columns, items, rowKey }: DataTableProps<Item>) {
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table className="data-table" verticalSpacing={6} horizontalSpacing="md">
        <caption className="visually-hidden">{caption}</caption>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ header, number, width }) => (
              <Table.Th key={header} className={number ? "number" : undefined} w={width} scope="col">
                {header}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={rowKey(item)}>
              {columns.map(({ header, cell, number }) => (
                <Table.Td key={header} className={number ? "number" : undefined}>
                  {cell(item)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
