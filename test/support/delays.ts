import { setTimeout as wait } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';

/** What hesitates, and for how long at most, in milliseconds. */
export interface Delays {
  /** Before each statement. */
  readonly between: number;
  /** Within some of the statements that change sessions: after they have seen the other tables, before they have locked their row. */
  readonly within: number;
}

interface Client {
  query(config: { text: string; values: readonly unknown[]; name?: string }, ...rest: unknown[]): unknown;
  execute(statement: { readonly sql: string }, done: unknown): unknown;
}

/** Puts delays between and into the statements of a data source. @returns what ends that */
export function hesitating(dataSource: DataSource, delays: Delays): () => void {
  const create = dataSource.createQueryRunner.bind(dataSource);
  // On SQLite there is one for all.
  const slowed = new Map<QueryRunner, QueryRunner['connect']>();
  const paused = new WeakMap<Client, Client>();
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    if (slowed.has(runner)) return runner;
    slowed.set(runner, runner.connect);
    const connect = runner.connect.bind(runner);
    runner.connect = async () => {
      const client = (await connect()) as Client;
      if (Math.random() < 0.7) await wait(Math.random() * delays.between);
      const known = paused.get(client) ?? withPauses(client, runner, delays);
      paused.set(client, known);
      return known;
    };
    return runner;
  };
  return () => {
    dataSource.createQueryRunner = create;
    for (const [runner, connect] of slowed) runner.connect = connect;
  };
}

/** Only the hottest statements are prepared, and sign-ins are among them: they come here. */
function withPauses(client: Client, { connection }: QueryRunner, { within }: Delays): Client {
  const { type } = connection.options;
  const pausing = (sql: string) => {
    if (within === 0 || Math.random() < 0.5) return sql;
    const seconds = (Math.random() * within) / 1_000;
    const pause =
      type === 'postgres'
        ? `(SELECT true FROM pg_sleep(${seconds})) AND `
        : `(SELECT SLEEP(${seconds})) = 0 AND `;
    return sql.replace(/\bUPDATE\b(?! SET)[^]*?\bWHERE /, (update) => update + pause);
  };
  return new Proxy(client, {
    get(target, property) {
      if (property === 'query' && type === 'postgres') {
        return (config: unknown, ...rest: unknown[]) => {
          const { name, text, values } = config as { name?: string; text: string; values: unknown[] };
          // By the name the server would take the text for another one.
          return name === undefined
            ? target.query(config as never, ...rest)
            : target.query({ text: pausing(text), values });
        };
      }
      if (property === 'execute') {
        return (statement: { readonly sql: string }, done: unknown) =>
          target.execute({ ...statement, sql: pausing(statement.sql) }, done);
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
