import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { SessionClientError } from 'nestjs-sessions/client';
import { connect, issued, ORIGIN, sessionInfo, settled } from './wire.js';

describe('sign-in', () => {
  it('posts the credentials as JSON, and sends the token from then on', async () => {
    const { wire, client, events, tokenInUse } = connect();
    expect(tokenInUse()).toBeNull();
    const done = client.signIn('/auth/sign-in', { username: 'ana', password: 'secret' });
    expect(wire.last).toMatchObject({
      url: `${ORIGIN}/auth/sign-in`,
      token: null,
      init: { method: 'POST', body: '{"username":"ana","password":"secret"}' },
    });
    expect(wire.last.headers.get('Content-Type')).toBe('application/json');
    await wire.last.answer(201, issued('T1'));
    expect(await done).toEqual(sessionInfo());
    expect(tokenInUse()).toBe('T1');
    expect(events).toEqual([{ type: 'signed-in', session: sessionInfo() }]);
  });

  it('that is refused says why, and leaves an earlier session alone', async () => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.signIn('/auth/step-up', {});
    const refusal = { code: 'sign_in_failed', message: 'Wrong.' };
    await wire.last.answer(401, refusal);
    const error = await done.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SessionClientError);
    expect(error).toMatchObject({
      name: 'SessionClientError',
      code: 'sign_in_failed',
      status: 401,
      body: refusal,
    });
    expect(tokenInUse()).toBe('T1');
    expect(events).toHaveLength(1);
  });

  it.each([
    ['without a token', { session: sessionInfo() }],
    ['without a session', { token: 'T1' }],
    ['that is empty', undefined],
  ])('complains about an answer %s', async (_, body) => {
    const { wire, client, tokenInUse } = connect();
    const done = client.signIn('/auth/sign-in', {});
    await wire.last.answer(200, body);
    await expect(done).rejects.toMatchObject({
      code: 'not_a_session',
      message: expect.stringContaining('transport bearer'),
    });
    expect(tokenInUse()).toBeNull();
  });

  it('sends credentials to the origin only', async () => {
    const { wire, client } = connect();
    await expect(client.signIn('https://example.net/auth/sign-in', {})).rejects.toThrow(`not on ${ORIGIN}`);
    expect(wire.requests).toHaveLength(0);
  });
});

describe('a renewed token', () => {
  it('is taken from the answer, and read at the moment of sending', async () => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    void client.fetch('/me');
    expect(wire.last.token).toBe('T1');
    await wire.last.answer(200, {}, { 'Session-Token': 'T2' });
    expect(tokenInUse()).toBe('T2');
    expect(events.at(-1)).toEqual({ type: 'renewed' });
  });

  it('is not in the answer that the app gets, nor in its copies', async () => {
    const { wire, client, signIn } = connect();
    await signIn('T1');
    for (const status of [200, 403]) {
      const done = client.fetch('/me');
      await wire.last.answer(status, { name: 'Ana' }, { 'Session-Token': 'TOKEN-2', 'X-Other': 'kept' });
      const answer = await done;
      for (const one of [answer.clone(), answer.clone().clone(), new Response(null, answer), answer]) {
        expect([...one.headers].map(([name]) => name)).not.toContain('session-token');
        expect(one.headers.get('X-Other')).toBe('kept');
        expect(inspect(one, { showHidden: true, depth: null, getters: true })).not.toContain('TOKEN-2');
      }
      expect([answer.status, await answer.json()]).toEqual([status, { name: 'Ana' }]);
    }
  });

  it('is covered up where a platform has no streams, so that no other answer could have the body', async () => {
    const make = () => {
      const { status, ok, headers } = new Response(null, {
        headers: { 'Session-Token': 'T2', 'X-Other': 'kept' },
      });
      return { status, ok, headers, url: '', clone: () => make(), json: async () => ({ name: 'Ana' }) };
    };
    const { client, events, signIn, wire } = connect();
    await signIn('T1');
    const done = client.fetch('/me');
    wire.last.answerWith(make());
    const answer = await done;
    expect(events.at(-1)).toEqual({ type: 'renewed' });
    for (const one of [answer, answer.clone(), answer.clone().clone()]) {
      expect([one.headers.get('Session-Token'), one.headers.get('X-Other')]).toEqual([null, 'kept']);
      expect(await one.json()).toEqual({ name: 'Ana' });
    }
  });

  it('is taken from refusals and errors too', async () => {
    const { wire, client, signIn, tokenInUse } = connect();
    await signIn('T1');
    void client.fetch('/me');
    await wire.last.answer(403, { code: 'role_required' }, { 'Session-Token': 'T2' });
    expect(tokenInUse()).toBe('T2');
  });

  it('is ignored when the one that was sent is not current any more', async () => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    void client.fetch('/slow');
    const slow = wire.last;
    void client.fetch('/fast');
    await wire.last.answer(200, {}, { 'Session-Token': 'T2' });
    await slow.answer(200, {}, { 'Session-Token': 'T1b' });
    expect(tokenInUse()).toBe('T2');
    expect(events.filter(({ type }) => type === 'renewed')).toHaveLength(1);
  });

  it.each(['forget', 'signOut'] as const)('does not come back after %s', async (verb) => {
    const { wire, client, signIn, tokenInUse } = connect();
    await signIn('T1');
    void client.fetch('/slow');
    const slow = wire.last;
    void client[verb]();
    await slow.answer(200, {}, { 'Session-Token': 'T2' });
    expect(tokenInUse()).toBeNull();
  });

  it('of a session from before does not displace that of a new sign-in', async () => {
    const { wire, client, signIn, tokenInUse } = connect();
    await signIn('T1');
    void client.fetch('/slow');
    const slow = wire.last;
    await signIn('T9', 'session-2');
    await slow.answer(200, {}, { 'Session-Token': 'T2' });
    expect(tokenInUse()).toBe('T9');
  });
});

