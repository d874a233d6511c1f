/**
 * A model of the protocol of `src/cluster`, explored in all its states: one record, of which each verb makes a newer
 * version and so takes the older one away; nodes that keep a version in memory; a bus that loses, repeats and reorders;
 * clocks that drift; a server that fails over. Any step may come at any time: every node may pause for any time.
 *
 * What is checked in every state: no node answers a version older than that of a verb which has returned.
 */

/** What the protocol does. Each can be taken out, to see that it is needed. */
export interface Safeguards {
  /** The members are read after the change is committed. */
  readonly membersAfterCommit: boolean;
  /** It is announced after the change is committed, not before. */
  readonly announcedAfterCommit: boolean;
  /** A node forgets before it acknowledges. */
  readonly forgetsFirst: boolean;
  /** The node that changes something forgets it too. */
  readonly forgetsItself: boolean;
  /** What was being read when something was announced is not kept. */
  readonly voidsReads: boolean;
  /** On joining a node forgets all, also what is being read. */
  readonly emptiesOnJoin: boolean;
  /** Who does not acknowledge is taken out of the registry. */
  readonly evicts: boolean;
  /** Taken out means marked: a row that was deleted would be seen by no other verb, while the lease still runs. */
  readonly marksEvicted: boolean;
  /** After that it waits until the lease has run out. */
  readonly waitsForLease: boolean;
  /** A node answers only while its lease lasts. */
  readonly checksLease: boolean;
  /** The lease counts from when it was asked for, not from the answer. */
  readonly leaseFromAsking: boolean;
  /** A renewal looks whether the row is there and not evicted. */
  readonly renewalAsks: boolean;
  /** Acknowledgements are for one announcement. */
  readonly acknowledgesByKey: boolean;
  /** Verbs that find nothing to take away announce too. */
  readonly announcesNothingFound: boolean;
  /** A node that gives up forgets, and then deletes its row. */
  readonly forgetsBeforeLeaving: boolean;
  /** Renewals and verbs ask which server answers. */
  readonly asksForServer: boolean;
}

export const ALL_SAFEGUARDS: Safeguards = {
  membersAfterCommit: true,
  announcedAfterCommit: true,
  forgetsFirst: true,
  forgetsItself: true,
  voidsReads: true,
  emptiesOnJoin: true,
  evicts: true,
  marksEvicted: true,
  waitsForLease: true,
  checksLease: true,
  leaseFromAsking: true,
  renewalAsks: true,
  acknowledgesByKey: true,
  announcesNothingFound: true,
  forgetsBeforeLeaving: true,
  asksForServer: true,
};

/** What is explored. */
export interface Configuration {
  /** On which node each verb is called; -1: in a process that keeps nothing in memory. */
  readonly verbs: readonly number[];
  /** How many keep versions in memory. */
  readonly nodes: number;
  /** The last verb finds nothing to take away: an earlier one has taken it. */
  readonly lastFindsNothing?: boolean;
  /** How often a node joins at most. */
  readonly joins?: number;
  /** Whether nodes shut down. */
  readonly leaving?: boolean;
  /** Whether the server fails over, and what that may lose of the registry. */
  readonly failover?: 'keeps' | 'loses';
}

/** In ticks. A verb waits longer than a lease lasts, by more than a clock may be slow meanwhile. */
const LEASE = 2;
const WAIT = 3;
const SLOW_TICKS = 1;

type Asking = 'no' | 'renewing' | 'renewed' | 'refused' | 'joining' | 'joined';
type Row = 'none' | 'there' | 'evicted';
type Stage = 'begun' | 'committed' | 'members read' | 'published' | 'waiting' | 'returned';

interface Node {
  /** How long it may answer, and how many ticks its clock may still miss. */
  lease: number;
  slack: number;
  /** The version in memory; -1: none. */
  kept: number;
  /** Which of its joins it is a member by; 0: none. */
  join: number;
  joins: number;
  asking: Asking;
  /** How much a lease from the question would still be worth. */
  asked: number;
  askedSlack: number;
  /** A read: `none`, `sent`, or the version that it has found. */
  read: 'none' | 'sent' | number;
  readIsGood: boolean;
  forgetsLater: boolean;
  /** The server that has answered its join. */
  server: number;
}

interface Verb {
  stage: Stage;
  version: number;
  /** Whom it waits for, and who has acknowledged: a bit for each row. */
  members: number;
  acknowledged: number;
  published: boolean;
  wait: number;
  findsOtherServer: boolean;
}

