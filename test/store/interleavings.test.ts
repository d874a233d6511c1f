import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { TestClock } from 'nestjs-sessions/testing';
import type { BegunSignIn } from '../../src/core/life/begun-sign-in.js';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import type { SessionPrincipal } from '../../src/core/model/principal.js';
import { toSession } from '../../src/core/life/recorded-session.js';
import type { Issued } from '../../src/core/life/rotation.js';
import type { ActiveSession, AnonymousSession, IssuedSession } from '../../src/core/model/session.js';
import type { SessionStore } from '../../src/core/model/store.js';
import { toException } from '../../src/session.exceptions.js';
import { eachByItself } from '../support/recorders.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { explore } from '../support/exploration.js';
import { type Call, History, print, type SessionView } from '../support/history.js';
import { TestCluster, type TestNode } from '../support/store.js';

const MINUTE = 60_000;
/** The absolute timeout is in the way as often as the idle one; a millisecond is activity enough to be noted. */
const TIMEOUTS = { idle: 10 * MINUTE, absolute: 10 * MINUTE, renewal: MINUTE };
const STAFF = { idle: 5 * MINUTE, absolute: 8 * MINUTE, renewal: MINUTE };
const timeoutsOf = (roles: readonly string[]) => (roles.includes('staff') ? STAFF : TIMEOUTS);
const OPTIONS: SessionModuleOptions = {
  timeouts: TIMEOUTS,
  roles: { staff: { timeouts: STAFF }, customer: [] },
  touchEvery: 0,
  grace: '30s',
};

const limit = fc.constantFrom(
  {},
  { maxSessionsPerUser: 2, onSessionLimit: 'evict-oldest' as const },
  { maxSessionsPerUser: 2, onSessionLimit: 'reject' as const },
);

const user = fc.constantFrom<string[]>('ana', 'ana', 'ana', 'ana', 'ana', 'bob');
const roles = fc.constantFrom<string[][]>([], ['customer'], ['staff'], ['customer', 'staff']);
const principal: fc.Arbitrary<SessionPrincipal> = fc.record(
  // A step-up that keeps the roles is the one that could bring old ones back.
  { userId: user, roles: fc.option(roles, { nil: undefined, freq: 2 }), level: fc.constantFrom(1, 2, 3) },
  { requiredKeys: ['userId'] },
) as fc.Arbitrary<SessionPrincipal>;
/** Which session: the first four are there from the beginning, and the first and the third are most in demand. */
const nth = fc.constantFrom(0, 0, 0, 0, 2, 2, 1, 3, 4);
/** What may happen, how often (beside the others), and with what. */
const COMMANDS = {
  /** A request with the newest token that the client has got, or with its first one, which was in flight. */
  present: [4, { nth, isInFlight: fc.boolean() }],
  create: [3, { principal }],
  authenticate: [4, { nth, principal }],
  authenticateShown: [4, { nth, principal }],
  rotate: [3, { nth }],
  update: [4, { nth }],
  setRoles: [4, { userId: user, roles }],
  get: [1, { nth }],
  list: [1, { userId: user }],
  revoke: [1, { nth }],
  revokeAll: [1, { userId: user, except: fc.option(nth, { nil: undefined }) }],
  revokeEveryone: [1, {}],
  purgeExpired: [1, {}],
  flush: [2, {}],
  tick: [2, { milliseconds: fc.integer({ min: 1, max: 20 }) }],
} as const;
type Verb = keyof typeof COMMANDS;
type Unwrapped<T> = { [name in keyof T]: T[name] extends fc.Arbitrary<infer U> ? U : never };
type ArgumentsOf<V extends Verb> = Unwrapped<(typeof COMMANDS)[V][1]>;
type Command = { [V in Verb]: { verb: V } & ArgumentsOf<V> }[Verb];

