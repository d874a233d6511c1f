import { type Platform, PLATFORMS, type Start } from './contestant.js';

interface Family {
  readonly name: string;
  readonly variant?: string;
  readonly title: string;
  readonly platforms?: readonly Platform[];
  /** When a revoked session is refused. */
  readonly revocation: Revocation;
  readonly load: () => Promise<Start>;
}

/** `open`: nobody is refused in the first place. */
export type Revocation = 'at once' | 'when the cookie expires' | 'never' | 'open';

/** Which of them to run. */
export interface Choice {
  readonly only: readonly string[];
  readonly platforms: readonly Platform[];
}

/** One row of the table: a way to know the session of a request, on one platform. */
export interface Contestant extends Omit<Family, 'platforms'> {
  /** Family, platform and variant: `ours-fastify-pg`. */
  readonly id: string;
  readonly platform: Platform;
}

const FAMILIES: readonly Family[] = [
  {
    name: 'bare',
    title: 'bare handler',
    revocation: 'open',
    load: async () => (await import('./bare.js')).handler,
  },
  {
    name: 'ceiling',
    title: "guard that only sets the request's user",
    revocation: 'open',
    load: async () => (await import('./bare.js')).guard,
  },
  {
    name: 'ours',
    variant: 'pg',
    title: '**nestjs-sessions**, PostgreSQL',
    revocation: 'at once',
    load: async () => (await import('./ours.js')).postgres,
  },
  {
    name: 'ours',
    variant: 'cache',
    title: '**nestjs-sessions**, PostgreSQL, near cache',
    revocation: 'at once',
    load: async () => (await import('./ours.js')).nearCache,
  },
  {
    name: 'ours',
    variant: 'sqlite',
    title: '**nestjs-sessions**, sqlite3',
    revocation: 'at once',
    load: async () => (await import('./ours.js')).sqlite,
  },
  {
    name: 'floor',
    title: "one prepared SELECT on the driver's pool",
    revocation: 'at once',
    load: async () => (await import('./own-table.js')).preparedQuery,
  },
  {
    name: 'query',
    title: 'one `dataSource.query`',
    revocation: 'at once',
    load: async () => (await import('./own-table.js')).query,
  },
  {
    name: 'typeorm',
    title: 'TypeORM `findOne` and `save`',
    revocation: 'at once',
    load: async () => (await import('./own-table.js')).findAndSave,
  },
  {
    name: 'session',
    variant: 'memory',
    title: 'express-session, memory',
    platforms: ['express'],
    revocation: 'at once',
    load: async () => (await import('./cookie-session.js')).inMemory,
  },
  {
    name: 'session',
    variant: 'pg',
    title: 'express-session, connect-pg-simple',
    platforms: ['express'],
    revocation: 'at once',
    load: async () => (await import('./cookie-session.js')).inPostgres,
  },
  {
    name: 'session',
    variant: 'typeorm',
    title: 'express-session, connect-typeorm',
    platforms: ['express'],
    revocation: 'at once',
    load: async () => (await import('./cookie-session.js')).inTypeorm,
  },
  {
    name: 'session',
    variant: 'redis',
    title: 'express-session, connect-redis',
    platforms: ['express'],
    revocation: 'at once',
    load: async () => (await import('./cookie-session.js')).inRedis,
  },
  {
    name: 'session',
    variant: 'pg',
    title: '@fastify/session, connect-pg-simple',
    platforms: ['fastify'],
    revocation: 'at once',
    load: async () => (await import('./cookie-session.js')).inPostgres,
  },
  {
    name: 'session',
    variant: 'redis',
    title: '@fastify/session, connect-redis',
    platforms: ['fastify'],
    revocation: 'at once',
    load: async () => (await import('./cookie-session.js')).inRedis,
  },
  {
    name: 'jwt',
    variant: 'string',
    title: '@nestjs/jwt, secret as a string',
    revocation: 'never',
    load: async () => (await import('./jwt.js')).withString,
  },
  {
    name: 'jwt',
    variant: 'key',
    title: '@nestjs/jwt, secret as a `KeyObject`',
    revocation: 'never',
    load: async () => (await import('./jwt.js')).withKeyObject,
  },
  {
    name: 'better-auth',
    title: 'better-auth',
    revocation: 'at once',
    load: async () => (await import('./better-auth.js')).plain,
  },
  {
    name: 'better-auth',
    variant: 'cache',
    title: 'better-auth, cookie cache',
    revocation: 'when the cookie expires',
    load: async () => (await import('./better-auth.js')).withCookieCache,
  },
];

const CONTESTANTS: readonly Contestant[] = PLATFORMS.flatMap((platform) =>
  FAMILIES.filter(({ platforms = PLATFORMS }) => platforms.includes(platform)).map((family) => ({
    ...family,
    platform,
    id: [family.name, platform, family.variant].filter(Boolean).join('-'),
  })),
);

/** @param only parts of ids; without any, all */
export function contestants({ only, platforms }: Choice): readonly Contestant[] {
  const chosen = CONTESTANTS.filter(
    ({ id, platform }) =>
      platforms.includes(platform) && (only.length === 0 || only.some((part) => id.includes(part))),
  );
  if (chosen.length === 0) {
    throw new Error(`There is none of these. There are: ${CONTESTANTS.map(({ id }) => id).join(', ')}.`);
  }
  return chosen;
}

export function contestant(id: string): Contestant {
  const found = CONTESTANTS.find((one) => one.id === id);
  if (found === undefined) throw new Error(`Nothing is called ${id}.`);
  return found;
}
