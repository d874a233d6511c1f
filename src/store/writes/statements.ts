import type { QueryRunner } from 'typeorm';
import type { PreparedQuery, QueryOutcome } from './prepared-query.js';
import type { PrimaryConnection } from './primary-connection.js';

export type Values = Readonly<Record<string, unknown>>;

/** A text with positional parameters, and which value each of them takes. */
interface Statement {
  readonly text: string;
  readonly names: readonly string[];
}

/**
 * Runs statements in whose text parameters stand as `:name`. What the driver needs is made of a text once: query builders
 * make it anew for every call, which costs more than sending it.
 */
export class Statements {
  private readonly prepared = new Map<string, Statement>();

  constructor(
    private readonly connection: PrimaryConnection,
    private readonly query: PreparedQuery,
    /** Whether parameters are `$1`, or else `?`. */
    private readonly isNumbered: boolean,
  ) {}

  /** By itself: committed when this returns, and done again as a whole where the database gave it up. */
  run(sql: string, values: Values = {}): Promise<QueryOutcome> {
    return this.connection.write((runner) => this.runOn(runner, sql, values));
  }

  /**
   * Some statements in a transaction that is over soon: no limits are set for it, which would be more statements than
   * its own. Done again as a whole where the database gave it up.
   */
  together<T>(work: (run: Statements['run']) => Promise<T>): Promise<T> {
    return this.connection.briefly((runner) => work((sql, values = {}) => this.runOn(runner, sql, values)));
  }

  private runOn(runner: QueryRunner, sql: string, values: Values): Promise<QueryOutcome> {
    let statement = this.prepared.get(sql);
    if (statement === undefined) this.prepared.set(sql, (statement = this.prepare(sql)));
    const parameters = statement.names.map((name) => values[name]);
    return this.query(runner, statement.text, parameters);
  }

  private prepare(sql: string): Statement {
    const names: string[] = [];
    const text = sql.replaceAll(/:([a-z]\w*)/gi, (_, name: string) => {
      const known = this.isNumbered ? names.indexOf(name) + 1 : 0;
      if (known > 0) return `$${known}`;
      names.push(name);
      return this.isNumbered ? `$${names.length}` : '?';
    });
    return { text, names };
  }
}
