import { Injectable } from '@nestjs/common';
import { toSession } from '../core/life/recorded-session.js';
import type { SessionRecord } from '../core/model/record.js';
import type { ActiveSession, AnonymousSession } from '../core/model/session.js';
import { assertAuthorized } from '../http/authorization.js';
import { Refusals } from '../http/refusals.js';
import type { Requirement } from '../http/requirement.js';
import { refusalOf } from '../session.exceptions.js';
import { SocketSeats } from './socket-seats.js';

/** Judges what comes over a socket on the newest state of the session that the socket was opened with. */
@Injectable()
export class SocketJudgement {
  constructor(
    private readonly seats: SocketSeats,
    private readonly refusals: Refusals,
  ) {}

  /**
   * Whom it is let in as; `null` without a session.
   *
   * @throws SessionException that was told in the log and the audit
   */
  async judge(
    client: object,
    requirement: Requirement,
    isActivity: boolean,
  ): Promise<ActiveSession | AnonymousSession | null> {
    let record: SessionRecord | null = null;
    try {
      const verdict = await this.seats.examine(client, isActivity);
      record = verdict?.record ?? null;
      if (verdict?.reason !== undefined) throw refusalOf(verdict.reason);
      assertAuthorized(requirement, verdict);
      return verdict && toSession(verdict.record, verdict.policy, verdict.now);
    } catch (error) {
      throw this.refusals.tellOf(null, error, record);
    }
  }
}
