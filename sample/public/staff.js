import { call, callInBackground } from './api.js';
import { onPress, onSubmit, say } from './dom.js';
import { describe, nameOf, numbered, showSessions } from './session-list.js';
import { confirmed } from './step-up.js';
import { listen } from './stream.js';

/** @returns what to do when the view is left */
export function fillStaff(view, { roles: ownRoles }) {
  const signedIn = view.querySelector('#signed-in');
  const search = view.querySelector('#search');
  const results = view.querySelector('#results');
  const user = view.querySelector('#user');
  const roles = user.querySelector('#roles');
  const list = user.querySelector('#sessions');
  const endAll = user.querySelector('#end-all');
  const isAdmin = ownRoles.includes('admin');
  let chosen = null;
  let stopWatching = () => {};

  roles.querySelector('fieldset').disabled = !isAdmin;
  roles.querySelector('button').hidden = !isAdmin;

  onSubmit(search, async (fields) => {
    const name = fields.get('name').trim().toLowerCase();
    const users = await call('GET', `/staff/users?${new URLSearchParams({ name })}`);
    results.replaceChildren(...users.map((user) => toChip(user)));
    if (users.length === 0) throw new Error(`Nobody’s username begins with “${name}”.`);
    if (users.length === 1) choose(users[0]);
  });

  const nobody = view.querySelector('#nobody');

  async function lookWhoIsSignedIn() {
    const users = await callInBackground('/staff/signed-in');
    const focused = signedIn.contains(document.activeElement) && document.activeElement.dataset.username;
    signedIn.replaceChildren(...users.map((user) => toChip(user, ` · ${user.sessions}`)));
    signedIn.querySelector(`[data-username="${focused}"]`)?.focus();
    signedIn.hidden = users.length === 0;
    nobody.hidden = users.length > 0;
  }

  function toChip(found, details = '') {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = found.username + details;
    button.dataset.username = found.username;
    button.ariaPressed = String(found.username === chosen?.username);
    button.addEventListener('click', () => choose(found));
    item.append(button);
    return item;
  }

  function choose(found) {
    chosen = found;
    for (const button of [signedIn, results].flatMap((place) => [...place.querySelectorAll('button')])) {
      button.ariaPressed = String(button.dataset.username === found.username);
    }
    user.hidden = false;
    user.querySelector('#user-name').textContent = found.username;
    user.querySelector('#user-name').focus();
    roles.querySelector('.error').textContent = '';
    for (const box of roles.elements.role) box.checked = found.roles.includes(box.value);
    list.replaceChildren();
    stopWatching();
    stopWatching = listen(`${pathOf(found)}/live`, show, () => showLight('not live'));
  }

  function showLight(text) {
    const light = user.querySelector('#live');
    light.textContent = text;
    light.toggleAttribute('data-lost', text !== 'live');
  }

  function show({ sessions }) {
    showLight('live');
    const rows = sessions.map(({ id, client, createdAt, lastSeenAt }) => ({
      id,
      name: nameOf(client),
      details: describe({ ip: client.ip, signedInAt: createdAt, lastSeenAt }),
    }));
    showSessions(list, numbered(rows), (id) => call('DELETE', `${pathOf(chosen)}/${id}`));
    user.querySelector('.empty').hidden = rows.length > 0;
    endAll.hidden = rows.length === 0;
    // Whose sessions have changed may be signed in or out by now.
    lookWhoIsSignedIn().catch(() => {});
  }

  onSubmit(roles, async (fields) => {
    const user = chosen;
    const wanted = { roles: fields.getAll('role') };
    const saved = await confirmed(() => call('PUT', `/staff/users/${user.username}/roles`, wanted));
    user.roles = saved.roles;
    say(`${user.username} is now ${saved.roles.join(' and ') || 'without any role'}.`);
  });

  onPress(endAll, async () => {
    const { ended } = await call('DELETE', pathOf(chosen));
    say(`${chosen.username} is signed out everywhere (${ended}).`);
  });

  lookWhoIsSignedIn().catch(({ message }) => say(message));
  return () => stopWatching();
}

const pathOf = ({ username }) => `/staff/users/${username}/sessions`;
