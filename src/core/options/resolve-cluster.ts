import { SessionBus } from '../model/session-bus.js';
import { integer } from './option-kinds.js';
import { Given, type Option, type OptionTable, readAll } from './option.js';
import type { ClusterOptions, NearCacheOptions } from './options.js';

const MEBIBYTE = 1_048_576;

/** What carries announcements; `null`: nothing does. */
export type ResolvedBus = 'postgres' | 'table' | SessionBus | null;

const CACHE = {
  maxBytes: integer({ min: MEBIBYTE }, 64 * MEBIBYTE),
} satisfies OptionTable<NearCacheOptions>;

const bus: Option<ResolvedBus> = {
  values: "`'postgres'`, `'table'`, a `SessionBus`",
  read(given) {
    const { value } = given;
    if (given.isLeftOut) return null;
    if (value === 'postgres' || value === 'table' || value instanceof SessionBus) return value;
    throw given.refuse(
      "use 'postgres', 'table', what redisBus(…) returns, or an instance of a class that extends SessionBus.",
    );
  },
};

/** The parts of the option `cluster`. */
export const CLUSTER = {
  bus,
  cache: {
    parts: CACHE,
    read(given: Given): { readonly maxBytes: number } | null {
      if (given.isLeftOut || given.value === false) return null;
      return readAll(CACHE, given.value === true ? new Given(given.path, {}) : given);
    },
  },
  directUrl: { values: 'a URL of PostgreSQL', read: readDirectUrl },
} satisfies OptionTable<ClusterOptions>;

function readDirectUrl(given: Given, others: { readonly bus: ResolvedBus }): string | null {
  if (given.isLeftOut) return null;
  const { value } = given;
  if (typeof value !== 'string' || !/^postgres(?:ql)?:\/\//.test(value))
    throw given.refuse('pass the URL of the database, without the pooler: postgres://….');
  if (others.bus === 'postgres') return value;
  throw given.refuse("it is for `bus: 'postgres'`: leave it out.");
}
