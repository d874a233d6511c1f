import { hash } from 'node:crypto';
import type { Deadline } from '../../core/outage/deadline.js';
import { GroupedReads } from '../grouped-reads.js';
import type { QueryOutcome } from '../query.js';
import { EVERYONE, NUMBER, type OrderSql } from './order-sql.js';
import type { Statements } from './statements.js';

/** Whose sessions a change is about: a user id, or `null` for everyone. */
export type Whose = string | null;

/**
 * What came first, as a number that one row hands out. A row and not a sequence: replication and restores leave
 * sequences behind, and a number behind the marks would lock people out.
 */
export class SessionOrder {
  private readonly reads: GroupedReads<number>;

  constructor(
    private readonly statements: Statements,
    private readonly sql: OrderSql,
  ) {
    this.reads = new GroupedReads(async () => new Map([[NUMBER, await this.ofRow('read', this.statements)]]));
  }

  /** The latest number. Those who ask at the same time share a read that begins after all of them have asked. */
  async latest(): Promise<number> {
    return (await this.reads.read(NUMBER)) as number;
  }

  /**
   * Draws the number of a change and leaves it as a mark, in two statements that are committed when this returns. In one,
   * somebody who holds the row of one user would hold up the changes of all; in one transaction with what the change does,
   * a sign-in beside it would see neither.
   */
  async mark(whose: Whose, deadline: Deadline): Promise<number> {
    const statements = this.statements.until(deadline);
    const number = await this.ofRow('draw', statements);
    await statements.run(this.sql.mark, { hash: hashOf(whose), number });
    return number;
  }

  /** Makes the rows that there have to be, where they are not there. */
  private async create(statements: Statements): Promise<void> {
    await statements.run(this.sql.create);
  }

  /** Deletes some marks that no sign-in needs any more; how many. */
  async forget(): Promise<number> {
    return (await this.statements.run(this.sql.forget)).affected;
  }

  private async ofRow(statement: 'read' | 'draw', statements: Statements): Promise<number> {
    const run = statement === 'read' ? statements.read : statements.run;
    let number = numberOf(await run(this.sql[statement]));
    if (number !== null) return number;
    await this.create(statements);
    number = numberOf(await run(this.sql[statement]));
    if (number === null) throw new Error('The row that numbers are drawn from vanishes again and again.');
    return number;
  }
}

export function hashOf(whose: Whose): string {
  return whose === null ? EVERYONE : hash('sha256', whose);
}

function numberOf({ rows: [row], affected, insertId }: QueryOutcome): number | null {
  if (row !== undefined) return Number((row as { number: unknown }).number);
  return insertId > 0 && affected > 0 ? insertId : null;
}
