import { fromTemplate, onPress } from './dom.js';
import { deviceName, formatTime } from './format.js';

/**
 * Shows sessions with a button to end each. Rows that are there already stay, and so does the focus.
 *
 * @param {{ id: string, name: string, details: string, isCurrent?: boolean }[]} sessions
 * @param {(id: string) => Promise<void>} end
 */
export function showSessions(list, sessions, end) {
  const known = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const hadFocus = list.contains(document.activeElement);
  const rows = sessions.map((session) => {
    const row = known.get(session.id) ?? newRow(session, end);
    row.querySelector('.quiet').textContent = session.details;
    return row;
  });
  for (const row of known.values()) if (!rows.includes(row)) row.remove();
  for (const [index, row] of rows.entries()) {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  }
  if (hadFocus && !list.contains(document.activeElement)) {
    list.closest('section').querySelector('[tabindex="-1"]').focus();
  }
}

function newRow({ id, name, isCurrent = false }, end) {
  const row = fromTemplate('session-row').firstElementChild;
  const button = row.querySelector('button');
  row.dataset.id = id;
  row.querySelector('strong').textContent = name;
  row.querySelector('.badge').hidden = !isCurrent;
  // Signing out is how one ends the session that one is on.
  button.hidden = isCurrent;
  button.ariaLabel = `End ${name}`;
  onPress(button, () => end(id));
  return row;
}

/** Names that can be told apart: of several with one name, all but the oldest get a number. @param sessions newest first */
export function numbered(sessions) {
  return sessions.map((session, index) => {
    const older = sessions.slice(index + 1).filter(({ name }) => name === session.name).length;
    return older === 0 ? session : { ...session, name: `${session.name} (${older + 1})` };
  });
}

export const nameOf = ({ label, userAgent }) => label ?? deviceName(userAgent ?? '');

export function describe({ ip, signedInAt, lastSeenAt }, ownIp) {
  const place = ip === null ? 'Place unknown' : ip === ownIp ? `This network (${ip})` : `Address ${ip}`;
  return `${place} · signed in ${formatTime(signedInAt)} · last active ${formatTime(lastSeenAt)}`;
}