interface State {
  version: number;
  server: number;
  knownServer: number;
  hasFailedOver: boolean;
  nodes: Node[];
  rows: Row[];
  verbs: Verb[];
}

/** How it went: `broken` with the steps that lead there. */
export type Outcome =
  | { readonly holds: true; readonly states: number }
  | { readonly holds: false; readonly states: number; readonly steps: readonly string[] }
  /** More states than were to be looked at. */
  | { readonly holds: null; readonly states: number };

/** Explores all states, nearest first. */
export function explore(
  configuration: Configuration,
  safeguards = ALL_SAFEGUARDS,
  limit = 2_000_000,
): Outcome {
  const model = new Model(configuration, safeguards);
  const first = model.first();
  const seen = new SeenKeys();
  seen.add(keyOf(first));
  const parents: number[] = [-1];
  const labels: string[] = [''];
  let frontier: [State, number][] = [[first, 0]];
  while (frontier.length > 0) {
    const next: [State, number][] = [];
    for (const [state, parent] of frontier) {
      for (const [label, reached] of model.steps(state)) {
        if (!seen.add(keyOf(reached))) continue;
        parents.push(parent);
        labels.push(label);
        if (model.isBroken(reached)) {
          return { holds: false, states: seen.size, steps: pathTo(parents, labels) };
        }
        if (seen.size >= limit) return { holds: null, states: seen.size };
        next.push([reached, parents.length - 1]);
      }
    }
    frontier = next;
  }
  return { holds: true, states: seen.size };
}

/** Sets end at 16 million entries: so there are several. */
class SeenKeys {
  size = 0;
  private readonly parts = Array.from({ length: 64 }, () => new Set<string>());

  /** @returns whether it is new */
  add(key: string): boolean {
    let mixed = 0;
    for (let at = 0; at < key.length; at++) mixed = (31 * mixed + key.charCodeAt(at)) | 0;
    const part = this.parts[mixed & 63] as Set<string>;
    if (part.has(key)) return false;
    part.add(key);
    this.size++;
    return true;
  }
}

function pathTo(parents: readonly number[], labels: readonly string[]): string[] {
  const path: string[] = [];
  for (let at = parents.length - 1; at > 0; at = parents[at] as number) path.unshift(labels[at] as string);
  return path;
}

function keyOf({ nodes, verbs, rows, version, server, knownServer, hasFailedOver }: State): string {
  let key = `${version}${server}${knownServer}${hasFailedOver}${rows.join('')}`;
  for (const n of nodes) {
    key += `|${n.lease}${n.slack}${n.kept},${n.join}${n.joins}${n.asking}${n.asked}${n.askedSlack}`;
    key += `${n.read}${n.readIsGood}${n.forgetsLater}${n.server}`;
  }
  for (const v of verbs) {
    key += `|${v.stage}${v.version},${v.members},${v.acknowledged},${v.published}${v.wait}${v.findsOtherServer}`;
  }
  return key;
}

class Model {
  private readonly joins: number;

  constructor(
    private readonly configuration: Configuration,
    private readonly safe: Safeguards,
  ) {
    this.joins = configuration.joins ?? 2;
  }

  first(): State {
    const { nodes, verbs } = this.configuration;
    const rows = Array<Row>(nodes * this.joins).fill('none');
    const node: Node = {
      lease: 0,
      slack: 0,
      kept: -1,
      join: 0,
      joins: 0,
      asking: 'no',
      asked: 0,
      askedSlack: 0,
      read: 'none',
      readIsGood: false,
      forgetsLater: false,
      server: 0,
    };
    const verb: Verb = {
      stage: 'begun',
      version: 0,
      members: 0,
      acknowledged: 0,
      published: false,
      wait: 0,
      findsOtherServer: false,
    };
    return {
      version: 0,
      server: 0,
      knownServer: 0,
      hasFailedOver: false,
      rows,
      nodes: Array.from({ length: nodes }, () => ({ ...node })),
      verbs: verbs.map(() => ({ ...verb })),
    };
  }

  isBroken({ nodes, verbs }: State): boolean {
    const returned = Math.max(0, ...verbs.map(({ stage, version }) => (stage === 'returned' ? version : 0)));
    return nodes.some(
      ({ kept, lease }) => kept >= 0 && kept < returned && (lease > 0 || !this.safe.checksLease),
    );
  }

  *steps(state: State): Generator<[string, State]> {
    for (const [label, change] of this.changes(state)) {
      const next = copyOf(state);
      if (change(next) === false) continue;
      tidy(next, !this.safe.acknowledgesByKey);
      yield [label, next];
    }
  }

