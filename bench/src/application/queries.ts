import { Client } from 'pg';
import sqlite3 from 'sqlite3';

let count = 0;

/** Statements and commands that this process has sent to a database. */
export function queries(): number {
  return count;
}

/** Counts where the drivers send, below all libraries. */
export function countQueries(): void {
  countCalls(Client.prototype, ['query']);
  countCalls(sqlite3.Database.prototype, ['all', 'each', 'exec', 'get', 'run']);
}

/** The same for a client whose class its package does not show. */
export function countCommandsOf(client: { sendCommand(...args: never[]): unknown }): void {
  let owner: object = client;
  while (!Object.hasOwn(owner, 'sendCommand')) owner = Object.getPrototypeOf(owner) as object;
  countCalls(owner, ['sendCommand']);
}

function countCalls(owner: object, methods: readonly string[]): void {
  const target = owner as Record<string, (...args: unknown[]) => unknown>;
  for (const method of methods) {
    const original = target[method];
    if (original === undefined) throw new Error(`The driver has no method ${method} to count.`);
    target[method] = function (this: unknown, ...args: unknown[]) {
      count++;
      return original.apply(this, args);
    };
  }
}
