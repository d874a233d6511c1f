import type { DataSource } from 'typeorm';
import type { Deadline } from '../core/outage/deadline.js';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import type { SchemaCheck } from './schema-check.js';
import { TransactionGate } from './transaction-gate.js';

/**
 * The one connection of SQLite, which is the application's too. There are no transactions of ours on it: they would take
 * in what the application writes meanwhile.
 */
export class SharedConnection implements PrimaryConnection {
  private readonly gate: TransactionGate;

  constructor(
    private readonly dataSource: DataSource,
    private readonly schema: SchemaCheck | null = null,
  ) {
    this.gate = TransactionGate.of(dataSource);
  }

  read<T>(work: Work<T>): Promise<T> {
    return withPrimary(this.dataSource, async (runner) => {
      if (this.schema?.hasPassed === false) await this.schema.make(runner);
      return work(runner);
    });
  }

  write<T>(work: Work<T>, deadline: Deadline): Promise<T> {
    return this.gate.write(() => deadline.change(() => this.read(work), alwaysAnswers));
  }
}

/** There is no network in between. */
function alwaysAnswers(): boolean {
  return true;
}
