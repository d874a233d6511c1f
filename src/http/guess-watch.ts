import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { toAddress } from '../core/model/address.js';
import { SessionCore } from '../core/session-core.js';
import type { SessionRequest } from './exchange.js';
import { GuessMemory } from './guess-memory.js';
import { NOBODY, requesterOf } from './requester.js';

/**
 * Notices bursts of tokens that no session has (OWASP Session Management Cheat Sheet, "Session ID Guessing and Brute
 * Force Detection"). In memory, by address.
 */
@Injectable()
export class GuessWatch {
  private readonly memory: GuessMemory | null;

  constructor(private readonly core: SessionCore) {
    const { guessing } = core.options;
    this.memory = guessing && new GuessMemory(guessing.attempts, guessing.within);
  }

  /** @returns for how many seconds such tokens of this address are to be refused, if they are */
  note(request: SessionRequest, token: string): number | null {
    const { guessing, recordClient } = this.core.options;
    if (guessing === null || this.memory === null) return null;
    // What has no address, or none that is one, is counted together.
    const network = networkOf(toAddress(request.ip) ?? '');
    const finding = this.memory.note(network, hash('sha256', token));
    if (finding.isNews) {
      const requester = finding.isCrowd ? NOBODY : requesterOf(request, recordClient);
      this.core.events.emit({ type: 'guessing-suspected', attempts: guessing.attempts, requester });
    }
    const isRefused = guessing.refuse && finding.isSuspect && !finding.isCrowd;
    return isRefused ? Math.ceil(finding.remaining / 1_000) : null;
  }
}

/** Whoever has one address of IPv6 has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
