import type { SessionRecord } from '../model/record.js';
import type { AuthenticationLevel } from '../model/session.js';

/** When each level was last proven. */
export type LevelTimes = Pick<SessionRecord, 'authenticatedAt' | 'level2At' | 'level3At'>;

/**
 * After an authentication event: it proves its own level and those below, and nothing of those above. A password does not
 * make an old second factor a recent one.
 */
export function provenNow(
  level: AuthenticationLevel,
  now: number,
  before: Omit<LevelTimes, 'authenticatedAt'>,
): LevelTimes {
  return {
    authenticatedAt: now,
    level2At: level >= 2 ? now : before.level2At,
    level3At: level >= 3 ? now : before.level3At,
  };
}

/** When the session last proved this level or a higher one; `null`: never. */
export function provenAt({ authenticatedAt, level2At, level3At }: LevelTimes, level: number): number | null {
  if (level < 2) return authenticatedAt;
  return level === 2 ? level2At : level3At;
}
