import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { SessionModuleOptions } from '../../src/core/options/options.js';
import type { SessionPrincipal } from '../../src/core/model/principal.js';
import type { BegunSignIn } from '../../src/core/life/begun-sign-in.js';
import type { Issued } from '../../src/core/life/rotation.js';
import { toSession } from '../../src/core/life/recorded-session.js';
import type { ActiveSession, AnonymousSession, IssuedSession } from '../../src/core/model/session.js';
import { toException } from '../../src/session.exceptions.js';
import { eachByItself } from '../support/recorders.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { explore } from '../support/exploration.js';
import { type Fresh, type ModelEvent, type ModelTimeouts, SessionModel } from '../support/model.js';
import { TestCluster, type TestNode } from '../support/store.js';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000] as const;
/** Activity is on its way for less than this: where the test's clock moves on further, it is written first. */
const LONGEST_WAY = SECOND;
/** No sign-in takes longer than this. */
const LONGEST_SIGN_IN = HOUR;

const TIMEOUTS = { idle: 30 * MINUTE, absolute: 3 * HOUR, renewal: MINUTE };
/** `admin` includes `staff`; `kiosk` is laxer than the default, `customer` says nothing. */
const ROLES = {
  customer: [],
  staff: { timeouts: { idle: 10 * MINUTE, absolute: HOUR, renewal: 40 * SECOND } },
  admin: { includes: ['staff'], timeouts: { idle: 20 * MINUTE, absolute: 20 * MINUTE, renewal: 2 * MINUTE } },
  kiosk: { timeouts: { idle: HOUR, absolute: 2 * DAY, renewal: 20 * MINUTE, reason: 'a test' } },
};
/** The strictest of what these roles, and those that they include, say. */
function timeoutsOf(roles: readonly string[]): ModelTimeouts {
  const held = roles.includes('admin') ? [...roles, 'staff'] : roles;
  const each = held.map((role) => ({
    ...TIMEOUTS,
    ...(ROLES as Record<string, { timeouts?: object }>)[role]?.timeouts,
  }));
  const strictest = (name: keyof typeof TIMEOUTS) =>
    Math.min(...(each.length > 0 ? each : [TIMEOUTS]).map((timeouts) => timeouts[name]));
  const idle = strictest('idle');
  return {
    idle,
    absolute: strictest('absolute'),
    renewal: strictest('renewal'),
    touchEvery: Math.min(idle / 60, MINUTE),
  };
}

const options = fc.record({
  maxSessionsPerUser: fc.constantFrom(undefined, 1, 2, 3),
  onSessionLimit: fc.constantFrom('evict-oldest' as const, 'reject' as const),
  onReuse: fc.constantFrom('revoke' as const, 'revoke' as const, 'report' as const),
  grace: fc.constantFrom(30 * SECOND, 30 * SECOND, 0),
  secret: fc.constantFrom(undefined, 'a key of at least thirty-two characters'),
});
type Rules = typeof options extends fc.Arbitrary<infer T> ? T : never;

const userId = fc.constantFrom<string[]>('ana', 'Ana');
const roles = fc.subarray(['customer', 'staff', 'admin', 'kiosk']);
const data = fc.dictionary(fc.constantFrom('a', 'b'), fc.nat(3), { maxKeys: 2 });
const principal: fc.Arbitrary<SessionPrincipal> = fc.record(
  { userId, roles, level: fc.constantFrom(1, 2, 3), data },
  { requiredKeys: ['userId'] },
);
/** Which of the sessions that there are, 0 is the newest; below that, which of all that there ever were. */
const nth = fc.oneof(
  { weight: 9, arbitrary: fc.nat(2) },
  { weight: 1, arbitrary: fc.integer({ min: -4, max: -1 }) },
);
/** Which of its tokens: 0 is the newest. */
const age = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
/** How many commands ago the request arrived. */
const ago = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
);
const around = (time: number) => fc.constantFrom(time - 1, time, time + 1);
const step = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(1, 500, SECOND, 10 * SECOND, 15 * SECOND) },
  { weight: 20, arbitrary: around(30 * SECOND) },
  ...[5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE].map((time) => ({
    weight: 2,
    arbitrary: around(time),
  })),
  { weight: 1, arbitrary: around(HOUR) },
  { weight: 1, arbitrary: fc.constantFrom(2 * HOUR, DAY, 3 * DAY) },
);

