/**
 * A graph to be drawn, whatever it shows: lineage today, the operators of a running job as well. Knows nothing of the
 * drawing library and nothing of the server. Edges point the way the data flows, which is left to right on the screen.
 */
export interface GraphNode<Data> {
  id: string;
  /** In pixels; known before drawing, so that the layout need not measure. */
  width: number;
  height: number;
  data: Data;
}

export interface GraphEdge<Data> {
  id: string;
  source: string;
  target: string;
  /** Which part of a node the edge leaves or enters, such as a column. */
  sourcePort?: string;
  targetPort?: string;
  data: Data;
}

export interface Graph<NodeData, EdgeData> {
  nodes: GraphNode<NodeData>[];
  edges: GraphEdge<EdgeData>[];
}

export interface Position {
  x: number;
  y: number;
}

/** Only what a layout and a walk look at. */
export interface Topology {
  nodes: readonly { id: string; width: number; height: number }[];
  edges: readonly { id: string; source: string; target: string }[];
}