  private *changes(state: State): Generator<[string, (next: State) => void | false]> {
    yield* this.ticks(state);
    for (const [at, node] of state.nodes.entries()) {
      yield* this.membership(at, node, state);
      yield* this.reads(at, node, state);
      yield* this.announcements(at, node, state);
    }
    for (const [number, verb] of state.verbs.entries()) yield* this.verb(number, verb, state);
    if (this.configuration.failover && !state.hasFailedOver) yield* this.failover(state);
  }

  /** Time passes for all, but for clocks that are slow. */
  private *ticks(state: State): Generator<[string, (next: State) => void | false]> {
    const mayMiss = state.nodes.flatMap(({ lease, slack, asked, askedSlack }, at) => {
      const runs = lease > 0 || asked > 0;
      return runs && (lease === 0 || slack > 0) && (asked === 0 || askedSlack > 0) ? [at] : [];
    });
    for (let mask = 0; mask < 2 ** mayMiss.length; mask++) {
      const slow = new Set(mayMiss.filter((_, bit) => (mask >> bit) & 1));
      yield [
        `tick${slow.size > 0 ? ` (slow: ${[...slow].join()})` : ''}`,
        (next) => {
          let isAny = slow.size > 0;
          for (const [at, node] of next.nodes.entries()) {
            if (slow.has(at)) {
              if (node.lease > 0) node.slack--;
              if (node.asked > 0) node.askedSlack--;
            } else {
              isAny ||= node.lease > 0 || node.asked > 0;
              node.lease = Math.max(0, node.lease - 1);
              node.asked = Math.max(0, node.asked - 1);
            }
          }
          for (const verb of next.verbs) {
            isAny ||= verb.wait > 0;
            verb.wait = Math.max(0, verb.wait - 1);
          }
          return isAny ? undefined : false;
        },
      ];
    }
  }

  private *membership(
    at: number,
    node: Node,
    state: State,
  ): Generator<[string, (next: State) => void | false]> {
    const { safe } = this;
    const row = this.rowOf(at, node.join);
    const ask = (next: State, asking: Asking) => {
      const asker = next.nodes[at]!;
      asker.asking = asking;
      asker.asked = LEASE;
      asker.askedSlack = SLOW_TICKS;
    };
    const grant = (asker: Node) => {
      const lease = safe.leaseFromAsking ? asker.asked : LEASE;
      if (lease >= asker.lease) {
        asker.lease = lease;
        asker.slack = safe.leaseFromAsking ? asker.askedSlack : SLOW_TICKS;
      }
      asker.asking = 'no';
      asker.asked = 0;
    };
    const drop = (dropped: Node) => {
      dropped.join = 0;
      dropped.lease = 0;
      if (safe.emptiesOnJoin) forget(dropped);
    };
    if (node.join === 0 && node.asking === 'no' && node.joins < this.joins) {
      yield [
        `node ${at} asks to join`,
        (next) => {
          next.nodes[at]!.joins++;
          ask(next, 'joining');
        },
      ];
    }
    if (node.asking === 'joining') {
      yield [
        `database: node ${at} joins`,
        (next) => {
          const joiner = next.nodes[at]!;
          next.rows[this.rowOf(at, joiner.joins)] = 'there';
          joiner.asking = 'joined';
          joiner.server = next.server;
        },
      ];
    }
    if (node.asking === 'joined') {
      yield [
        `node ${at} hears that it has joined`,
        (next) => {
          const joiner = next.nodes[at]!;
          joiner.join = joiner.joins;
          if (safe.emptiesOnJoin) forget(joiner);
          grant(joiner);
        },
      ];
    }
    if (node.join > 0 && node.asking === 'no' && node.lease < LEASE) {
      yield [`node ${at} asks for more time`, (next) => ask(next, 'renewing')];
    }
    if (node.asking === 'renewing') {
      yield [
        `database: node ${at} asks for more time`,
        (next) => {
          const isThere =
            state.rows[row] === 'there' && (!safe.asksForServer || state.server === node.server);
          next.nodes[at]!.asking = isThere || !safe.renewalAsks ? 'renewed' : 'refused';
        },
      ];
    }
    if (node.asking === 'renewed') yield [`node ${at} has more time`, (next) => grant(next.nodes[at]!)];
    if (node.asking === 'refused') {
      yield [
        `node ${at} hears that it is out`,
        (next) => {
          const out = next.nodes[at]!;
          out.asking = 'no';
          out.asked = 0;
          drop(out);
        },
      ];
    }
    if (this.configuration.leaving && node.join > 0 && node.asking === 'no') {
      if (safe.forgetsBeforeLeaving) {
        yield [
          `node ${at} gives up`,
          (next) => {
            drop(next.nodes[at]!);
            next.rows[row] = 'none';
          },
        ];
      } else if (state.rows[row] === 'there') {
        yield [`node ${at} deletes its row, and forgets later`, (next) => void (next.rows[row] = 'none')];
      }
    }
  }

