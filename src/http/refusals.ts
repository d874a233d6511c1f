import { Injectable } from '@nestjs/common';
import type { SessionRecord } from '../core/model/record.js';
import { SessionCore } from '../core/session-core.js';
import { SessionException, toException } from '../session.exceptions.js';
import { rawResponseOf, requestOf, type SessionRequest, type SessionResponse } from './exchange.js';
import { NOBODY, requesterOf } from './requester.js';

/** Turns errors into answers: the exception to throw, its headers, and the event that tells of it. */
@Injectable()
export class Refusals {
  constructor(private readonly core: SessionCore) {}

  /** @returns what to throw, with its headers set on the answer */
  prepare(response: SessionResponse, error: unknown, about: SessionRecord | null = null): unknown {
    const exception = toException(error);
    if (!(exception instanceof SessionException)) return exception;
    const raw = rawResponseOf(response);
    if (!raw.headersSent) {
      for (const [name, value] of Object.entries(exception.headers)) raw.setHeader(name, value);
    }
    this.tell(exception, requestOf(response), about);
    return exception;
  }

  /** Tells of a refusal whose answer has another way than that of a request. @returns what to answer with */
  tellOf(request: SessionRequest | null, error: unknown, about: SessionRecord | null): unknown {
    const exception = toException(error);
    if (exception instanceof SessionException) this.tell(exception, request, about);
    return exception;
  }

  private tell(
    { code }: SessionException,
    request: SessionRequest | null,
    about: SessionRecord | null,
  ): void {
    if (code === 'invalid_argument' || code === 'sign_in_failed') return;
    const requester = request ? requesterOf(request, this.core.options.recordClient) : NOBODY;
    this.core.events.emit({ type: 'refused', code, requester }, about);
  }
}