type Arguments<T> = { [name in keyof T]: fc.Arbitrary<T[name]> };
/** What may happen, how often (beside the others), and with what. */
const COMMANDS = {
  create: [8, { principal, ago }],
  createAnonymous: [4, { data }],
  authenticate: [3, { nth, principal }],
  authenticateShown: [4, { nth, age, principal, ago }],
  validate: [6, { nth, age }],
  present: [
    30,
    { nth, age, isActivity: fc.boolean(), late: fc.constantFrom(0, 0, 0, 10 * SECOND, 40 * SECOND) },
  ],
  garbage: [1, { text: fc.constantFrom('', 'sid_', `sid_${'A'.repeat(70)}`) }],
  rotate: [2, { nth }],
  get: [2, { nth }],
  list: [2, { userId }],
  update: [3, { nth, data }],
  setRoles: [4, { userId, roles }],
  revoke: [1, { nth, owner: fc.constantFrom(undefined, 'ana', 'Ana') }],
  revokeAll: [1, { userId, except: fc.constantFrom(undefined, 0, 1) }],
  revokeEveryone: [1, {}],
  purgeExpired: [4, {}],
  wait: [20, { step }],
} as const;
type Verb = keyof typeof COMMANDS;
type ArgumentsOf<V extends Verb> = (typeof COMMANDS)[V][1] extends Arguments<infer T> ? T : never;
type Command = { [V in Verb]: { verb: V } & ArgumentsOf<V> }[Verb];

const command = fc.oneof(
  ...Object.entries(COMMANDS).map(([verb, [weight, args]]) => ({
    weight,
    arbitrary: fc.record({ verb: fc.constant(verb), ...args }),
  })),
) as fc.Arbitrary<unknown> as fc.Arbitrary<Command>;
const commands = fc.array(command, { minLength: 1, maxLength: 80, size: 'max' });

/** The real thing and the model, side by side. */
class Comparison {
  private readonly model: SessionModel;
  /** Every session that ever was, with every token that it ever had; the newest last. */
  private readonly known = new Map<string, string[]>();
  /** When the commands so far began, for those that arrived earlier. */
  private arrivals: { begun: BegunSignIn; model: number; at: number }[] = [];
  private unwritten = 0;

  constructor(
    private readonly cluster: TestCluster,
    private readonly node: TestNode,
    rules: Rules,
  ) {
    // SQLite needs no turns: there sign-ins follow each other anyhow.
    const hasTurns = !node.dataSource.options.type.includes('sqlite');
    this.model = new SessionModel({ ...rules, timeoutsOf, hasTurns }, cluster.clock.now);
  }

  async run(each: Command): Promise<void> {
    const begun = await this.node.core.signIn.begin();
    this.arrivals.push({ begun, model: this.model.arrival(), at: this.now });
    await (this[each.verb] as (args: Command) => Promise<void>)(each);
    expect(this.toldEvents()).toEqual(sorted(this.model.events.splice(0)));
  }

  /** Everything there is, looked at once more. */
  async census(): Promise<void> {
    const rows = (await this.node.dataSource.query('SELECT id FROM sessions')) as { id: string }[];
    expect(rows.map(({ id }) => id).toSorted()).toEqual(this.model.sessions.map(({ id }) => id).toSorted());
    for (const userId of ['ana', 'Ana']) await this.list({ userId });
    for (const [id, tokens] of this.known) {
      expect(seen(await this.service.get(id))).toEqual(this.model.get(id));
      for (const token of tokens.toReversed()) await this.show(token);
    }
    expect(this.toldEvents()).toEqual(sorted(this.model.events.splice(0)));
    await this.node.store.flush();
    expect(this.node.outages).toEqual([]);
  }

