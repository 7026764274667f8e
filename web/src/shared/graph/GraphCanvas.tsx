/**
 * The drawing of any graph: pan, zoom, selection, keys, and words for those who cannot see it. What a node or an edge
 * looks like is given by the feature.
 */
import "@xyflow/react/dist/base.css";
import "./graph.css";
import { useComputedColorScheme } from "@mantine/core";
import {
  Background,
  BackgroundVariant,
  Controls,
  MiniMap,
  ReactFlow,
  ReactFlowProvider,
  useNodesInitialized,
  useReactFlow,
  useStore,
  useStoreApi,
  type Edge,
  type EdgeTypes,
  type Node,
  type NodeTypes,
} from "@xyflow/react";
import { useCallback, useEffect, useId, useMemo, useRef, type KeyboardEvent, type ReactNode } from "react";
import type { Graph, Position } from "./model";
import { neighbour, type Arrow } from "./walk";

/** Above this many nodes an overview map helps. */
const miniMapFrom = 14;

/** No larger than life, and not so small that a large graph is dust. */
const fitOptions = { padding: 0.04, maxZoom: 1 };
const zoomReadableMin = 0.3;
const zoomAtHome = 0.6;

export interface GraphCanvasProps<NodeData extends object, EdgeData extends object> {
  graph: Graph<NodeData, EdgeData>;
  positions: ReadonlyMap<string, Position>;
  nodeTypes: NodeTypes;
  edgeTypes: EdgeTypes;
  nodeType: (data: NodeData) => string;
  edgeType: (data: EdgeData) => string;
  /** Said by screen readers for a node. */
  nodeLabel: (data: NodeData) => string;
  /** What the graph shows, for screen readers. */
  label: string;
  selected: string | null;
  /** Bright nodes and edges; `null`: all. */
  bright: { nodes: ReadonlySet<string>; edges: ReadonlySet<string> } | null;
  /** A new value moves the view so that all nodes are seen. */
  fitKey: string;
  /** The node to begin at when the graph is too large to be seen as a whole. */
  home: string;
  onSelect: (id: string | null) => void;
  /** Enter, or a double click. */
  onOpen: (id: string) => void;
  /** Other keys, with the selected node. */
  onKey?: (key: string, selected: string | null) => void;
  children?: ReactNode;
}

/** Draws a graph whose layout is known. */
export function GraphCanvas<N extends object, E extends object>(props: GraphCanvasProps<N, E>) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas<N extends object, E extends object>(props: GraphCanvasProps<N, E>) {
  const { graph, positions, selected, onSelect, onOpen } = props;
  const scheme = useComputedColorScheme("light");
  const helpId = useId();
  const nodes = useFlowNodes(props);
  const edges = useFlowEdges(props);
  const onKeyDown = useKeys(props);
  const { canvas, onMove } = useView(props);
  const announced = graph.nodes.find((node) => node.id === selected);
  return (
    // Arrow keys walk the graph, so this is a widget of its own, not a region of text.
    <div ref={canvas} className="graph-canvas" role="application" aria-label={props.label} aria-describedby={helpId} tabIndex={0} onKeyDown={onKeyDown} data-testid="graph">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={props.nodeTypes}
        edgeTypes={props.edgeTypes}
        colorMode={scheme}
        onNodeClick={(_, node) => onSelect(node.id)}
        onNodeDoubleClick={(_, node) => onOpen(node.id)}
        onPaneClick={() => onSelect(null)}
        onMove={onMove}
        nodesConnectable={false}
        nodesDraggable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        zoomOnDoubleClick={false}
        disableKeyboardA11y
        minZoom={0.08}
        maxZoom={2}
        onlyRenderVisibleElements={graph.nodes.length > 150}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1} />
        <Controls showInteractive={false} position="bottom-right" aria-label="Zoom" fitViewOptions={fitOptions} />
        {graph.nodes.length >= miniMapFrom && positions.size > 0 && <MiniMap pannable zoomable position="bottom-left" ariaLabel="Overview of the graph" className="graph-minimap" />}
        {props.children}
      </ReactFlow>
      <p id={helpId} className="visually-hidden">
        Arrow keys move along the edges and between nodes, Enter opens the page of a node, Escape clears the selection.
      </p>
      <p className="visually-hidden" aria-live="polite">
        {announced ? props.nodeLabel(announced.data) : ""}
      </p>
    </div>
  );
}