  private *reads(at: number, node: Node, state: State): Generator<[string, (next: State) => void | false]> {
    if (node.read === 'none') {
      yield [
        `node ${at} reads`,
        (next) => {
          next.nodes[at]!.read = 'sent';
          next.nodes[at]!.readIsGood = true;
        },
      ];
    } else if (node.read === 'sent') {
      yield [
        `database: node ${at} reads version ${state.version}`,
        (next) => void (next.nodes[at]!.read = state.version),
      ];
    } else {
      yield [
        `node ${at} has read version ${node.read}`,
        (next) => {
          const reader = next.nodes[at]!;
          if (reader.join > 0 && (reader.readIsGood || !this.safe.voidsReads))
            reader.kept = node.read as number;
          reader.read = 'none';
        },
      ];
    }
  }

  private *announcements(
    at: number,
    node: Node,
    state: State,
  ): Generator<[string, (next: State) => void | false]> {
    for (const [number, { published }] of state.verbs.entries()) {
      if (!published) continue;
      yield [
        `node ${at} hears of verb ${number}`,
        (next) => {
          const hearer = next.nodes[at]!;
          if (this.safe.forgetsFirst) forget(hearer);
          else hearer.forgetsLater = true;
          // Under all its ids: a join that is not answered yet empties the node when it is.
          const verb = next.verbs[number]!;
          for (let join = 1; join <= hearer.joins; join++) verb.acknowledged |= 1 << this.rowOf(at, join);
        },
      ];
    }
    if (node.forgetsLater) {
      yield [
        `node ${at} forgets`,
        (next) => {
          forget(next.nodes[at]!);
          next.nodes[at]!.forgetsLater = false;
        },
      ];
    }
  }

  private *verb(
    number: number,
    verb: Verb,
    state: State,
  ): Generator<[string, (next: State) => void | false]> {
    const { safe } = this;
    const at = this.configuration.verbs[number] as number;
    const name = `verb ${number} on node ${at}`;
    const isLast = number === state.verbs.length - 1;
    const findsNothing = isLast && this.configuration.lastFindsNothing === true;
    const go = (change: (verb: Verb, next: State) => void | false) => (next: State) =>
      change(next.verbs[number]!, next);
    const commit = go((committing, next) => {
      if (findsNothing && next.version === 0) return false;
      if (!findsNothing) next.version++;
      committing.version = next.version;
      return undefined;
    });
    const readMembers = (reading: Verb, next: State) => {
      const join = next.nodes[at]?.join ?? 0;
      const own = join === 0 ? -1 : this.rowOf(at, join);
      reading.members = 0;
      for (const [index, row] of next.rows.entries())
        if (row !== 'none' && index !== own) reading.members |= 1 << index;
      reading.findsOtherServer = safe.asksForServer && next.knownServer !== next.server;
    };
    const publish = (publishing: Verb, next: State) => {
      publishing.published = true;
      if (safe.forgetsItself && at >= 0) forget(next.nodes[at]!);
    };
    if (!safe.announcedAfterCommit) {
      if (verb.stage === 'begun') {
        yield [
          `${name} announces`,
          go((v, next) => {
            readMembers(v, next);
            publish(v, next);
            v.stage = 'published';
          }),
        ];
      }
      if (verb.stage === 'published' && this.missing(verb, state) === 0) {
        yield [
          `database: ${name} commits, and returns`,
          (next) => {
            if (commit(next) === false) return false;
            next.verbs[number]!.stage = 'returned';
            return undefined;
          },
        ];
      }
      return;
    }
    if (verb.stage === 'begun') {
      if (safe.membersAfterCommit) {
        yield [
          `database: ${name} commits`,
          (next) => {
            if (commit(next) === false) return false;
            next.verbs[number]!.stage =
              findsNothing && !safe.announcesNothingFound ? 'returned' : 'committed';
            return undefined;
          },
        ];
      } else {
        yield [
          `${name} reads the members`,
          go((v, next) => {
            readMembers(v, next);
            v.stage = 'members read';
          }),
        ];
      }
    }
    if (verb.stage === 'members read') {
      yield [
        `database: ${name} commits`,
        (next) => {
          if (commit(next) === false) return false;
          const v = next.verbs[number]!;
          publish(v, next);
          v.stage = 'published';
          return undefined;
        },
      ];
    }
    if (verb.stage === 'committed') {
      if (!verb.published) yield [`${name} forgets and publishes`, go(publish)];
      yield [
        `${name} reads the members`,
        go((v, next) => {
          if (!v.published) publish(v, next);
          readMembers(v, next);
          v.stage = 'published';
        }),
      ];
    }
    if (verb.stage === 'published') {
      const missing = this.missing(verb, state);
      if (missing === 0 && !verb.findsOtherServer) {
        yield [`${name} has all acknowledgements`, go((v) => void (v.stage = 'returned'))];
      } else if (!safe.evicts) {
        yield [`${name} waits no longer`, go((v) => void (v.stage = 'returned'))];
      } else {
        yield [
          `${name} evicts`,
          go((v, next) => {
            for (const row of rowsIn(missing))
              if (next.rows[row] !== 'none') next.rows[row] = safe.marksEvicted ? 'evicted' : 'none';
            v.members = missing;
            v.wait = safe.waitsForLease ? WAIT : 0;
            v.stage = 'waiting';
          }),
        ];
      }
    }
    if (verb.stage === 'waiting') {
      const isComplete = this.missing(verb, state) === 0;
      if (isComplete && !verb.findsOtherServer) {
        yield [`${name} has late acknowledgements`, go((v) => void (v.stage = 'returned'))];
      }
      if (verb.wait === 0) {
        yield [
          `${name} has waited`,
          go((v, next) => {
            for (const row of rowsIn(v.members)) next.rows[row] = 'none';
            if (v.findsOtherServer) next.knownServer = next.server;
            v.stage = 'returned';
          }),
        ];
      }
    }
  }