  private async create({ principal, ago }: ArgumentsOf<'create'>) {
    const arrival = this.arrival(ago);
    const { answer, fresh } = await this.attempt(() =>
      ago === 0
        ? this.service.create(principal)
        : this.node.core.signIn.create({ principal, begun: arrival.begun }),
    );
    expect(answer).toEqual(this.model.create(principal, fresh, arrival.model));
  }

  private async createAnonymous({ data }: ArgumentsOf<'createAnonymous'>) {
    const { answer, fresh } = await this.attempt(() => this.service.createAnonymous(data));
    expect(answer).toEqual(this.model.createAnonymous(data, fresh));
  }

  private async authenticate({ nth, principal }: ArgumentsOf<'authenticate'>) {
    const id = this.id(nth);
    const { answer, fresh } = await this.attempt(() => this.service.authenticate(id, principal));
    expect(answer).toEqual(this.model.authenticate(id, principal, fresh));
  }

  private async authenticateShown({ nth, age, principal, ago }: ArgumentsOf<'authenticateShown'>) {
    const { core } = this.node;
    const [arrival, token] = [this.arrival(ago), this.token(nth, age)];
    const shown = core.tokens.parse(token);
    if (shown === null) return;
    const { answer, fresh } = await this.attempt(() =>
      core.signIn.authenticateShown(shown, { principal, begun: arrival.begun }, arrival.at),
    );
    expect(answer).toEqual(this.model.authenticateShown(token, principal, fresh, arrival.model, arrival.at));
  }

  private validate({ nth, age }: ArgumentsOf<'validate'>) {
    return this.show(this.token(nth, age));
  }

  private async show(token: string) {
    const { session, reason } = await this.service.validate(token);
    expect(reason ?? seen(session)).toEqual(this.model.validate(token, Number(session?.lastSeenAt)));
  }

  /** What the guard does with the token of a request. */
  private async present({ nth, age, isActivity, late }: ArgumentsOf<'present'>) {
    const { validation, rotation } = this.node.core;
    const token = this.token(nth, age);
    const showing = { isActivity, arrivedAt: this.now - late };
    const verdict = await validation.validate(token, showing);
    const lastSeenAt = verdict.record?.lastSeenAt ?? 0;
    const answer = verdict.reason ?? seen(toSession(verdict.record, verdict.policy, verdict.now));
    expect(answer).toEqual(this.model.validate(token, lastSeenAt, showing));
    if (verdict.reason !== undefined) return;
    const successor = verdict.isRenewalDue ? await rotation.renew(verdict) : null;
    expect(successor).toBe(this.model.renewal(token, successor ?? 'a new token'));
    if (successor !== null) this.learn({ id: verdict.record.id, token: successor });
  }

  private async garbage({ text }: ArgumentsOf<'garbage'>) {
    expect(await this.service.validate(text)).toEqual({ session: null, reason: 'malformed' });
  }

  private async rotate({ nth }: ArgumentsOf<'rotate'>) {
    const id = this.id(nth);
    const { answer, fresh } = await this.attempt(() => this.service.rotate(id));
    expect(answer).toEqual(this.model.rotate(id, fresh));
  }

  private async get({ nth }: ArgumentsOf<'get'>) {
    expect(seen(await this.service.get(this.id(nth)))).toEqual(this.model.get(this.id(nth)));
  }

  private async list({ userId }: ArgumentsOf<'list'>) {
    expect((await this.service.list(userId)).map(seen)).toEqual(this.model.list(userId));
  }

  private async update({ nth, data }: ArgumentsOf<'update'>) {
    const answer = await this.service.update(this.id(nth), (before) => ({ ...before, ...data }));
    expect(answer).toEqual(this.model.update(this.id(nth), data));
  }

  private async setRoles({ userId, roles }: ArgumentsOf<'setRoles'>) {
    expect(await this.service.setRoles(userId, roles)).toBe(this.model.setRoles(userId, roles));
  }

  private async revoke({ nth, owner }: ArgumentsOf<'revoke'>) {
    const id = this.id(nth);
    const answer = await (owner === undefined
      ? this.service.revoke(id)
      : this.service.revoke(id, { userId: owner }));
    expect(answer).toBe(this.model.revoke(id, owner));
  }

