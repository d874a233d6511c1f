import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { GATE_PATIENCE } from '../core/outage/time-budgets.js';

/**
 * On SQLite TypeORM runs everything on one connection: a write made while a transaction of the application's is open
 * belongs to that transaction, and is undone when it rolls back. The gate keeps the two apart: session writes wait
 * for an open transaction to end, and a transaction waits for the session writes in flight before it begins.
 *
 * Whoever changes a session inside a transaction would wait for himself; hence the patience is bounded, after which
 * the write joins the transaction.
 */
export class TransactionGate implements EntitySubscriberInterface {
  private readonly logger = new Logger('SessionStore');
  private readonly inFlight = new Set<Promise<unknown>>();
  private transaction: Deferred | null = null;
  /** Whether the outermost transaction has yet to begin. */
  private isBeginning = false;

  /** The gate of a data source; one per connection, however many stores write through it. */
  static of(dataSource: DataSource): TransactionGate {
    const present = dataSource.subscribers.find((subscriber) => subscriber instanceof TransactionGate);
    if (present) return present;
    const gate = new TransactionGate();
    dataSource.subscribers.push(gate);
    return gate;
  }

  /** Runs a write of single statements outside the transactions of the application. */
  async write<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + GATE_PATIENCE;
    while (this.transaction !== null) {
      const patience = deadline - Date.now();
      if (patience <= 0) {
        this.logger.warn(
          'A session is changed while a transaction has been open on the same SQLite connection for ' +
            `${GATE_PATIENCE} ms: the change joins the transaction, and a rollback undoes it. Call SessionService outside ` +
            'of transactions, or give sessions a data source with a file of its own (option `dataSource`).',
        );
        break;
      }
      await settledWithin(this.transaction.promise, patience);
    }
    const writing = work();
    this.inFlight.add(writing);
    try {
      return await writing;
    } finally {
      this.inFlight.delete(writing);
    }
  }

  async beforeTransactionStart({ queryRunner }: { queryRunner: QueryRunner }): Promise<void> {
    // Whoever comes now is not inside of it, and has to wait for its end: TypeORM would mix up the two.
    const deadline = Date.now() + GATE_PATIENCE;
    while (this.isBeginning && this.transaction !== null && Date.now() < deadline) {
      await settledWithin(this.transaction.promise, deadline - Date.now());
      // As TypeORM had it before the other ended: there is one query runner for all.
      (queryRunner as { isTransactionActive: boolean }).isTransactionActive = true;
    }
    this.isBeginning ||= this.transaction === null;
    this.transaction ??= deferred();
    await Promise.allSettled(this.inFlight);
  }

  afterTransactionStart(): void {
    this.isBeginning = false;
  }

  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    this.release(queryRunner);
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    this.release(queryRunner);
  }

  private release(queryRunner: QueryRunner): void {
    if (queryRunner.isTransactionActive) return; // only a savepoint has ended
    this.transaction?.resolve();
    this.transaction = null;
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function settledWithin(promise: Promise<void>, milliseconds: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([promise, wait(milliseconds, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
