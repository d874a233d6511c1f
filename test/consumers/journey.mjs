// What a client does, from sign-in to sign-out, against a running consumer: `node journey.mjs <url> [--clock]`.
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';

const [url, ...flags] = process.argv.slice(2);

class Client {
  token = null;

  async signIn(user) {
    return this.keep(await this.post('/auth/sign-in', { user, password: `password of ${user}` }));
  }

  async stepUp(password) {
    return this.keep(await this.post('/auth/step-up', { password }));
  }

  get(path, token = this.token) {
    return this.send(path, { headers: authorization(token) });
  }

  post(path, body = {}) {
    const headers = { 'Content-Type': 'application/json', ...authorization(this.token) };
    return this.send(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async send(path, request) {
    const answer = await fetch(url + path, request);
    this.token = answer.headers.get('Session-Token') ?? this.token;
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
  }

  keep({ status, body }) {
    assert.equal(status, 201, JSON.stringify(body));
    assert.match(body.token, /^sid_[\w-]{70}$/);
    this.token = body.token;
  }
}

function authorization(token) {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

function refused({ status, body }, expectedStatus, code) {
  assert.deepEqual({ status, code: body?.code }, { status: expectedStatus, code });
}

function allowed({ status, body }) {
  assert.ok(status === 200 || status === 201, `${status} ${JSON.stringify(body)}`);
  return body;
}

const [ana, ada, lobby] = [new Client(), new Client(), new Client()];

// Sign-in
refused(await ana.get('/accounts'), 401, 'session_required');
refused(await ana.post('/auth/sign-in', { user: 'ana', password: 'wrong' }), 401, 'sign_in_failed');
await ana.signIn('ana');
await ada.signIn('ada');
assert.deepEqual(allowed(await ana.get('/accounts')), { owner: 'ana' });

// Roles
refused(await ana.get('/staff/sessions/ana'), 403, 'role_required');
assert.deepEqual(allowed(await ada.post('/staff/roles/ana', { roles: ['admin'] })), { changed: 1 });
const sessions = allowed(await ana.get('/staff/sessions/ana'));
assert.deepEqual(
  sessions.map(({ userId, roles }) => ({ userId, roles })),
  [{ userId: 'ana', roles: ['admin'] }],
);

// Step-up
refused(await ana.post('/accounts/transfers'), 401, 'reauthentication_required');
const before = ana.token;
await ana.stepUp('password of ana');
assert.deepEqual(allowed(await ana.post('/accounts/transfers')), { from: 'ana' });
refused(await ana.get('/accounts', before), 401, 'session_invalid');

// Purge: the row of an expired session is there until it runs after the end of that hour
await lobby.signIn('lobby');
await wait(1_100);
refused(await lobby.get('/accounts'), 401, 'session_expired');
const { removed } = allowed(await ada.post('/staff/purge'));
assert.ok(removed === 0 || removed === 1, `${removed} rows were removed`);
refused(await lobby.get('/accounts'), 401, removed === 0 ? 'session_expired' : 'session_invalid');

// Sign-out
assert.equal((await ana.post('/auth/sign-out')).status, 204);
refused(await ana.get('/accounts'), 401, 'session_invalid');
assert.deepEqual(allowed(await ada.get('/staff/sessions/ana')), []);

// The application's own job runs once a second
if (flags.includes('--clock')) {
  while (allowed(await ada.get('/clock')).length < 3) await wait(100);
  const ticks = allowed(await ada.get('/clock'));
  assert.deepEqual(ticks, [...new Set(ticks)], 'a job ran more than once in a second');
}
