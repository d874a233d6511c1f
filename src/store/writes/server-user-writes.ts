import { Deadline } from '../../core/outage/deadline.js';
import type { Admission, Admitted, EndedSession, ExpectedOwner } from '../../core/model/store.js';
import { expectedValues, turnValues, type UserSql, valuesOf } from './user-sql.js';
import type { StoredChange, StoredRecord } from '../columns.js';
import type { BatchedAct, BatchRun, UserWrites } from './user-writes.js';
import type { Statements, Values } from './statements.js';

/** The sessions that a sign-in has ended, since the user had too many; `null`: it changed nothing. */
export type Evicted = readonly EndedSession[] | null;

/** A sign-in on a session that is there: what it must be, and what it becomes. */
export interface Transition {
  readonly expected: ExpectedOwner;
  readonly change: StoredChange;
}

/**
 * Sign-ins on database servers. Statements are committed one by one; where two must be one step, a brief transaction holds
 * locks for these two only. A fresh session is committed pending, where whoever revokes finds it, and the statement that
 * makes it live looks for marks: either the revocation sees the session, or the sign-in sees the mark. One statement that
 * looks and inserts would see neither, for what it inserts is not there for others before it has ended.
 */
export abstract class ServerUserWrites implements UserWrites {
  constructor(
    protected readonly statements: Statements,
    protected readonly sql: UserSql,
  ) {}

  abstract until(deadline: Deadline): UserWrites;

  async insert(record: StoredRecord, admission: Admission): Promise<Admitted> {
    const values = { ...record, ...valuesOf(record.id, admission) };
    const { limit } = admission;
    const turn = limit === null ? await this.insertPending(values) : await this.insertInTurn(values);
    let evicted: Evicted;
    try {
      evicted = await this.enter({ ...values, ...turnValues(turn) }, admission);
    } catch (error) {
      // Whether it is live is not known, and nobody has its token.
      await this.takeBack(values).catch(() => {});
      throw error;
    }
    if (evicted !== null) return { outcome: 'admitted', evicted };
    const wasThere = await this.drop(values);
    if (await this.wasOvertaken(values)) return { outcome: 'overtaken' };
    if (!wasThere) return { outcome: 'conflict' };
    return { outcome: limit?.onReached === 'reject' ? 'limit-reached' : 'overtaken' };
  }

  async admit(
    id: string,
    expected: ExpectedOwner,
    change: StoredChange,
    admission: Admission,
  ): Promise<Admitted> {
    const isClaim = expected.userId === null;
    const values = { ...change, ...expectedValues(expected), ...valuesOf(id, admission) };
    const transition = { expected, change };
    const evicted = isClaim
      ? await this.claim(values, transition, admission)
      : await this.stepUp(values, transition);
    if (evicted !== null) return { outcome: 'admitted', evicted };
    if (await this.wasOvertaken(values)) return { outcome: 'overtaken' };
    const isLimited = isClaim && admission.limit?.onReached === 'reject';
    return { outcome: isLimited && (await this.isThere(values, expected)) ? 'limit-reached' : 'conflict' };
  }

  /** Inserts it pending with the user's next turn, in one: so sessions are there for others in the order of their turns. */
  protected abstract insertInTurn(values: Values): Promise<number>;
  /** Makes the pending session live, within the limit. */
  protected abstract enter(values: Values, admission: Admission): Promise<Evicted>;
  /**
   * Makes a session of nobody the user's. Before that a revocation of the user's sessions does not find it: hence the
   * user's row is locked meanwhile, and such a revocation has to wait before it can leave its mark there.
   */
  protected abstract claim(values: Values, transition: Transition, admission: Admission): Promise<Evicted>;

  protected async enterUnlimited(values: Values): Promise<Evicted> {
    const { affected } = await this.statements.run(this.sql.live, values);
    return affected > 0 ? [] : null;
  }

  protected async insertPending(values: Values): Promise<number> {
    await this.statements.run(this.sql.insertPending, values);
    return 0;
  }

  private async stepUp(values: Values, { expected, change }: Transition): Promise<Evicted> {
    const { affected } = await this.statements.run(this.sql.stepUp(expected, change), values);
    return affected > 0 ? [] : null;
  }

  abstract runBatch(act: BatchedAct, values: Values): Promise<BatchRun>;

  /** However late it is. */
  private async takeBack(values: Values): Promise<void> {
    await this.statements.until(Deadline.none()).run(this.sql.drop, values);
    this.statements.deadline.undone();
  }

  private async drop(values: Values): Promise<boolean> {
    return (await this.statements.run(this.sql.drop, values)).affected > 0;
  }

  private async wasOvertaken(values: Values): Promise<boolean> {
    return (await this.statements.run(this.sql.wasOvertaken, values)).rows.length > 0;
  }

  private async isThere(values: Values, expected: ExpectedOwner): Promise<boolean> {
    return (await this.statements.run(this.sql.isThere(expected), values)).rows.length > 0;
  }
}