  /** Another server takes over; what was under way fails. It may be without the last change of each row. */
  private *failover(state: State): Generator<[string, (next: State) => void | false]> {
    const changed = state.rows.flatMap((row, index) => (row === 'none' ? [] : [index]));
    const masks = this.configuration.failover === 'loses' ? 2 ** changed.length : 1;
    for (let mask = 0; mask < masks; mask++) {
      const lost = changed.filter((_, bit) => (mask >> bit) & 1);
      yield [
        `fail-over${lost.length > 0 ? `, which loses the last change of ${lost.join()}` : ''}`,
        (next) => {
          next.hasFailedOver = true;
          next.server = 1;
          for (const row of lost) next.rows[row] = next.rows[row] === 'evicted' ? 'there' : 'none';
          for (const node of next.nodes) {
            if (node.asking === 'joining' || node.asking === 'renewing') {
              node.asking = 'no';
              node.asked = 0;
            }
            if (node.read === 'sent') node.read = 'none';
          }
        },
      ];
    }
  }

  /** Of those that it waits for. */
  private missing(verb: Verb, { verbs }: State): number {
    const acknowledged = this.safe.acknowledgesByKey
      ? verb.acknowledged
      : verbs.reduce((all, each) => all | each.acknowledged, 0);
    return verb.members & ~acknowledged;
  }

  private rowOf(node: number, join: number): number {
    return node * this.joins + join - 1;
  }
}

function forget(node: Node): void {
  node.kept = -1;
  node.readIsGood = false;
}

function rowsIn(bits: number): number[] {
  const rows: number[] = [];
  for (let row = 0; bits >> row > 0; row++) if ((bits >> row) & 1) rows.push(row);
  return rows;
}

function copyOf(state: State): State {
  return {
    ...state,
    nodes: state.nodes.map((node) => ({ ...node })),
    rows: [...state.rows],
    verbs: state.verbs.map((verb) => ({ ...verb })),
  };
}

/** What makes no difference any more is made equal, so that there are fewer states. */
function tidy({ nodes, verbs }: State, keepsAcknowledgements: boolean): void {
  for (const node of nodes) {
    if (node.lease === 0) node.slack = 0;
    if (node.asked === 0) node.askedSlack = 0;
    if (node.read === 'none') node.readIsGood = false;
  }
  for (const verb of verbs) {
    if (verb.stage !== 'returned') continue;
    verb.members = 0;
    verb.wait = 0;
    verb.findsOtherServer = false;
    if (!keepsAcknowledgements) verb.acknowledged = 0;
  }
}
