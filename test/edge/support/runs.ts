import { beforeEach } from '@jest/globals';

/** What ran in a test, in its order. */
export interface Runs {
  readonly ran: string[];
  /** Notes it, and answers with it. */
  note(what: string): string;
}

/** Empty at the beginning of each test. */
export function noteRuns(): Runs {
  const ran: string[] = [];
  beforeEach(() => {
    ran.length = 0;
  });
  return { ran, note: (what) => (ran.push(what), what) };
}
