import { describe, expect, it } from '@jest/globals';
import { CHALLENGE, connect, ORIGIN, sessionInfo, STEP_UP } from './wire.js';

const session = sessionInfo();

describe('with the transport cookie', () => {
  it('there is no token: the browser is told to send its cookie', async () => {
    const { wire, client, events } = connect({ transport: 'cookie' });
    const done = client.signIn('/auth/sign-in', {});
    expect(wire.last.init.credentials).toBe('include');
    await wire.last.answer(201, { session });
    expect(await done).toEqual(session);
    void client.fetch('/me');
    expect([wire.last.token, wire.last.init.credentials]).toEqual([null, 'include']);
    await wire.last.answer(200, {}, { 'Session-Token': 'T1' });
    void client.fetch('/me', { credentials: 'same-origin' });
    expect([wire.last.token, wire.last.init.credentials]).toEqual([null, 'same-origin']);
    expect(events).toEqual([{ type: 'signed-in', session }]);
  });

  it('an answer with a token is a mistake, and is not taken', async () => {
    const { wire, client } = connect({ transport: 'cookie' });
    const done = client.signIn('/auth/sign-in', {});
    await Promise.all([
      wire.last.answer(201, { token: 'T1', session }),
      expect(done).rejects.toMatchObject({ message: expect.stringContaining('transport cookie') }),
    ]);
    void client.fetch('/me');
    expect(wire.last.token).toBeNull();
  });

  it('refusals at the same time are one end, and later ones another', async () => {
    const { wire, client, events } = connect({ transport: 'cookie' });
    for (const expected of [1, 2]) {
      void client.fetch('/a');
      void client.fetch('/b');
      for (const request of wire.requests.slice(-2)) await request.answer(401, { code: 'session_required' });
      expect(events).toEqual(
        Array.from({ length: expected }, () => ({ type: 'ended', reason: 'session_required' })),
      );
    }
  });

  it('a step-up is answered, also on a page that was loaded with the cookie there', async () => {
    const { wire, client } = connect({
      transport: 'cookie',
      onStepUp: () => client.signIn('/auth/step-up', {}),
    });
    const done = client.fetch('/transfers');
    await wire.last.answer(401, STEP_UP, CHALLENGE);
    await wire.last.answer(200, { session });
    expect(wire.last.url).toBe(`${ORIGIN}/transfers`);
    await wire.last.answer(200);
    expect((await done).status).toBe(200);
  });

  it('sign-out is asked of the server', async () => {
    const { wire, client, events } = connect({ transport: 'cookie' });
    const done = client.signOut();
    expect(wire.last).toMatchObject({ url: `${ORIGIN}/auth/sign-out`, token: null });
    expect(wire.last.init.credentials).toBe('include');
    await wire.last.answer(204);
    expect(await done).toBe(true);
    expect(events).toEqual([{ type: 'ended', reason: 'sign-out' }]);
  });
});
