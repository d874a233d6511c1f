// A stream of verbs on users of its own, one after the other, that tells its parent what must hold whenever it is
// killed: before each verb the state of the user and which verb comes, and after the answer the new state.

/** The option `maxSessionsPerUser` of the nodes. */
export const LIMIT = 2;
const STEPS_PER_USER = 14;

const pick = (list) => list[Math.floor(Math.random() * list.length)];

/** What each verb does and how it changes what is known of the user. */
const verbs = {
  create: {
    run: ({ service }, { user, roles }) => service.create({ userId: user, roles }),
    learn: (known, { session, token }) => enter(known, { id: session.id, token, dead: [], n: 0 }),
  },
  signIn: {
    prepare: async ({ service }) => (await service.createAnonymous({ n: 0 })).session.id,
    run: ({ service }, { user, roles }, id) => service.authenticate(id, { userId: user, roles }),
    learn: (known, { session, token }) => enter(known, { id: session.id, token, dead: [], n: 0 }),
  },
  stepUp: {
    isOfSession: true,
    run: ({ service }, { user }, id) => service.authenticate(id, { userId: user }),
    learn: (known, { token }, id) => replaceToken(known, id, token),
  },
  rotate: {
    isOfSession: true,
    run: ({ service }, _, id) => service.rotate(id),
    learn: (known, { token }, id) => replaceToken(known, id, token),
  },
  present: {
    isOfSession: true,
    run: ({ present }, known, id) => present(known.live.find((each) => each.id === id).token),
    learn: (known, { reason, renewed }, id) => {
      if (reason !== null) throw new Error(`A live token is ${reason}.`);
      if (renewed !== null) replaceToken(known, id, renewed);
    },
  },
  update: {
    isOfSession: true,
    run: ({ service }, _, id) => service.update(id, ({ n }) => ({ n: (n ?? 0) + 1 })),
    learn: (known, { n }, id) => {
      known.live.find((each) => each.id === id).n = n;
    },
  },
  setRoles: {
    prepare: () => `role-${Math.random()}`,
    run: ({ service }, { user }, role) => service.setRoles(user, [role]),
    learn: (known, _, role) => {
      known.roles = [role];
    },
  },
  revoke: {
    isOfSession: true,
    run: ({ service }, _, id) => service.revoke(id),
    learn: (known, isRevoked, id) => {
      if (!isRevoked) throw new Error('There was nothing to revoke.');
      leave(known, (each) => each.id === id);
    },
  },
  revokeAll: {
    run: ({ service }, { user }) => service.revokeAll(user),
    learn: (known, count) => {
      if (count !== known.live.length) throw new Error(`${count} of ${known.live.length} were revoked.`);
      leave(known, () => true);
    },
  },
};

/** @param node `{ service, present }` @param tell hands a note to the parent, and waits until it is on its way */
export async function runLane(lane, node, tell) {
  for (let round = 0; ; round++) {
    const known = { user: `${lane}-${round}`, roles: ['role'], live: [], gone: [] };
    try {
      for (let step = 0; step < STEPS_PER_USER; step++) {
        const name = known.live.length === 0 ? pick(['create', 'signIn']) : pick(Object.keys(verbs));
        const verb = verbs[name];
        const about = verb.isOfSession ? pick(known.live).id : ((await verb.prepare?.(node)) ?? null);
        await tell({ ...known, pending: { verb: name, about } });
        const result = await verb.run(node, known, about);
        verb.learn(known, result, about);
        await tell({ ...known, pending: null });
      }
    } catch (error) {
      await tell({ user: known.user, failure: `${error.code ?? ''} ${error.message}` });
    }
  }
}

function enter(known, session) {
  known.live.push(session);
  if (known.live.length > LIMIT) known.gone.push(known.live.shift());
}

function leave(known, isLeaving) {
  known.gone.push(...known.live.filter(isLeaving));
  known.live = known.live.filter((each) => !isLeaving(each));
}

function replaceToken(known, id, token) {
  const session = known.live.find((each) => each.id === id);
  session.dead.push(session.token);
  session.token = token;
}
