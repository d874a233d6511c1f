import type { DataSource } from 'typeorm';

type Send = (...args: never[]) => unknown;

/** Counts what a data source sends to its server, at the driver. `start` forgets what new connections are asked once. */
export function countingRoundTrips(dataSource: DataSource): { start(): void; stop(): string[] } {
  const sent: string[] = [];
  const counted = new WeakMap<object, object>();
  const create = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = create(mode);
    const connect = runner.connect.bind(runner);
    runner.connect = async () => {
      const client = (await connect()) as Record<'query' | 'execute', Send>;
      const known = counted.get(client);
      if (known !== undefined) return known;
      const proxy = new Proxy(client, {
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
      counted.set(client, proxy);
      return proxy;
    };
    return runner;
  };
  return {
    start: () => sent.splice(0),
    stop: () => {
      dataSource.createQueryRunner = create;
      return sent;
    },
  };
}
