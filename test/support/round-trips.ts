import type { DataSource } from 'typeorm';

type Send = (...args: never[]) => unknown;

/** Counts what a data source sends to its server, at the driver. */
export function countingRoundTrips(dataSource: DataSource): { stop(): string[] } {
  const sent: string[] = [];
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    const connect = runner.connect.bind(runner);
    runner.connect = async () => {
      const client = (await connect()) as Record<'query' | 'execute', Send>;
      return new Proxy(client, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== 'function') return value;
          if (property !== 'query' && property !== 'execute') return value.bind(target);
          return (...args: [string | { text: string; sql: string }, ...never[]]) => {
            const [statement] = args;
            sent.push(typeof statement === 'string' ? statement : (statement.text ?? statement.sql));
            return (value as Send).apply(target, args as unknown as never[]);
          };
        },
      });
    };
    return runner;
  };
  return {
    stop: () => {
      dataSource.createQueryRunner = create;
      return sent;
    },
  };
}
