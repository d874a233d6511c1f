import { session, settled } from '../announcing/announcing-store.js';
import type { Announcer } from '../model/announcement.js';
import type { SessionQueue } from './session-queue.js';
import type { Deadline } from '../outage/deadline.js';
import { parseData, serializeData } from '../model/data.js';
import { InvalidArgumentError } from '../model/errors.js';
import type { SessionEvents } from '../events/session-events.js';
import type { ReadonlySessionData, SessionData } from '../model/session.js';
import { isSessionId } from '../model/session-id.js';
import type { SessionStore } from '../model/store.js';
import type { SessionLookup } from './session-lookup.js';

export type DataChange = (data: SessionData) => ReadonlySessionData;

/** Changes what the application keeps in a session, without losing what others change at the same time. */
export class DataUpdate {
  constructor(
    private readonly store: SessionStore,
    private readonly lookup: SessionLookup,
    private readonly events: SessionEvents,
    private readonly queue: SessionQueue,
    private readonly announcer: Announcer,
    private readonly rules: { readonly maxDataBytes: number },
  ) {}

  /** @returns the new data, or `null` when the session is gone. @throws InvalidArgumentError */
  async update(id: string, change: DataChange): Promise<SessionData | null> {
    if (!isSessionId(id)) return null;
    if (typeof change !== 'function') {
      throw new InvalidArgumentError(
        'change',
        change,
        'pass a function of the data that returns the new data.',
      );
    }
    const { data, isChanged } = await this.queue.run(id, (deadline) => this.tryUpdate(id, change, deadline));
    // Somebody else has changed or ended it, and other nodes may not know yet.
    if (!isChanged) await settled(this.announcer, [session(id)]);
    return data;
  }

  private async tryUpdate(
    id: string,
    change: DataChange,
    deadline: Deadline,
  ): Promise<{ data: SessionData | null; isChanged: boolean } | null> {
    const record = await this.lookup.byId(id);
    if (record === null) return { data: null, isChanged: false };
    const text = serializeData(change(parseData(record.data)), this.rules.maxDataBytes);
    const isChanged = text !== record.data;
    if (isChanged) {
      const { dataVersion } = record;
      const next = { data: text, dataVersion: dataVersion + 1 };
      if (!(await deadline.run(() => this.store.change(id, { dataVersion }, next)))) return null;
      this.events.emit({ type: 'updated' }, record);
    }
    return { data: parseData(text), isChanged };
  }
}
