import type { ClusterNode } from './cluster-node.js';

/** This process among the others, by the option `cluster`; `node` is `null` without it. */
export class SessionCluster {
  constructor(readonly node: ClusterNode | null) {}
}