  private async revokeAll({ userId, except }: ArgumentsOf<'revokeAll'>) {
    const kept = except === undefined ? undefined : this.id(except);
    const answer = await this.service.revokeAll(userId, kept === undefined ? {} : { except: kept });
    expect(answer).toBe(this.model.revokeAll(userId, kept));
  }

  private async revokeEveryone() {
    const count = await this.service.revokeEveryone();
    expect(count).toBe(this.model.revokeEveryone(count));
  }

  private async purgeExpired() {
    expect(await this.service.purgeExpired()).toBe(this.model.purgeExpired());
  }

  private async wait({ step }: ArgumentsOf<'wait'>) {
    this.unwritten += step;
    if (this.unwritten >= LONGEST_WAY) {
      await this.node.store.flush();
      this.unwritten = 0;
    }
    this.cluster.clock.advance(step);
  }

  private get service() {
    return this.node.service;
  }

  private get now(): number {
    return this.cluster.clock.now();
  }

  /** The answer to what issues a token: the session, or the code of the refusal. */
  private async attempt(issue: () => Promise<IssuedSession<ActiveSession | AnonymousSession> | Issued>) {
    try {
      const issued = await issue();
      const session =
        'session' in issued
          ? issued.session
          : toSession(issued.record, this.node.core.policy.of(issued.record.roles), this.now);
      const fresh = { id: session.id, token: issued.token };
      this.learn(fresh);
      return { answer: seen(session), fresh };
    } catch (error) {
      const { code } = toException(error) as { code?: string };
      if (code === undefined) throw error;
      return { answer: code, fresh: { id: 'a new id', token: 'a new token' } };
    }
  }

  private learn({ id, token }: Fresh): void {
    const tokens = this.known.get(id) ?? [];
    if (!tokens.includes(token)) this.known.set(id, [...tokens, token]);
  }

  private id(nth: number): string {
    const ids = nth < 0 ? [...this.known.keys()] : this.model.sessions.map(({ id }) => id);
    return ids.at(nth < 0 ? nth : -1 - nth) ?? ids[0] ?? '01900000-0000-7000-8000-000000000000';
  }

  private token(nth: number, age: number): string {
    const tokens = this.known.get(this.id(nth));
    return tokens?.at(-1 - age) ?? tokens?.[0] ?? this.node.core.tokens.mint().text;
  }

  private arrival(ago: number) {
    const recent = this.arrivals.filter(({ at }) => this.now - at < LONGEST_SIGN_IN);
    return (recent.at(-1 - ago) ?? recent[0]) as (typeof recent)[number];
  }

  private toldEvents() {
    return sorted(eachByItself(this.node.events.splice(0)) as readonly ModelEvent[]);
  }
}

function seen(session: ActiveSession | AnonymousSession | null) {
  if (session === null) return null;
  const { client: _, ...rest } = session.toJSON();
  return { ...rest, data: session.data };
}

/** What the model tells of events, and in no order: those of one command have none. */
function sorted(events: readonly ModelEvent[]): string[] {
  return events
    .map(({ type, sessionId, userId, reason, count }) => [type, sessionId, userId, reason, count].join(' '))
    .toSorted();
}

await describeOnEachDatabase((leg) => {
  let cluster: TestCluster;
  let node: TestNode;

  beforeAll(async () => {
    cluster = await TestCluster.on(leg);
    node = await cluster.node();
  });
  afterAll(() => cluster.close());

  async function compare(rules: Rules, script: readonly Command[]): Promise<void> {
    for (const table of ['sessions', 'session_users']) await node.dataSource.query(`DELETE FROM ${table}`);
    const options = { ...rules, timeouts: TIMEOUTS, roles: ROLES } as SessionModuleOptions;
    const comparison = new Comparison(cluster, cluster.nodeSharing(node, options), rules);
    for (const each of script) await comparison.run(each);
    await comparison.census();
  }

  it(
    'does what the model says, whatever is asked of it',
    () => explore(fc.asyncProperty(options, commands, compare)),
    3_600_000,
  );
});
