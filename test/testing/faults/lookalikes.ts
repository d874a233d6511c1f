import { BATCH_SIZE, type SessionRecord, type SessionStore } from 'nestjs-sessions';

/** All of a user's sessions. */
export const ALL = { limit: BATCH_SIZE, before: null };

const LOOKALIKES = ['aB3', 'Ab3', 'ab3', 'ab3 ', 'áb3'];

/** As careless databases compare. */
export function fold(text: string | null): string {
  return text?.trimEnd().normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase() ?? '';
}

/** A user id, and those that a careless database takes for it. */
export function lookalikesOf(userId: string): string[] {
  return [userId, ...LOOKALIKES.filter((other) => other !== userId && fold(other) === fold(userId))];
}

/** The records of everybody whom the contract knows, expired or not. */
export async function everyone(store: SessionStore): Promise<SessionRecord[]> {
  const each = [...LOOKALIKES, 'ana', 'ben'].map((userId) => store.findLive(userId, 0, ALL));
  return (await Promise.all(each)).flat();
}
