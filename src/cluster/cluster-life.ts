import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SessionCore } from '../core/session-core.js';
import { SessionCluster } from './session-cluster.js';

/** Takes the node's place among the others while the application runs, and carries events between them. */
@Injectable()
export class ClusterLife implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly cluster: SessionCluster,
    private readonly core: SessionCore,
  ) {}

  /** @throws SessionOptionsError where the bus delivers nothing */
  async onApplicationBootstrap(): Promise<void> {
    const { node } = this.cluster;
    if (node === null) return;
    const { events } = this.core;
    node.onEventOfOthers((event) => events.relay(event));
    events.stream.subscribe((event) => node.tell(event));
    await node.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.cluster.node?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.cluster.node?.close();
  }
}
