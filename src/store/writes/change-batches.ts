import {
  type ChangeBatch,
  BATCH_SIZE,
  type BatchDone,
  type EndedSession,
  type RolesChange,
} from '../../core/model/store.js';
import type { Deadline } from '../../core/outage/deadline.js';
import { ENDED_FIELDS, type EndedRow, toEnded, wasLive } from '../session-rows.js';
import type { UserSql } from './user-sql.js';
import type { BatchedAct, UserWrites } from './user-writes.js';
import type { Values } from './statements.js';

type Act = Omit<BatchedAct, 'condition'> & { readonly conditions: readonly string[] };
type Row = { readonly id: string } & Readonly<Record<string, unknown>>;

/**
 * Changes of very many sessions, batch by batch. Each batch holds by itself, and the mark is there already: what began before
 * it and is not there yet is refused, so that a walk from the newest session to the oldest misses none. A session that
 * somebody else has locked is waited for: if it were passed over, it would outlive the change.
 */
export class ChangeBatches {
  private readonly deletion: string;

  constructor(
    private readonly users: UserWrites,
    private readonly sql: UserSql,
  ) {
    this.deletion = `DELETE FROM ${sql.names.sessions}`;
  }

  async deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
    deadline: Deadline,
  ): Promise<BatchDone<readonly EndedSession[]>> {
    const { names, isTheirs } = this.sql;
    const others = except === null ? [] : [`${names.session('id')} <> :except`];
    const act = { act: this.deletion, conditions: [isTheirs, ...others], fields: ENDED_FIELDS };
    const { result, next } = await this.run(act, { userId, except }, batch, deadline);
    return { result: (result as unknown as EndedRow[]).map(toEnded).filter(wasLive), next };
  }

  async deleteAll(
    createdBefore: number | null,
    batch: ChangeBatch,
    deadline: Deadline,
  ): Promise<BatchDone<number>> {
    const conditions =
      createdBefore === null ? [] : [`${this.sql.names.session('createdAt')} < :createdBefore`];
    const act: Act = { act: this.deletion, conditions, fields: ['id'] };
    const { result, next } = await this.run(act, { createdBefore }, batch, deadline);
    return { result: result.length, next };
  }

  /** @param purgeStep what `purgeAfter` is a multiple of */
  async setRoles(
    userId: string,
    change: RolesChange,
    purgeStep: number,
    batch: ChangeBatch,
    deadline: Deadline,
  ): Promise<BatchDone<number>> {
    const { names, isTheirs } = this.sql;
    const expiresAt = names.session('expiresAt');
    const act: Act = {
      act: `UPDATE ${names.sessions} SET ${this.sql.newRoles(purgeStep)}`,
      // Those that are pending too: each may become live in the next moment.
      conditions: [
        isTheirs,
        `${names.session('rolesSet')} < :number`,
        `(${expiresAt} > :now OR ${expiresAt} = 0)`,
      ],
      fields: ['id', 'expiresAt'],
    };
    const { result, next } = await this.run(act, { ...change, userId }, batch, deadline);
    return { result: result.filter((row) => Number(row['expiresAt']) > 0).length, next };
  }

  private async run(
    { act, conditions, fields }: Act,
    values: Values,
    { number, before }: ChangeBatch,
    deadline: Deadline,
  ): Promise<BatchDone<readonly Row[]>> {
    const { session } = this.sql.names;
    const isFurther = before === null ? [] : [`${session('id')} < :before`];
    const condition = [...conditions, `${session('begun')} < :number`, ...isFurther].join(' AND ');
    const users = this.users.until(deadline);
    const { ids, done } = await users.runBatch({ act, condition, fields }, { ...values, number, before });
    const result = done as readonly Row[];
    if (ids.length < BATCH_SIZE) return { result, next: null };
    return { result, next: ids.reduce((one, other) => (one < other ? one : other)) };
  }
}
