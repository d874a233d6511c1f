import { type Issued, said, SHOWN, stale, untilRemembered } from './cluster-nodes.js';
import type { NodeProcess } from './processes.js';

/** What nodes have to be started with, so that each of these verbs takes something away. */
export const OPTIONS_OF_VERBS = { grace: 0, maxSessionsPerUser: 2 };

/** How a verb is done to a session that all nodes remember. */
type Verb = (node: NodeProcess, remembered: Remembered) => Promise<unknown>;

interface Remembered extends Issued {
  readonly userId: string;
  /** A token that the session had before. */
  readonly formerToken: string;
}

const VERBS: Readonly<Record<string, Verb>> = {
  revoke: (node, { session }) => node.ask('revoke', session.id),
  revokeAll: (node, { userId }) => node.ask('revokeAll', userId),
  rotate: (node, { session }) => node.ask('rotate', session.id),
  update: (node, { session }) => node.ask('verb', 'update', session.id, { changed: 1 }),
  setRoles: (node, { userId }) => node.ask('setRoles', userId, ['newer']),
  authenticate: (node, { session, userId }) => node.ask('authenticate', session.id, { userId, level: 2 }),
  'sign-out': (node, { session }) => node.ask('signOut', session.id),
  'sign-ins at the limit': async (node, { userId }) => {
    for (let signIn = 0; signIn < OPTIONS_OF_VERBS.maxSessionsPerUser; signIn++)
      await node.ask('create', { userId });
  },
  'the use of a former token': (node, { formerToken }) => node.ask('show', [formerToken]),
};
const NAMES = Object.keys(VERBS);

/** How many verbs are under way at once. */
const LANES = 24;

export interface Checked {
  /** How many answers were looked at that were asked for after the verb had returned. */
  readonly checks: number;
  /** The verbs from before which a node has answered then. */
  readonly stale: readonly string[];
}

/** Calls all verbs, on each of the nodes in turn, while all of them answer, until there are enough checks. */
export async function checkVerbs(
  nodes: readonly NodeProcess[],
  wanted: number,
  lanes = LANES,
): Promise<Checked> {
  const stale: string[] = [];
  const note = (verb: string, count: number) => count > 0 && stale.push(verb);
  const eachOnce = NAMES.length * nodes.length;
  const calls = Math.max(eachOnce, Math.ceil(wanted / (nodes.length * SHOWN)));
  let called = 0;
  const lane = async () => {
    while (called < calls) {
      const call = called++;
      const verb = NAMES[call % NAMES.length] as string;
      const node = nodes[Math.floor(call / NAMES.length) % nodes.length] as NodeProcess;
      note(verb, await check(verb, node, nodes, `user-${call}`));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  note('revokeEveryone', await checkEveryone(nodes));
  return { checks: (calls + 1) * nodes.length * SHOWN, stale };
}

/** @returns how often nodes answered from before it */
async function check(verb: string, node: NodeProcess, nodes: readonly NodeProcess[], userId: string) {
  const issued = await node.ask<Issued>('create', { userId, roles: ['older'] });
  await node.ask('show', [issued.token]);
  const { token } = await node.ask<Issued>('rotate', issued.session.id);
  const { session } = issued;
  const done = () => (VERBS[verb] as Verb)(node, { session, token, userId, formerToken: issued.token });
  return staleAfter(done, nodes, token);
}

/** What takes all sessions away at once. */
async function checkEveryone(nodes: readonly NodeProcess[]): Promise<number> {
  const node = nodes[0] as NodeProcess;
  const { token } = await node.ask<Issued>('create', { userId: 'everyone' });
  return staleAfter(() => node.ask('revokeEveryone'), nodes, token);
}

/** Nodes are asked while it is done, too: what they read then must not be kept. */
async function staleAfter(done: () => Promise<unknown>, nodes: readonly NodeProcess[], token: string) {
  await untilRemembered(nodes, token);
  const before = await said(nodes[0] as NodeProcess, token);
  const during = stale(nodes, token, before);
  await done();
  const after = await stale(nodes, token, before);
  await during;
  return after;
}
