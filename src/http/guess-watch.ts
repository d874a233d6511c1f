import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { SessionCore } from '../core/session-core.js';
import type { SessionRequest } from './exchange.js';
import { requesterOf } from './requester.js';

/**
 * Notices bursts of tokens that no session has (OWASP Session Management Cheat Sheet, "Session ID Guessing and Brute
 * Force Detection"). A token counts once, so that an app which keeps sending a dead one is no suspect. In memory, by
 * address; entries go when their time is over.
 */
@Injectable()
export class GuessWatch {
  private readonly guesses: RateLimiterMemory;
  private readonly shown: RateLimiterMemory;

  constructor(private readonly core: SessionCore) {
    const duration = (core.options.guessing?.within ?? 0) / 1_000;
    this.guesses = new RateLimiterMemory({ points: 1, duration });
    this.shown = new RateLimiterMemory({ points: 1, duration });
  }

  /** @returns for how many seconds such tokens of this address are to be refused, if they are */
  async note(request: SessionRequest, token: string): Promise<number | null> {
    const { guessing } = this.core.options;
    if (guessing === null) return null;
    const address = networkOf(request.ip ?? '');
    let guesses = await this.guesses.get(address);
    if (guesses === null || guesses.consumedPoints < guessing.attempts) {
      const { isFirstInDuration } = await this.shown.penalty(`${address} ${hash('sha256', token)}`);
      if (!isFirstInDuration) return null;
      guesses = await this.guesses.penalty(address);
      if (guesses.consumedPoints === guessing.attempts) this.tell(request, guessing.attempts);
    }
    const isSuspect = guesses.consumedPoints >= guessing.attempts;
    return guessing.refuse && isSuspect ? Math.ceil(guesses.msBeforeNext / 1_000) : null;
  }

  private tell(request: SessionRequest, attempts: number): void {
    const requester = requesterOf(request, this.core.options.recordClient);
    this.core.events.emit({ type: 'guessing-suspected', attempts, requester });
  }
}

/** Whoever has one address of IPv6 has the 2^64 of its network. */
function networkOf(ip: string): string {
  if (!isIPv6(ip) || ip.includes('.')) return ip;
  const [head = '', tail] = ip.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const zeros = Array.from({ length: 8 - groups.length - after.length }, () => '0');
  return [...groups, ...zeros, ...after].slice(0, 4).join(':');
}
