import { describe, expect, it, jest } from '@jest/globals';
import type { SessionClient, StepUpChallenge } from 'nestjs-sessions/client';
import { CHALLENGE, connect, issued, ORIGIN, STEP_UP } from './wire.js';

/** A client whose callback does what the test says. */
function connectWithStepUp(confirm: (client: SessionClient) => unknown) {
  const challenges: StepUpChallenge[] = [];
  const connection = connect({
    onStepUp: (challenge) => {
      challenges.push(challenge);
      return confirm(connection.client);
    },
  });
  return { ...connection, challenges };
}

const bySigningIn = (client: SessionClient) => client.signIn('/auth/step-up', { password: 'secret' });

describe('a step-up challenge', () => {
  it('is answered by the callback, and the request is sent once more with the new token', async () => {
    const { wire, client, events, challenges, signIn } = connectWithStepUp(bySigningIn);
    await signIn('T1');
    const done = client.fetch('/transfers', { method: 'POST', body: '{}' });
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    expect(challenges).toEqual([{ maxAge: 300, acrValues: '2' }]);
    expect(wire.last).toMatchObject({ url: `${ORIGIN}/auth/step-up`, token: 'T1' });
    await wire.last.answer(200, issued('T2'));
    expect(wire.last).toMatchObject({
      url: `${ORIGIN}/transfers`,
      token: 'T2',
      init: { method: 'POST', body: '{}' },
    });
    await wire.last.answer(200, { done: true });
    expect(await (await done).json()).toEqual({ done: true });
    expect(events.map(({ type }) => type)).toEqual(['signed-in', 'step-up', 'signed-in']);
  });

  it('is one question for all requests that wait for it', async () => {
    const { wire, client, challenges, signIn } = connectWithStepUp(bySigningIn);
    await signIn('T1');
    const done = ['/a', '/b', '/c'].map((path) => client.fetch(path));
    const late = wire.requests.at(-1);
    for (const request of wire.requests.slice(-3, -1)) await request.answer(401, STEP_UP, CHALLENGE);
    await wire.last.answer(200, issued('T2'));
    // It was sent before, and is refused after.
    await late?.answer(401, STEP_UP, CHALLENGE);
    const repeated = wire.requests.slice(-3);
    expect(repeated.map(({ token }) => token)).toEqual(['T2', 'T2', 'T2']);
    for (const request of repeated) await request.answer(200);
    expect((await Promise.all(done)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(challenges).toHaveLength(1);
  });

  it('is asked for again the next time', async () => {
    const { wire, client, challenges, signIn } = connectWithStepUp(() => undefined);
    await signIn('T1');
    for (const expected of [1, 2]) {
      const done = client.fetch('/transfers');
      await wire.last.answer(401, STEP_UP, CHALLENGE);
      expect((await done).status).toBe(401);
      expect(challenges).toHaveLength(expected);
    }
  });

  it('goes to the app as it is when the person does not confirm, and nothing is repeated', async () => {
    const { wire, client, signIn, tokenInUse } = connectWithStepUp(() => undefined);
    await signIn('T1');
    const done = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    const sent = wire.requests.length;
    expect(await (await done).json()).toEqual(STEP_UP);
    expect(wire.requests).toHaveLength(sent);
    expect(tokenInUse()).toBe('T1');
  });

  it('is not repeated for a renewal, which confirms nothing', async () => {
    const { wire, client, challenges, signIn } = connectWithStepUp(() => undefined);
    await signIn('T1');
    const done = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, { ...CHALLENGE, 'Session-Token': 'T2' });
    expect((await done).status).toBe(401);
    expect(challenges).toHaveLength(1);
    expect(wire.requests).toHaveLength(2);
  });

  it('is repeated once only', async () => {
    const { wire, client, challenges, signIn } = connectWithStepUp(bySigningIn);
    await signIn('T1');
    const done = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    await wire.last.answer(200, issued('T2'));
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    expect((await done).status).toBe(401);
    expect(challenges).toHaveLength(1);
  });

  it('is not repeated in the name of another person', async () => {
    const { wire, client, signIn } = connectWithStepUp(bySigningIn);
    await signIn('T1');
    const done = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    await wire.last.answer(200, issued('T9', 'session-2'));
    expect((await done).status).toBe(401);
    expect(wire.last.url).toBe(`${ORIGIN}/auth/step-up`);
  });

  it('with a callback that throws rejects the request, and does not block the next', async () => {
    const confirm = jest.fn<() => unknown>().mockImplementationOnce(() => {
      throw new Error('no screen');
    });
    const { wire, client, signIn } = connectWithStepUp(confirm);
    await signIn('T1');
    const done = client.fetch('/transfers');
    await Promise.all([wire.last.answer(401, STEP_UP, CHALLENGE), expect(done).rejects.toThrow('no screen')]);
    const next = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    expect((await next).status).toBe(401);
    expect(confirm).toHaveBeenCalledTimes(2);
  });

  it('without a callback is an event, and the answer', async () => {
    const { wire, client, events, signIn, tokenInUse } = connect();
    await signIn('T1');
    const done = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, { 'WWW-Authenticate': 'Bearer max_age=60' });
    expect((await done).status).toBe(401);
    expect(events.at(-1)).toEqual({ type: 'step-up', maxAge: 60, acrValues: null });
    expect(tokenInUse()).toBe('T1');
  });

  it('is understood where CORS hides the header', async () => {
    const { wire, client, challenges, signIn } = connectWithStepUp(() => undefined);
    await signIn('T1');
    void client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP);
    expect(challenges).toEqual([{ maxAge: null, acrValues: null }]);
  });

  it('cannot be followed by a stream once more: the error says so', async () => {
    const { wire, client, signIn, tokenInUse } = connectWithStepUp(bySigningIn);
    await signIn('T1');
    const body = new ReadableStream();
    const done = client.fetch('/upload', { method: 'POST', body, duplex: 'half' } as RequestInit);
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    await Promise.all([
      wire.last.answer(200, issued('T2')),
      expect(done).rejects.toMatchObject({
        code: 'stream_consumed',
        message: expect.stringContaining('Send the request again'),
      }),
    ]);
    expect(tokenInUse()).toBe('T2');
  });
});