const ALWAYS: readonly Verb[] = ['present', 'get', 'list', 'flush', 'tick'];
const SOMETIMES = (Object.keys(COMMANDS) as Verb[]).filter((verb) => !ALWAYS.includes(verb));

/** Verbs of which one decides on what the other changes. */
const DUELS: readonly (readonly Verb[])[] = [
  ['setRoles', 'authenticate'],
  ['setRoles', 'authenticateShown'],
  ['setRoles', 'present'],
  ['setRoles', 'create'],
  ['revokeAll', 'authenticate'],
  ['revokeAll', 'create'],
  ['revoke', 'present'],
  ['revoke', 'authenticate'],
  ['rotate', 'present'],
  ['rotate', 'authenticate'],
  ['update', 'authenticate'],
  ['update', 'update'],
  ['present', 'present'],
  ['present', 'authenticate'],
  ['authenticateShown', 'authenticateShown'],
  ['authenticate', 'create'],
];

function commandOf(verbs: readonly Verb[]): fc.Arbitrary<Command> {
  const each = verbs.map((verb) => {
    const [weight, args] = COMMANDS[verb];
    return { weight, arbitrary: fc.record({ verb: fc.constant(verb), ...args }) };
  });
  return fc.oneof(...each) as fc.Arbitrary<unknown> as fc.Arbitrary<Command>;
}

/** What each of the clients does, one thing after the other, while the others do the same. */
type Lanes = readonly (readonly Command[])[];

function lanesOf(verbs: readonly Verb[], clients: number, commands: number): fc.Arbitrary<Command[][]> {
  const lane = fc.array(commandOf(verbs), { minLength: 1, maxLength: commands, size: 'max' });
  return fc.array(lane, { minLength: 2, maxLength: clients, size: 'max' });
}

/** Of the many verbs only a few at a time: that way each meets each. */
const crowd = fc
  .subarray([...SOMETIMES], { minLength: 1, maxLength: 3 })
  .chain((verbs) => lanesOf([...verbs, ...verbs, ...verbs, ...ALWAYS], 6, 6));

/** Two verbs on one session of one user, and nothing afterwards that could cover up what goes wrong. */
const duel = fc.tuple(fc.constantFrom(...DUELS), fc.constantFrom(0, 0, 0, 2)).chain(([verbs, nth]) =>
  lanesOf(verbs, 6, 1).map((lanes) =>
    lanes.map((lane) =>
      lane.map((each) => ({
        ...each,
        ...('nth' in each && { nth }),
        ...('userId' in each && { userId: 'ana' }),
      })),
    ),
  ),
);

/** Several scenes at once, with users of their own: there is much waiting in each. */
const scenes = fc.array(fc.oneof({ weight: 4, arbitrary: duel }, { weight: 1, arbitrary: crowd }), {
  minLength: 1,
  maxLength: 40,
  size: 'max',
});

/** Not `touch`: activity is noted in the moment that it says. */
const READS_AND_WRITES = [
  'findBySeries',
  'findByAnySeries',
  'findById',
  'latestChange',
  'findLive',
  'insert',
  'admit',
  'change',
  'mark',
  'setRoles',
  'delete',
  'deleteExpected',
  'deleteReused',
  'deleteByUser',
] as const satisfies readonly (keyof SessionStore)[];

/** Lets others, and time, come in between whatever a verb reads and writes. @returns what ends that */
function makeHesitant(store: SessionStore, clock: TestClock, seed: number): () => void {
  let state = seed;
  let isOver = false;
  const hesitate = async () => {
    if (isOver) return;
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const draw = Math.floor(state / 2 ** 16) % 8;
    if (draw >= 6) clock.advance(1);
    if (draw >= 4) await wait(draw - 4);
  };
  for (const name of READS_AND_WRITES) {
    const act = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>;
    const hesitant = async (...args: unknown[]) => {
      await hesitate();
      const answer = await act(...args);
      await hesitate();
      return answer;
    };
    Object.assign(store, { [name]: hesitant });
  }
  return () => {
    isOver = true;
  };
}

