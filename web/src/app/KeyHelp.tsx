import { Modal, Table } from "@mantine/core";

const keys: readonly (readonly [string, string])[] = [
  ["Ctrl K", "Search everything"],
  ["/", "Search on this page"],
  ["?", "This list"],
  ["← →", "Graph: along the edges, upstream and downstream"],
  ["↑ ↓", "Graph: to the node above or below"],
  ["Enter", "Graph: page of the selected node"],
  ["e", "Graph: expand or collapse the selected node"],
  ["c", "Graph: all columns of the selected dataset"],
  ["[ ]", "History: a day earlier, a day later"],
  ["Esc", "Graph: clear the selection"],
  ["+ − 0", "Graph: zoom in, out, show all"],
];

/** All keys in one list. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Keys" closeButtonProps={{ "aria-label": "Close" }}>
      <Table verticalSpacing={5}>
        <Table.Tbody>
          {keys.map(([key, meaning]) => (
            <Table.Tr key={key}>
              <Table.Td w={90}>
                <kbd>{key}</kbd>
              </Table.Td>
              <Table.Td>{meaning}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