describe('a refused token', () => {
  it.each(['session_required', 'session_invalid', 'session_expired'] as const)(
    'is discarded on %s, once, and the app gets the answer with its body',
    async (code) => {
      const { wire, client, events, signIn, tokenInUse } = connect();
      await signIn('T1');
      const answers = [client.fetch('/a'), client.fetch('/b')];
      for (const request of wire.requests.slice(-2)) await request.answer(401, { code });
      for (const answer of await Promise.all(answers)) expect(await answer.json()).toEqual({ code });
      expect(tokenInUse()).toBeNull();
      expect(events.slice(1)).toEqual([{ type: 'ended', reason: code }]);
    },
  );

  it.each([
    [401, { code: 'sign_in_failed' }],
    [401, { code: 'of_the_application' }],
    [401, undefined],
    [403, { code: 'session_invalid' }],
    [409, { code: 'session_limit' }],
    [429, { code: 'too_many_guesses' }],
    [500, { code: 'session_invalid' }],
    [503, { code: 'session_store_unavailable' }],
  ])('is kept on %p with %p', async (status, body) => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.fetch('/me');
    await wire.last.answer(status, body);
    expect((await done).status).toBe(status);
    expect(tokenInUse()).toBe('T1');
    expect(events).toHaveLength(1);
  });

  it('is kept when the network fails', async () => {
    const { wire, client, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.fetch('/me');
    await Promise.all([wire.last.fail(), expect(done).rejects.toThrow('fetch failed')]);
    expect(tokenInUse()).toBe('T1');
  });

  it('is news no more when another one is current: the request is sent again with that', async () => {
    const { wire, client, events, signIn } = connect();
    await signIn('T1');
    const done = client.fetch('/slow', { method: 'POST', body: 'x' });
    const slow = wire.last;
    void client.fetch('/fast');
    await wire.last.answer(200, {}, { 'Session-Token': 'T2' });
    await slow.answer(401, { code: 'session_invalid' });
    expect(wire.last).toMatchObject({ url: `${ORIGIN}/slow`, token: 'T2', init: { body: 'x' } });
    await wire.last.answer(200);
    expect((await done).status).toBe(200);
    expect(events.map(({ type }) => type)).not.toContain('ended');
  });

  it('is not sent again in the name of another person', async () => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.fetch('/slow');
    const slow = wire.last;
    await signIn('T9', 'session-2');
    const sent = wire.requests.length;
    await slow.answer(401, { code: 'session_invalid' });
    expect((await done).status).toBe(401);
    expect(wire.requests).toHaveLength(sent);
    expect(tokenInUse()).toBe('T9');
    expect(events.map(({ type }) => type)).not.toContain('ended');
  });

  it('is not discarded by the answer to a request that had none', async () => {
    const { wire, client, signIn, tokenInUse } = connect();
    void client.fetch('/early');
    const early = wire.last;
    await signIn('T1');
    await early.answer(401, { code: 'session_required' });
    expect(tokenInUse()).toBe('T1');
  });

  it('waits for a step-up under way, which kills the token before it brings the new one', async () => {
    const { wire, client, events, signIn } = connect();
    await signIn('T1');
    const done = client.fetch('/me');
    const refused = wire.last;
    const stepUp = client.signIn('/auth/step-up', {});
    const stepUpRequest = wire.last;
    await refused.answer(401, { code: 'session_invalid' });
    await stepUpRequest.answer(200, issued('T2'));
    await stepUp;
    await settled();
    expect(wire.last).toMatchObject({ url: `${ORIGIN}/me`, token: 'T2' });
    await wire.last.answer(200);
    expect((await done).status).toBe(200);
    expect(events.map(({ type }) => type)).toEqual(['signed-in', 'signed-in']);
  });
});