function useFlowNodes<N extends object, E extends object>(props: GraphCanvasProps<N, E>): Node[] {
  const { graph, positions, nodeType, nodeLabel, selected, bright } = props;
  return useMemo(
    () =>
      graph.nodes.flatMap((node): Node[] => {
        const position = positions.get(node.id);
        if (!position) return [];
        const dim = bright !== null && !bright.nodes.has(node.id);
        return [
          {
            id: node.id,
            type: nodeType(node.data),
            position,
            width: node.width,
            height: node.height,
            // Sizes are known beforehand, so nothing waits for the browser to measure.
            measured: { width: node.width, height: node.height },
            data: node.data as Record<string, unknown>,
            selected: node.id === selected,
            className: dim ? "dim" : "",
            ariaLabel: nodeLabel(node.data),
          },
        ];
      }),
    [graph, positions, nodeType, nodeLabel, selected, bright],
  );
}

function useFlowEdges<N extends object, E extends object>({ graph, edgeType, bright }: GraphCanvasProps<N, E>): Edge[] {
  return useMemo(
    () => {
      const drawn = graph.edges.map((edge): Edge => {
        const lit = bright?.edges.has(edge.id) ?? false;
        return {
          id: edge.id,
          type: edgeType(edge.data),
          source: edge.source,
          target: edge.target,
          sourceHandle: edge.sourcePort === undefined ? "out" : `out:${edge.sourcePort}`,
          targetHandle: edge.targetPort === undefined ? "in" : `in:${edge.targetPort}`,
          data: edge.data as Record<string, unknown>,
          className: bright === null ? "" : lit ? "lit" : "dim",
        };
      });
      // Bright edges are drawn last, over the others, and still below the nodes.
      return [...drawn.filter((edge) => edge.className !== "lit"), ...drawn.filter((edge) => edge.className === "lit")];
    },
    [graph, edgeType, bright],
  );
}

const arrows: readonly string[] = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

function useKeys<N extends object, E extends object>(props: GraphCanvasProps<N, E>) {
  const flow = useReactFlow();
  return (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (arrows.includes(key)) {
      const next = neighbour(props.selected, key as Arrow, props.graph, props.positions);
      if (next !== null) props.onSelect(next);
    } else if (key === "Enter" && props.selected !== null && event.target === event.currentTarget) props.onOpen(props.selected);
    else if (key === "Escape") props.onSelect(null);
    else if (key === "+" || key === "=") void flow.zoomIn();
    else if (key === "-") void flow.zoomOut();
    else if (key === "0") void flow.fitView(fitOptions);
    else {
      props.onKey?.(key, props.selected);
      return;
    }
    event.preventDefault();
  };
}

/**
 * Shows all nodes when the graph is another one or the canvas changes its size, until the user moves the view; and the
 * selected node when the keys moved out of sight.
 */
function useView<N extends object, E extends object>(props: GraphCanvasProps<N, E>) {
  const { graph, positions, selected, fitKey } = props;
  const flow = useReactFlow();
  const measured = useNodesInitialized();
  const fit = useFit(props);
  const canvas = useRef<HTMLDivElement>(null);
  const fitted = useRef<string | null>(null);
  const moved = useRef(false);
  useEffect(() => {
    const key = `${fitKey} ${graph.nodes.length}`;
    const placed = graph.nodes.every((node) => positions.has(node.id));
    if (!measured || !placed || fitted.current === key) return;
    fitted.current = key;
    moved.current = false;
    fit();
  }, [graph, positions, fitKey, fit, measured]);
  const size = useStore((store) => `${store.width}x${store.height}`);
  useEffect(() => {
    if (fitted.current !== null && !moved.current) fit();
  }, [fit, size]);
  useEffect(() => {
    const position = selected === null ? undefined : positions.get(selected);
    const node = graph.nodes.find((one) => one.id === selected);
    const box = canvas.current?.getBoundingClientRect();
    if (!position || !node || !box || !moved.current) return;
    const centre = { x: position.x + node.width / 2, y: position.y + node.height / 2 };
    const { x, y } = flow.flowToScreenPosition(centre);
    const seen = x > box.left && x < box.right && y > box.top && y < box.bottom;
    if (!seen) void flow.setCenter(centre.x, centre.y, { zoom: flow.getZoom(), duration: 150 });
  }, [selected, positions, graph, flow]);
  const onMove = (event: MouseEvent | TouchEvent | null): void => {
    // Without an event the view was moved by the program.
    if (event !== null) moved.current = true;
  };
  return { canvas, onMove };
}

/** Shows all nodes if they are readable then, else the surroundings of `home`. */
function useFit<N extends object, E extends object>({ graph, positions, home }: GraphCanvasProps<N, E>): () => void {
  const flow = useReactFlow();
  const store = useStoreApi();
  return useCallback(() => {
    const { width, height } = store.getState();
    const bounds = flow.getNodesBounds(graph.nodes.map((node) => node.id));
    const start = positions.get(home);
    const readable = Math.min(width / bounds.width, height / bounds.height) >= zoomReadableMin;
    if (readable || !start) void flow.fitView(fitOptions);
    else void flow.setCenter(start.x, start.y, { zoom: zoomAtHome });
  }, [flow, store, graph, positions, home]);
}