/** Stops the first change before it is made. @returns when it was about to be, and what lets it go on */
function holdFirstChange(store: SessionStore): [Promise<void>, () => void] {
  const change = store.change.bind(store);
  let letGo!: () => void;
  const isLetGo = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const isReached = new Promise<void>((resolve) => {
    let isFirst = true;
    store.change = async (...args) => {
      const isHeld = isFirst;
      isFirst = false;
      resolve();
      if (isHeld) await isLetGo;
      return change(...args);
    };
  });
  return [isReached, letGo];
}

/** Some clients and some sessions of two users on two nodes, and all that happens to them. */
class Scene {
  readonly history: History;
  /** All sessions there ever were, with the first and the newest token that the client has got. */
  private readonly jar = new Map<string, { first: string; newest: string }>();
  private additions = 0;
  /** Since when calls are parallel. */
  private playedFrom = 0;

  /** @param all the scenes at the same time, this one included */
  constructor(
    private readonly name: number,
    private readonly cluster: TestCluster,
    private readonly nodes: readonly TestNode[],
    private readonly all: readonly Scene[],
  ) {
    const { maxSessionsPerUser, onSessionLimit } = (nodes[0] as TestNode).core.options;
    this.history = new History(maxSessionsPerUser !== null && onSessionLimit === 'evict-oldest');
  }

  /** Two sessions of one user, one of another's, one of nobody's; all of them in use. */
  async prepare(): Promise<void> {
    const [node] = this.nodes as [TestNode];
    await this.create(node, { principal: { userId: 'ana', roles: ['customer'] } });
    await this.create(node, { principal: { userId: 'bob', roles: ['staff'], level: 2 } });
    await this.history.note({ verb: 'createAnonymous' }, (call) =>
      this.issue(call, node, () => node.service.createAnonymous()),
    );
    await this.create(node, { principal: { userId: 'ana' } });
    for (const { newest } of this.jar.values()) await node.service.validate(newest);
    this.playedFrom = Number(this.history.calls.at(-1)?.ended);
  }

  /** Each client talks to one of the nodes. */
  async play(lanes: Lanes): Promise<void> {
    await Promise.all(
      lanes.map(async (lane, index) => {
        const node = this.nodes[index % this.nodes.length] as TestNode;
        for (const each of lane) {
          await (this[each.verb] as (node: TestNode, args: Command) => Promise<unknown>)(node, each);
        }
      }),
    );
  }

  /** What is wrong with what is there when all is quiet again, as each node sees it. */
  async look(): Promise<string[]> {
    const played = [...this.history.calls];
    const problems: string[] = [];
    const check = (isRight: boolean, problem: string) => void (isRight || problems.push(problem));
    const events = this.nodes
      .flatMap((node) => eachByItself(node.events))
      .filter(({ sessionId }) => this.jar.has(String(sessionId)));
    check(!events.some(({ type }) => type === 'reuse-detected'), 'an honest client is taken for a thief');
    const ends = events.filter(({ type }) => type === 'revoked');
    check(ends.length === new Set(ends.map(({ sessionId }) => sessionId)).size, 'an end is told twice');
    for (const { sessionId, reason } of ends as { sessionId: string; reason: string }[]) {
      if (reason === 'limit') this.history.evicted.add(sessionId);
    }
    for (const node of this.nodes) {
      const max = node.core.options.maxSessionsPerUser ?? Infinity;
      for (const userId of ['ana', 'bob']) {
        const { seen } = await this.list(node, { userId });
        check(seen.length <= max, `${userId} has ${seen.length} sessions`);
      }
      for (const id of this.jar.keys()) {
        const [session] = (await this.see(node, id)).seen;
        const record = await node.store.findById(id);
        check((session === undefined) === (record === null), `${id} is there for some only`);
        if (session !== undefined) problems.push(...this.newestState(session, played));
        const isTold = ends.some(({ sessionId }) => sessionId === id);
        check(session === undefined || !isTold, `the end of ${id} is told, and it is there`);
        const tokens = this.history.tokens(id).map(({ token }) => token);
        for (const token of new Set(tokens)) await this.show(node, id, token);
        const hashes = tokens.map((token) => node.core.tokens.parse(token)?.tokenHash);
        check(record === null || hashes.includes(record.tokenHash), `nobody has the newest token of ${id}`);
      }
    }
    problems.push(...this.history.violations(timeoutsOf));
    if (problems.length > 0)
      problems.push('What happened:', ...this.history.calls.map((call) => `  ${print(call)}`));
    return problems;
  }

