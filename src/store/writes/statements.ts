import type { QueryRunner } from 'typeorm';
import { Deadline } from '../../core/outage/deadline.js';
import type { PreparedQuery, QueryOutcome } from '../query.js';
import type { PrimaryConnection } from '../primary-connection.js';

export type Values = Readonly<Record<string, unknown>>;
/** @param values by the names of the parameters, which stand in the text as `:name` */
export type Run = (sql: string, values?: Values) => Promise<QueryOutcome>;

/** A text with positional parameters, and which value each of them takes. */
interface Statement {
  readonly text: string;
  readonly names: readonly string[];
}

/** Runs statements of one call, and makes of each text once what the driver needs: query builders make it anew each time. */
export class Statements {
  /** @param deadline of each change */
  constructor(
    private readonly connection: PrimaryConnection,
    private readonly query: PreparedQuery,
    private readonly placeholder: (number: number) => string,
    readonly deadline: Deadline = Deadline.none(),
    private readonly prepared = new Map<string, Statement>(),
  ) {}

  /** The same for another call. */
  until(deadline: Deadline): Statements {
    return new Statements(this.connection, this.query, this.placeholder, deadline, this.prepared);
  }

  /** One statement, which is committed when this returns. */
  readonly run: Run = (sql, values) =>
    this.connection.write((runner) => this.runOn(runner, sql, values), this.deadline);

  /** One statement that changes nothing: again where its connection was lost. */
  readonly read: Run = (sql, values) => this.connection.read((runner) => this.runOn(runner, sql, values));

  /** @param kind a verb of `PrimaryConnection` */
  together<T>(kind: 'transaction' | 'briefly', work: (run: Run) => Promise<T>): Promise<T> {
    const begin = this.connection[kind]?.bind(this.connection);
    if (begin === undefined) throw new Error('There are no transactions on this connection.');
    const { deadline } = this;
    return begin(
      (runner) =>
        work((sql, values) => {
          deadline.assertAhead();
          return this.runOn(runner, sql, values);
        }),
      deadline,
    );
  }

  private runOn(runner: QueryRunner, sql: string, values: Values = {}): Promise<QueryOutcome> {
    let statement = this.prepared.get(sql);
    if (statement === undefined) this.prepared.set(sql, (statement = this.prepare(sql)));
    return this.query(
      runner,
      statement.text,
      statement.names.map((name) => values[name]),
    );
  }

  private prepare(sql: string): Statement {
    const names: string[] = [];
    const text = sql.replaceAll(/:([a-z]\w*)/gi, (_, name: string) => this.placeholder(names.push(name)));
    return { text, names };
  }
}
