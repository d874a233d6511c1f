import type { DataSource } from 'typeorm';
import { type PrimaryConnection, withPrimary, type Work } from './primary-connection.js';
import { TransactionGate } from './transaction-gate.js';

/**
 * The one connection of SQLite, which is the application's too. There are no transactions of ours on it: they would take
 * in what the application writes meanwhile.
 */
export class SharedConnection implements PrimaryConnection {
  private readonly gate: TransactionGate;

  constructor(private readonly dataSource: DataSource) {
    this.gate = TransactionGate.of(dataSource);
  }

  read<T>(work: Work<T>): Promise<T> {
    return withPrimary(this.dataSource, work);
  }

  write<T>(work: Work<T>): Promise<T> {
    return this.gate.write(() => withPrimary(this.dataSource, work));
  }
}