  /** Of the last sign-in, of the strongest, and of the last activity. */
  private newestState(session: SessionView, played: readonly Call[]): string[] {
    const { id, userId, level, authenticatedAt, lastSeenAt } = session;
    const own = this.history.signInsOn(id).flatMap(({ issued }) => issued?.session ?? []);
    const told = played.flatMap(({ seen }) => seen.filter((each) => each.id === id));
    // Activity does not count for roles, or a sign-in, that are not those it was noted for.
    const isSettled = !played.some((call) => call.began >= this.playedFrom && isAboutInputs(call, session));
    const expected = {
      ...(userId !== null && {
        level: Math.max(...own.map((each) => Number(each.level))),
        authenticatedAt: Math.max(...own.map((each) => Number(each.authenticatedAt))),
      }),
      ...(isSettled && { lastSeenAt: Math.max(lastSeenAt, ...told.map((each) => each.lastSeenAt)) }),
    };
    const isRight = isDeepStrictEqual(
      { level, authenticatedAt, lastSeenAt },
      { level, authenticatedAt, lastSeenAt, ...expected },
    );
    return isRight
      ? []
      : [
          `${id} is ${JSON.stringify({ level, authenticatedAt, lastSeenAt })}, not ${JSON.stringify(expected)}`,
        ];
  }

  private async present(node: TestNode, { nth, isInFlight }: ArgumentsOf<'present'>) {
    const { id, first, newest } = this.at(nth);
    await this.show(node, id, isInFlight ? first : newest, true);
  }

  /** What the guard does with the token of a request. */
  private show({ core }: TestNode, id: string, token: string, renews = false) {
    return this.history.note({ verb: 'present', id, token }, async (call) => {
      const verdict = await core.validation.validate(token);
      if (verdict.reason !== undefined) return void (call.answer = verdict.reason);
      call.seen = [viewOf(toSession(verdict.record, verdict.policy, verdict.now))];
      if (!renews || !verdict.isRenewalDue) return;
      call.renewed = await core.rotation.renew(verdict);
      if (call.renewed !== null) this.keep(id, call.renewed);
    });
  }

  /** Users are those of this scene. */
  private own(userId: string): string {
    return `${userId} ${this.name}`;
  }

  private create(node: TestNode, { principal }: { principal: SessionPrincipal }) {
    return this.signIn(
      'create',
      {},
      principal,
      (whole, begun) => node.service.create(whole, {}, { begun }),
      node,
    );
  }

  private authenticate(node: TestNode, { nth, principal }: ArgumentsOf<'authenticate'>) {
    const { id } = this.at(nth);
    return this.signIn(
      'authenticate',
      { id },
      principal,
      (whole, begun) => node.service.authenticate(id, whole, { begun }),
      node,
    );
  }

  private async authenticateShown(node: TestNode, { nth, principal }: ArgumentsOf<'authenticateShown'>) {
    const { signIn, tokens } = node.core;
    const { id, newest: token } = this.at(nth);
    const shown = tokens.parse(token);
    if (shown === null) return;
    const attempt = (principal: SessionPrincipal, begun: BegunSignIn) =>
      signIn.authenticateShown(shown, { principal, begun });
    await this.signIn('authenticateShown', { id, token }, principal, attempt, node);
  }

