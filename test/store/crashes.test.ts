import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import { resolveOptions } from '../../src/core/options/resolve-options.js';
import { SessionCore } from '../../src/core/session-core.js';
import { SessionService } from '../../src/session.service.js';
import { SessionEntity, sessionEntities } from '../../src/store/session.entity.js';
import { TypeOrmSessionStore } from '../../src/store/typeorm-session.store.js';
import { describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { EFFORT } from '../support/exploration.js';
import { NodeProcess } from '../support/processes.js';

/** Processes that are killed, on each database. */
const KILLS = Number(process.env['TEST_KILLS'] ?? 10 * EFFORT);
/** So many run side by side. */
const WAVE = 5;
const LANES = 3;
/** Notes after which a process is at full speed. */
const WARM = 30;
const LIMIT = 2;
const CROWD = 'crowd';
const LONGEST_SIGN_IN = 5_000;

jest.setTimeout(KILLS * 10_000);

const VERBS = [
  'create',
  'signIn',
  'stepUp',
  'rotate',
  'present',
  'update',
  'setRoles',
  'revoke',
  'revokeAll',
] as const;
type Verb = (typeof VERBS)[number];

interface KnownSession {
  readonly id: string;
  readonly token: string;
  readonly dead: readonly string[];
  readonly n: number;
}
/** What a process knew of a user when it was killed: all of it had been answered, but for the pending verb. */
interface Known {
  readonly user: string;
  readonly roles: readonly string[];
  readonly live: readonly KnownSession[];
  readonly gone: readonly KnownSession[];
  readonly pending: { readonly verb: Verb; readonly about: string | null } | null;
}
type Note = Known | { readonly user: string; readonly failure: string };

// Every token is due at once, and a dead one has no excuse.
const OPTIONS: SessionModuleOptions = { timeouts: { renewal: 1 }, grace: 0, touchEvery: 0 };
const LIMITED = { ...OPTIONS, maxSessionsPerUser: LIMIT };

await describeOnEachDatabase((leg) => {
  if (!leg.isShared) return;
  const isSqlite = leg.name.startsWith('SQLite');
  /** Sign-ins that make room in a statement of its own: whoever is killed before it leaves one session too many. */
  const makesRoomLater = (verb: Verb | undefined) =>
    leg.name === 'PostgreSQL' ? verb === 'signIn' : isSignIn(verb);
  let database: TestDatabase;

  beforeAll(async () => {
    database = await leg.create();
    const entities = [...sessionEntities];
    const dataSource = new DataSource({ ...database.options, entities, synchronize: true });
    await (await dataSource.initialize()).destroy();
  });
  afterAll(() => database.drop());

  const startWave = () =>
    Promise.all(Array.from({ length: WAVE }, () => NodeProcess.start(database.options, LIMITED)));

  it(`keeps its word over ${KILLS} kills in the middle of its work`, async () => {
    const hit = new Map<Verb, number>();
    const failures: string[] = [];
    let starting = startWave();
    for (let killed = 0; killed < KILLS; killed += WAVE) {
      const processes = await starting;
      await Promise.all(
        processes.map(async (each, index) => {
          const lanes = Array.from({ length: LANES }, (_, lane) => `${killed + index}-${lane}`);
          await each.ask('busy', lanes, CROWD);
          while (each.notes.length < WARM) await wait(1);
          await wait(Math.random() * 60);
          await each.kill();
        }),
      );
      starting = killed + WAVE < KILLS ? startWave() : Promise.resolve([]);
      const notes = processes.flatMap((each) => each.notes as Note[]);
      for (const note of notes) if ('failure' in note) failures.push(note.failure);
      const users = lastStates(notes);
      for (const { pending } of users) if (pending) hit.set(pending.verb, (hit.get(pending.verb) ?? 0) + 1);
      await Survivor.inspect(database, users, isSqlite, makesRoomLater);
    }
    // SQLite lets one process write at a time, and gives up on the others after a while.
    expect(failures.filter((text) => !isSqlite || !text.includes('session_store_unavailable'))).toEqual([]);
    if (KILLS >= 100) expect([...hit.keys()].toSorted()).toEqual(VERBS.toSorted());
  });
});

/** The last that was heard of each user. */
function lastStates(notes: readonly Note[]): Known[] {
  const states = new Map<string, Known>();
  for (const note of notes) if (!('failure' in note)) states.set(note.user, note);
  return [...states.values()];
}

/** A node that comes to the database after the processes were killed. */
class Survivor {
  private constructor(
    private readonly core: SessionCore,
    private readonly store: TypeOrmSessionStore,
    private readonly service: SessionService,
    private readonly makesRoomLater: (verb: Verb | undefined) => boolean,
  ) {}

  static async inspect(
    database: TestDatabase,
    users: readonly Known[],
    isSqlite: boolean,
    makesRoomLater: (verb: Verb | undefined) => boolean,
  ): Promise<void> {
    const entities = [...sessionEntities];
    const dataSource = await new DataSource({ ...database.options, entities }).initialize();
    try {
      const assemble = (options: SessionModuleOptions) => {
        const store = new TypeOrmSessionStore(dataSource, { entity: SessionEntity, purgeBatchSize: null });
        const core = new SessionCore(resolveOptions(options), store, {
          onOutage: (cause) => expect(cause).toBeUndefined(),
          onRecovery: () => {},
          onSubscriberError: () => {},
        });
        return new Survivor(core, store, new SessionService(core), makesRoomLater);
      };
      const [limited, survivor] = [assemble(LIMITED), assemble(OPTIONS)];
      await limited.signInToTheCrowd();
      await Promise.all(users.map((known) => survivor.inspectUser(known)));
      await limited.store.flush();
      await survivor.store.flush();
      expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
      if (isSqlite) {
        expect(await dataSource.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      }
    } finally {
      await dataSource.destroy();
    }
  }

  /** Everybody was at it when they were killed: no lock of theirs remains, and what they left is put in order. */
  private async signInToTheCrowd(): Promise<void> {
    const { token } = await this.signIn(CROWD);
    expect(await this.reasonFor(token)).toBe('live');
    expect((await this.service.list(CROWD)).length).toBeLessThanOrEqual(LIMIT);
  }

  private async inspectUser(known: Known): Promise<void> {
    const { user, live, gone, pending } = known;
    const surplus = this.makesRoomLater(pending?.verb) ? 1 : 0;
    expect((await this.service.list(user)).length).toBeLessThanOrEqual(LIMIT + surplus);
    if (pending) await this.signIn(user); // waits for what the database server may still be doing for the dead
    for (const session of gone) expect(await this.reasonFor(session.token)).toBe('unknown');
    const found: (boolean | null)[] = [];
    for (const session of live) found.push(await this.inspectSession(known, session));
    if (pending?.verb === 'revokeAll') expect(new Set(found).size).toBeLessThanOrEqual(1);
  }

  /** @returns whether it is there */
  private async inspectSession(known: Known, session: KnownSession): Promise<boolean> {
    const { live, pending } = known;
    const verb = pending?.about === session.id || pending?.verb === 'revokeAll' ? pending.verb : null;
    const isOldest = session === live[0] && live.length === LIMIT;
    const mayBeGone = verb === 'revoke' || verb === 'revokeAll' || (isSignIn(pending?.verb) && isOldest);
    const reason = await this.reasonFor(session.token);
    if (mayBeGone && reason !== 'live') {
      expect(reason).toBe('unknown');
      return false;
    }
    if (verb === 'rotate' || verb === 'stepUp') {
      expect(['live', 'rotated']).toContain(reason);
      expect(await this.service.get(session.id)).not.toBeNull();
      return true;
    }
    expect(reason).toBe('live');
    const found = await this.service.get(session.id);
    expect(found).toMatchObject({ id: session.id, userId: known.user });
    const { n = 0 } = (found?.data ?? {}) as { n?: number };
    expect(verb === 'update' ? [session.n, session.n + 1] : [session.n]).toContain(n);
    const roles = [known.roles];
    if (pending?.verb === 'setRoles') roles.push([pending.about as string]);
    expect(roles).toContainEqual(found?.roles);
    // Whoever renewed was killed before the answer, or after it, or has not begun: the client asks again.
    if (verb === 'present') await this.renew(session);
    const [dead] = session.dead.slice(-1);
    if (dead !== undefined) expect(await this.reasonFor(dead)).not.toBe('live');
    return true;
  }

  private async renew({ id, token }: KnownSession): Promise<void> {
    const shown = await this.core.validation.validate(token);
    if (shown.reason !== undefined) throw new Error(shown.reason);
    const renewed = await this.core.rotation.renew(shown);
    expect(renewed).not.toBeNull();
    const verdict = await this.service.validate(renewed as string);
    expect(verdict.session?.id).toBe(id);
    expect(await this.reasonFor(token)).not.toBe('live');
  }

  private async signIn(user: string): Promise<{ token: string }> {
    const began = Date.now();
    const issued = await this.service.create({ userId: user });
    expect(Date.now() - began).toBeLessThan(LONGEST_SIGN_IN);
    return issued;
  }

  private async reasonFor(token: string): Promise<string> {
    return (await this.service.validate(token)).reason ?? 'live';
  }
}

function isSignIn(verb: Verb | undefined): boolean {
  return verb === 'create' || verb === 'signIn';
}