describe('sign-out', () => {
  it('discards the token at once, and ends the session on the server', async () => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.signOut();
    expect(wire.last).toMatchObject({
      url: `${ORIGIN}/auth/sign-out`,
      token: 'T1',
      init: { method: 'POST' },
    });
    expect(wire.last.headers.has('Content-Type')).toBe(false);
    const signOut = wire.last;
    expect(tokenInUse()).toBeNull();
    expect(events.at(-1)).toEqual({ type: 'ended', reason: 'sign-out' });
    await signOut.answer(204);
    expect(await done).toBe(true);
  });

  it.each([500, 503])('says when the server could not do it (%p)', async (status) => {
    const { wire, client, signIn } = connect();
    await signIn('T1');
    const done = client.signOut();
    await wire.last.answer(status);
    expect(await done).toBe(false);
  });

  it('forgets even though the network fails, and says so', async () => {
    const { wire, client, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.signOut();
    await wire.last.fail();
    expect(await done).toBe(false);
    expect(tokenInUse()).toBeNull();
  });

  it('has nothing to do without a session', async () => {
    const { wire, client, events } = connect();
    expect(await client.signOut()).toBe(true);
    expect([wire.requests, events]).toEqual([[], []]);
  });
});

describe('sign-ins that overlap', () => {
  it.each(['forget', 'signOut'] as const)('with %s leave nobody signed in, here or there', async (verb) => {
    const { wire, client, events, tokenInUse } = connect();
    const done = client.signIn('/auth/sign-in', {});
    const signIn = wire.last;
    void client[verb]();
    await Promise.all([
      signIn.answer(201, issued('T1')),
      expect(done).rejects.toMatchObject({ code: 'superseded' }),
    ]);
    expect(wire.last).toMatchObject({ url: `${ORIGIN}/auth/sign-out`, token: 'T1' });
    expect(tokenInUse()).toBeNull();
    expect(events).toEqual([]);
  });

  it.each([
    ['in order', 0, 1],
    ['out of order', 1, 0],
  ])('leave the latest, and no second session on the server (answers %s)', async (_, first, second) => {
    const { wire, client, tokenInUse } = connect();
    const done = [client.signIn('/auth/sign-in', {}), client.signIn('/auth/sign-in', {})];
    const outcome = Promise.allSettled(done);
    const requests = [...wire.requests];
    const tokens = ['T1', 'T2'];
    for (const index of [first, second]) {
      await requests[index]?.answer(201, issued(tokens[index] ?? '', `session-${index}`));
    }
    await outcome;
    expect(wire.last).toMatchObject({ url: `${ORIGIN}/auth/sign-out`, token: 'T1' });
    expect(tokenInUse()).toBe('T2');
  });
});

describe('listeners', () => {
  it('hear until they unsubscribe', async () => {
    const { client, signIn } = connect();
    const heard: string[] = [];
    const stop = client.on('ended', ({ reason }) => heard.push(reason));
    await signIn('T1');
    client.forget();
    await signIn('T2');
    stop();
    client.forget();
    expect(heard).toEqual(['forgotten']);
  });

  it('that subscribe in a listener hear of the next event first', async () => {
    const { client, signIn } = connect();
    let heard = 0;
    const again = () => {
      heard++;
      client.on('ended', again);
    };
    client.on('ended', again);
    await signIn('T1');
    client.forget();
    expect(heard).toBe(1);
  });
});