  private rotate(node: TestNode, { nth }: ArgumentsOf<'rotate'>) {
    const { id } = this.at(nth);
    return this.history.note({ verb: 'rotate', id }, (call) =>
      this.issue(call, node, () => node.service.rotate(id)),
    );
  }

  private update(node: TestNode, { nth }: ArgumentsOf<'update'>) {
    const { id } = this.at(nth);
    const key = `addition${++this.additions}`;
    return this.history.note({ verb: 'update', id, key }, async (call) => {
      call.answer = await node.service.update(id, (data) => ({ ...data, [key]: true }));
    });
  }

  private setRoles(node: TestNode, { userId: name, roles }: ArgumentsOf<'setRoles'>) {
    const userId = this.own(name);
    return this.history.note({ verb: 'setRoles', userId, roles }, async (call) => {
      call.answer = await node.service.setRoles(userId, roles);
    });
  }

  private get(node: TestNode, { nth }: ArgumentsOf<'get'>) {
    return this.see(node, this.at(nth).id);
  }

  private see(node: TestNode, id: string) {
    return this.history.note({ verb: 'get', id }, async (call) => {
      const session = await node.service.get(id);
      if (session === null) call.answer = null;
      else call.seen = [viewOf(session)];
    });
  }

  private list(node: TestNode, { userId: name }: ArgumentsOf<'list'>) {
    const userId = this.own(name);
    return this.history.note({ verb: 'list', userId }, async (call) => {
      call.seen = (await node.service.list(userId)).map(viewOf);
    });
  }

  private revoke(node: TestNode, { nth }: ArgumentsOf<'revoke'>) {
    const { id } = this.at(nth);
    return this.history.note({ verb: 'revoke', id }, async (call) => {
      call.answer = await node.service.revoke(id);
    });
  }

  private revokeAll(node: TestNode, { userId: name, except: kept }: ArgumentsOf<'revokeAll'>) {
    const userId = this.own(name);
    const except = kept === undefined ? undefined : this.at(kept).id;
    return this.history.note({ verb: 'revokeAll', userId, except }, async (call) => {
      call.answer = await node.service.revokeAll(userId, except === undefined ? {} : { except });
    });
  }

  private async revokeEveryone(node: TestNode) {
    let revoking: Promise<number> | undefined;
    const join = async (call: Call) => {
      call.answer = await (revoking ??= node.service.revokeEveryone());
    };
    await Promise.all(this.all.map(({ history }) => history.note({ verb: 'revokeEveryone' }, join)));
  }

  private purgeExpired(node: TestNode) {
    return this.history.note({ verb: 'purgeExpired' }, async () => {
      expect(await node.service.purgeExpired()).toBe(0);
    });
  }

  private flush(node: TestNode) {
    return node.store.flush();
  }

  private async tick(_: TestNode, { milliseconds }: ArgumentsOf<'tick'>) {
    this.cluster.clock.advance(milliseconds);
  }

  private signIn(
    verb: string,
    about: { id?: string; token?: string },
    principal: SessionPrincipal,
    attempt: (whole: SessionPrincipal, begun: BegunSignIn) => Promise<IssuedSession | Issued>,
    node: TestNode,
  ) {
    const { roles } = principal;
    const userId = this.own(principal.userId);
    const key = `addition${++this.additions}`;
    const whole = { ...principal, userId, data: { [key]: true } };
    return this.history.note({ verb, ...about, userId, roles, key }, async (call) => {
      const begun = await node.service.beginSignIn();
      this.history.begin(call);
      await this.issue(call, node, () => attempt(whole, begun));
    });
  }

  private async issue(
    call: Call,
    { core }: TestNode,
    attempt: () => Promise<IssuedSession<ActiveSession | AnonymousSession> | Issued>,
  ) {
    try {
      const issued = await attempt();
      const session = viewOf(
        'session' in issued
          ? issued.session
          : toSession(issued.record, core.policy.of(issued.record.roles), core.clock.read()),
      );
      call.issued = { session, token: issued.token };
      this.keep(session.id, issued.token);
    } catch (error) {
      const { code } = toException(error) as { code?: string };
      if (code !== 'session_invalid' && code !== 'session_limit') throw error;
      call.answer = code;
    }
  }

