import { hash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { BegunSignIn } from '../../src/core/life/begun-sign-in.js';
import type { SessionPrincipal } from '../../src/core/model/principal.js';
import type { SessionRecord } from '../../src/core/model/record.js';
import { toException } from '../../src/session.exceptions.js';
import { hesitating } from './delays.js';
import type { TestCluster, TestNode } from './store.js';

const LANES = 10;
/** Of users who have signed in beside a `revokeEveryone`. */
const CROWD = 10;
const LIMIT = 1;

/** How somebody signs in, and what is there before. */
const SIGN_INS = [
  'fresh',
  'anonymous',
  'step-up',
  'step-up with roles',
  'at a limit that evicts',
  'at a limit that rejects',
  'anonymous, at a limit that evicts',
  'anonymous, at a limit that rejects',
] as const;
type SignIn = (typeof SIGN_INS)[number];

const CHANGES = ['revokeAll', 'revokeAll with except', 'setRoles', 'setRoles to the same roles'] as const;
type Change = (typeof CHANGES)[number] | 'revokeEveryone';

/** A user, the session that somebody signs in on, and one that `except` names. */
interface Scene {
  readonly userId: string;
  readonly on: string | null;
  readonly kept: string | null;
}

interface SignedIn {
  readonly began: number;
  readonly begun: BegunSignIn;
  readonly id: string | null;
  readonly refusal: string | null;
}

export interface Racers {
  readonly cluster: TestCluster;
  /** Of one database: people sign in on the first and sessions are revoked on the second; there may be only one. */
  readonly nodes: readonly [TestNode, ...TestNode[]];
}

interface Race {
  /** Of each kind of sign-in against each kind of change. `TEST_ROUNDS=1000` races longer. */
  readonly rounds: number;
  /** Whether statements can be held up while they run. */
  readonly hasDelays: boolean;
}

/** Races all kinds of sign-in against all changes that they must not outlive, and against each other. */
export function signInRaces(start: () => Promise<Racers>, { rounds: byDefault, hasDelays }: Race): void {
  const ROUNDS = Number(process.env['TEST_ROUNDS'] ?? byDefault);
  let cluster: TestCluster;
  let nodes: readonly TestNode[];
  let base: TestNode;
  let other: TestNode;
  let evicting: TestNode;
  let rejecting: TestNode;
  let users = 0;

  beforeAll(async () => {
    const racers = await start();
    ({ cluster, nodes } = racers);
    base = racers.nodes[0];
    other = racers.nodes[1] ?? base;
    evicting = limited(base, 'evict-oldest');
    rejecting = limited(base, 'reject');
  }, 120_000);
  beforeEach(async () => {
    for (const table of ['sessions', 'session_users']) await base.dataSource.query(`DELETE FROM ${table}`);
  });

  const limited = (node: TestNode, onSessionLimit: 'evict-oldest' | 'reject') =>
    cluster.nodeSharing(node, { maxSessionsPerUser: LIMIT, onSessionLimit });
  const nodeOf = (kind: SignIn) =>
    kind.includes('evicts') ? evicting : kind.includes('rejects') ? rejecting : base;

  async function prepare(kind: SignIn): Promise<Scene> {
    const userId = `user-${++users}`;
    const create = async () => (await base.service.create({ userId, roles: ['old'] })).session.id;
    if (kind.startsWith('anonymous')) {
      const { session } = await base.service.createAnonymous({ cart: [1] });
      return { userId, on: session.id, kept: kind.includes('rejects') ? null : await create() };
    }
    const kept = kind.includes('rejects') ? null : await create();
    return { userId, on: kind.startsWith('step-up') ? kept : null, kept };
  }

  async function signIn(kind: SignIn, { userId, on }: Scene): Promise<SignedIn> {
    const { service } = nodeOf(kind);
    const began = performance.now();
    const begun = await service.beginSignIn();
    await pause(); // the handler looks at credentials
    const roles = kind === 'step-up' ? undefined : [kind === 'step-up with roles' ? 'admin' : 'old'];
    const principal: SessionPrincipal = { userId, ...(roles && { roles }), level: 2 };
    try {
      const { session } = await (on === null
        ? service.create(principal, {}, { begun })
        : service.authenticate(on, principal, { begun }));
      return { began, begun, id: session.id, refusal: null };
    } catch (error) {
      const { code } = toException(error) as { code?: string };
      if (code !== 'session_invalid' && code !== 'session_limit') throw error;
      return { began, begun, id: on, refusal: code };
    }
  }

  /** @returns when it had ended, and what its number was */
  async function change(verb: Change, { userId, kept }: Pick<Scene, 'userId' | 'kept'>) {
    const { service } = other;
    if (verb === 'revokeEveryone') await service.revokeEveryone();
    else if (verb.startsWith('setRoles'))
      await service.setRoles(userId, [verb === 'setRoles' ? 'new' : 'old']);
    else await service.revokeAll(userId, verb === 'revokeAll' || kept === null ? {} : { except: kept });
    const ended = performance.now();
    const whose = verb === 'revokeEveryone' ? 'everyone' : hash('sha256', userId);
    const [row] = (await other.dataSource.query(
      `SELECT number FROM session_users WHERE user_hash = '${whose}'`,
    )) as { number: unknown }[];
    return { ended, number: Number(row?.number) };
  }

  /** What must not be, once both have ended. */
  async function problemsOf(
    kind: SignIn,
    verb: Change,
    scene: Scene,
    signedIn: SignedIn,
    changed: { ended: number; number: number },
  ): Promise<string[]> {
    const record = signedIn.id === null ? null : await base.store.findById(signedIn.id);
    const isLive = record?.userId === scene.userId && record.expiresAt > cluster.clock.now();
    const isSignedIn = isLive && (kind.startsWith('step-up') ? record.level2At !== null : true);
    const wasFirst = signedIn.begun.latestChange < changed.number;
    const isSpared = verb === 'revokeAll with except' && signedIn.id === scene.kept;
    const problems: [boolean, string][] = [
      [wasFirst && isLive && !verb.startsWith('setRoles') && !isSpared, 'it outlives the change'],
      [
        wasFirst && isSignedIn && verb.startsWith('setRoles') && hasOtherRoles(record, verb),
        'it has other roles',
      ],
      [
        signedIn.refusal === 'session_invalid' && signedIn.began > changed.ended && !isGone(kind, verb),
        'it is refused though it began later',
      ],
      [signedIn.refusal !== null && isSignedIn, 'it is refused, and signed in'],
      [await isDataLost(kind, verb, scene, signedIn), 'its data is lost'],
      [(await leftovers(scene)).length > 0, 'a session is left that is not live'],
    ];
    return problems.flatMap(([isWrong, problem]) => (isWrong ? [`${kind} × ${verb}: ${problem}`] : []));
  }

  async function isDataLost(
    kind: SignIn,
    verb: Change,
    { on }: Scene,
    { refusal }: SignedIn,
  ): Promise<boolean> {
    if (!kind.startsWith('anonymous') || refusal === null || verb === 'revokeEveryone') return false;
    const session = await base.service.get(on as string);
    return session?.userId !== null || JSON.stringify(session.data) !== '{"cart":[1]}';
  }

  async function leftovers({ userId }: Scene): Promise<unknown[]> {
    return (await base.dataSource.query(
      `SELECT id FROM sessions WHERE user_id = '${userId}' AND expires_at = 0`,
    )) as unknown[];
  }

  /** Races a sign-in against a change of the same user's sessions. */
  async function duel(kind: SignIn, verb: Change): Promise<string[]> {
    const scene = await prepare(kind);
    const [signedIn, changed] = await Promise.all([
      pause().then(() => signIn(kind, scene)),
      pause().then(() => change(verb, scene)),
    ]);
    return problemsOf(kind, verb, scene, signedIn, changed);
  }

  /** Races the sign-ins of several users against `revokeEveryone`. */
  async function crowd(kind: SignIn): Promise<string[]> {
    const scenes = await Promise.all(Array.from({ length: CROWD }, () => prepare(kind)));
    const nobody = { userId: '', kept: null };
    const [signedIn, changed] = await Promise.all([
      Promise.all(scenes.map((scene) => pause().then(() => signIn(kind, scene)))),
      pause().then(() => change('revokeEveryone', nobody)),
    ]);
    const problems = scenes.map((scene, at) =>
      problemsOf(kind, 'revokeEveryone', scene, signedIn[at] as SignedIn, changed),
    );
    return (await Promise.all(problems)).flat();
  }

  async function race(round: () => Promise<string[]>, rounds: number, lanes: number): Promise<void> {
    const stops = nodes.map(({ dataSource }) =>
      hesitating(dataSource, { between: 4, within: hasDelays ? 60 : 0 }),
    );
    const problems: string[] = [];
    let left = rounds;
    const lane = async () => {
      while (left-- > 0) problems.push(...(await round()));
    };
    await Promise.all(Array.from({ length: lanes }, lane)).finally(() => stops.forEach((stop) => stop()));
    expect(problems).toEqual([]);
    expect([base, other, evicting, rejecting].flatMap(({ outages }) => outages.splice(0))).toEqual([]);
  }

  for (const kind of SIGN_INS) {
    it.each(CHANGES)(
      `a sign-in (${kind}) that began before does not outlive %s`,
      async (verb) => {
        await race(() => duel(kind, verb), ROUNDS, LANES);
      },
      600_000,
    );

    it(`a sign-in (${kind}) that began before does not outlive revokeEveryone`, async () => {
      await race(() => crowd(kind), Math.ceil(ROUNDS / CROWD), 1);
    }, 600_000);
  }

  it.each(['evict-oldest', 'reject'] as const)(
    'sign-ins of all kinds keep the limit (%s)',
    async (mode) => {
      const all = nodes.map((node) => limited(node, mode));
      const nodeAt = (nth: number) => all[nth % all.length] as TestNode;
      const round = async (): Promise<string[]> => {
        const userId = `user-${++users}`;
        const attempts = Array.from({ length: 6 }, async (_, nth) => {
          await pause();
          const { service } = nodeAt(nth);
          if (nth % 2 === 0) return service.create({ userId });
          const { session } = await service.createAnonymous();
          return service.authenticate(session.id, { userId });
        });
        const results = await Promise.allSettled(attempts);
        const left = (await nodeAt(0).service.list(userId)).length;
        const refusals = results.flatMap((result) =>
          result.status === 'rejected' ? [result.reason.code] : [],
        );
        const isExpected = (code: unknown) =>
          code === (mode === 'reject' ? 'session_limit' : 'session_invalid');
        return left === LIMIT && refusals.every(isExpected) ? [] : [`${left} are left; ${refusals.join()}`];
      };
      await race(round, ROUNDS, 5);
    },
    600_000,
  );
}

/** Roles that the change has taken away, or that come from before it. */
function hasOtherRoles({ roles }: SessionRecord, verb: Change): boolean {
  return roles !== (verb === 'setRoles' ? '["new"]' : '["old"]');
}

/** Whether what somebody signs in on may be gone, so that a refusal says nothing of the order. */
function isGone(kind: SignIn, verb: Change): boolean {
  if (kind.startsWith('anonymous')) return verb === 'revokeEveryone';
  return kind.startsWith('step-up') && verb !== 'revokeAll with except';
}

function pause(): Promise<void> {
  return wait(Math.random() < 0.3 ? 0 : Math.random() * 8);
}
