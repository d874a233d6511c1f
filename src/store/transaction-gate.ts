import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { GATE_PATIENCE } from '../core/outage/time-budgets.js';
import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';

/**
 * On SQLite TypeORM runs everything on one connection. A write made while the application has a transaction open belongs
 * to that transaction, and a rollback undoes it. The gate keeps the two apart: session writes wait until an open
 * transaction has ended, and a transaction begins when the session writes in flight are done.
 *
 * Whether one is open TypeORM's own mark says. Its events do not: a subscriber of the application's that throws keeps
 * them from those behind it, and one that throws before the start keeps the transaction from beginning at all.
 *
 * Code that changes a session inside its own transaction would wait for itself for ever. So a write waits for a bounded
 * time only, and then joins the transaction.
 */
export class TransactionGate implements EntitySubscriberInterface {
  private readonly logger = new Logger('SessionStore');
  private readonly inFlight = new Set<Promise<unknown>>();
  private readonly watched = new WeakSet<QueryRunner>();
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
    // While one transaction is beginning, another one may be started beside it. TypeORM counts on the one query runner
    // that both have, and would take the second for a part of the first, a savepoint: the end of one would end both. So
    // the second waits until the first has ended.
    const deadline = Date.now() + GATE_PATIENCE;
    while (this.isBeginning && this.transaction !== null && Date.now() < deadline) {
      await settledWithin(this.transaction.promise, deadline - Date.now());
      // TypeORM set this before it called us, and the end of the first transaction has cleared it again.
      (queryRunner as { isTransactionActive: boolean }).isTransactionActive = true;
    }
    this.isBeginning ||= this.transaction === null;
    this.transaction ??= deferred();
    this.watch(queryRunner);
    await Promise.allSettled(this.inFlight);
  }

  afterTransactionStart(): void {
    this.isBeginning = false;
  }

  /** Sees the end of the outermost transaction: then, or when it could not begin, TypeORM takes its mark away. */
  private watch(queryRunner: QueryRunner): void {
    if (this.watched.has(queryRunner)) return;
    this.watched.add(queryRunner);
    let isActive = queryRunner.isTransactionActive;
    Object.defineProperty(queryRunner, 'isTransactionActive', {
      configurable: true,
      enumerable: true,
      get: () => isActive,
      set: (value: boolean) => {
        isActive = value;
        if (!isActive) this.release();
      },
    });
  }

  private release(): void {
    this.isBeginning = false;
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