  private at(nth: number) {
    const sessions = [...this.jar];
    const [id, tokens] = sessions[nth % sessions.length] as (typeof sessions)[number];
    return { id, ...tokens };
  }

  private keep(id: string, token: string): void {
    this.jar.set(id, { first: this.jar.get(id)?.first ?? token, newest: token });
  }
}

/** Whether a call may change what the deadlines follow from, besides activity. */
function isAboutInputs({ verb, id, userId }: Call, session: SessionView): boolean {
  return verb === 'setRoles'
    ? userId === session.userId
    : verb.startsWith('authenticate') && id === session.id;
}

function viewOf(session: ActiveSession | AnonymousSession): SessionView {
  const { id, userId, roles, level, data } = session;
  return {
    id,
    userId,
    roles,
    level,
    data,
    createdAt: session.createdAt.getTime(),
    authenticatedAt: session.authenticatedAt?.getTime() ?? null,
    lastSeenAt: session.lastSeenAt.getTime(),
    expiresAt: session.expiresAt.getTime(),
  };
}

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let bases: TestNode[];

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    const first = await cluster.node();
    bases = [first, leg.isShared ? await cluster.node() : first];
  });
  afterAll(() => cluster.close());

  async function play(limits: object, seed: number, script: readonly Lanes[]): Promise<void> {
    for (const table of ['sessions', 'session_users'])
      await bases[0]?.dataSource.query(`DELETE FROM ${table}`);
    const nodes = bases.map((base) => cluster.nodeSharing(base, { ...OPTIONS, ...limits }));
    const scenes: Scene[] = [];
    for (const name of script.keys()) scenes.push(new Scene(name, cluster, nodes, scenes));
    await Promise.all(scenes.map((scene) => scene.prepare()));
    cluster.clock.advance(2 * MINUTE); // every token is due for renewal
    const calm = nodes.map(({ store }, index) => makeHesitant(store, cluster.clock, seed + index));
    await Promise.all(scenes.map((scene, index) => scene.play(script[index] ?? [])));
    calm.forEach((end) => end());
    for (const { store } of nodes) await store.flush();
    const problems = (await Promise.all(scenes.map((scene) => scene.look()))).flat();
    for (const { store, outages } of nodes) {
      await store.flush();
      problems.push(...outages.map((cause) => `the store was unavailable: ${String(cause)}`));
    }
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  it('keeps the activity of one request when a slower one, which has read older roles, notes its own', async () => {
    const node = cluster.nodeSharing(bases[0] as TestNode, { timeouts: { idle: '30m' } });
    const { service, store } = node;
    const { session, token } = await service.create({ userId: 'ana', roles: ['customer'] });
    cluster.clock.advance('10m');
    const [isReached, letGo] = holdFirstChange(store);
    const slow = service.validate(token); // the first to show the token: it has read, and is about to confirm it
    await isReached;
    await service.setRoles('ana', ['customer', 'staff']);
    const told = (await service.validate(token)).session;
    letGo();
    await slow;
    expect((await service.get(session.id))?.expiresAt).toEqual(told?.expiresAt);
    await store.flush();
    expect((await service.get(session.id))?.expiresAt).toEqual(told?.expiresAt);
    expect(told?.expiresAt).toEqual(new Date(cluster.clock.now() + 30 * MINUTE));
  });

  it('holds what it promises in whatever order parallel calls happen', () => {
    // The order is not repeated, so a smaller example could be a lucky one.
    const property = fc.asyncProperty(limit, fc.nat(), scenes, play);
    return explore(property, { endOnFailure: true });
  }, 3_600_000);
});
