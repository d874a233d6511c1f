import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { ActiveSession } from '../../src/core/model/session.js';
import { SessionStoreUnavailableException } from '../../src/session.exceptions.js';
import type { SessionService } from '../../src/session.service.js';

const LOOPS = 20;
/** What is on the wire when the outage begins or ends may go either way. */
export const BLINK = 250;
/** A call waits 5 s for the store. */
export const LONGEST_ANSWER = 6_000;
/** After the outage, until everything is as before: attempts to connect that began in it last 5 s, and calls after them. */
const LONGEST_RECOVERY = 12_000;

/** One answer to one call: `live`, `unavailable`, or what should not have been. */
interface Answer {
  readonly asked: number;
  readonly answered: number;
  readonly text: string;
}

/** Loops that validate one live token all the time. */
export class Load {
  private readonly answers: Answer[] = [];
  private isOver = false;
  private readonly loops: Promise<unknown>;

  private constructor(
    private readonly service: SessionService,
    private readonly token: string,
    readonly session: ActiveSession,
  ) {
    this.loops = Promise.all(Array.from({ length: LOOPS }, () => this.loop()));
  }

  static async start(service: SessionService): Promise<Load> {
    const { token, session } = await service.create({ userId: 'ana' });
    const load = new Load(service, token, session);
    await wait(100);
    return load;
  }

  /**
   * @param outage begins an outage, and returns what ends it
   *
   * Every answer before is `live`, every one in the outage is `unavailable`, none takes too long, and afterwards all of
   * them are `live` again.
   */
  async duringOutage(outage: () => Promise<() => unknown>): Promise<void> {
    const began = Date.now();
    // By then all loops may wait for what they have asked before.
    const another = wait(BLINK / 5).then(() => this.ask());
    const end = await outage();
    const ended = Date.now();
    await end();
    const recovered = await this.recovery(ended);
    await Promise.all([another, wait(300)]);

    const before = this.answers.filter(({ answered }) => answered < began);
    // Who was asked before has perhaps been let in already, and waits until its activity is written.
    const during = this.answers.filter(
      ({ asked, answered }) => asked >= began && answered > began + BLINK && answered <= ended,
    );
    const after = this.answers.filter(({ asked }) => asked > recovered);
    expect(textsOf(before)).toEqual(['live']);
    expect(textsOf(during)).toEqual(['unavailable']);
    expect(textsOf(after)).toEqual(['live']);
    expect(textsOf(this.answers)).toEqual(['live', 'unavailable']); // also at the edges
    expect(Math.max(...this.answers.map(({ asked, answered }) => answered - asked))).toBeLessThan(
      LONGEST_ANSWER,
    );
    this.answers.length = 0;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.loops;
  }

  /** When the last of the loops found the session again. */
  private async recovery(ended: number): Promise<number> {
    while (Date.now() - ended < LONGEST_RECOVERY) {
      const since = Date.now();
      await wait(200);
      const answers = this.answers.filter(({ answered }) => answered >= since);
      if (answers.length >= LOOPS && answers.every(({ text }) => text === 'live')) return Date.now();
    }
    const last = this.answers.filter(({ answered }) => answered > ended).map(({ text }) => text);
    throw new Error(
      `No recovery within ${LONGEST_RECOVERY} ms. Answers since: ${JSON.stringify(tally(last))}`,
    );
  }

  private async loop(): Promise<void> {
    while (!this.isOver) await wait((await this.ask()) === 'live' ? 1 : 5);
  }

  private async ask(): Promise<string> {
    const asked = Date.now();
    const text = await answerOf(this.service.validate(this.token));
    this.answers.push({ asked, answered: Date.now(), text });
    return text;
  }
}

export async function answerOf(verdict: ReturnType<SessionService['validate']>): Promise<string> {
  try {
    const { session, reason } = await verdict;
    return session ? 'live' : reason;
  } catch (error) {
    return error instanceof SessionStoreUnavailableException ? 'unavailable' : String(error);
  }
}

function textsOf(answers: readonly Answer[]): string[] {
  return [...new Set(answers.map(({ text }) => text))].toSorted();
}

function tally(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}
