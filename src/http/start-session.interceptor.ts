import {
  type CallHandler,
  type ExecutionContext,
  HttpException,
  Injectable,
  InternalServerErrorException,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { catchError, mergeMap, type Observable, take, toArray } from 'rxjs';
import type { BegunSignIn } from '../core/life/begun-sign-in.js';
import { InvalidArgumentError, SessionGoneError } from '../core/model/errors.js';
import { assertPrincipal, type SessionPrincipal, toClient } from '../core/model/principal.js';
import { toActiveSession } from '../core/life/recorded-session.js';
import type { Transport } from '../core/options/options.js';
import type { Issued } from '../core/life/rotation.js';
import { SessionCore } from '../core/session-core.js';
import type { SignInAttempt } from '../core/life/sign-in.js';
import { SessionException, SignInFailedException } from '../session.exceptions.js';
import { shownBy } from './credentials.js';
import { type Exchange, exchangeOf, rawResponseOf, type SessionRequest } from './exchange.js';
import { Refusals } from './refusals.js';
import { requesterOf } from './requester.js';
import { grantedState, replaceState, type RequestState } from './request-state.js';
import type { Requirement } from './requirement.js';
import { RequirementRegistry } from './requirement-registry.js';
import type { SignInAnswerPart, StartSessionOptions } from './rules.js';
import { type BearerAnswer, type CookieAnswer, TokenDelivery } from './token-delivery.js';

type Answer = BearerAnswer | CookieAnswer;

/** What an answer has already, or must not have. */
const ITS_OWN: readonly (keyof BearerAnswer)[] = ['token', 'expiresAt', 'session'];

const TO_REDIRECT =
  "To redirect, write @Redirect('/', 303), or @HttpCode(303) and response.header('Location', …) in the handler";

/** A sign-in under way: its request, what it must fulfil, and what is known of it. */
interface SignInRequest {
  readonly exchange: Exchange;
  readonly requirement: Requirement;
  readonly state: RequestState;
  readonly begun: BegunSignIn;
}

/** Makes a session of the principal that the handler returns, and answers with it. */
@Injectable()
export class StartSessionInterceptor implements NestInterceptor {
  private readonly logger = new Logger('StartSession');

  constructor(
    private readonly core: SessionCore,
    private readonly requirements: RequirementRegistry,
    private readonly delivery: TokenDelivery,
    private readonly refusals: Refusals,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<Answer> {
    const exchange = exchangeOf(context);
    const requirement = this.requirements.of(context);
    const state = exchange && grantedState(exchange, requirement);
    if (!exchange || !state?.begun)
      throw new Error('@StartSession() works only where SessionGuard has run before it.');
    const signIn = { exchange, state, begun: state.begun, requirement };
    if (signIn.requirement.answersItself) {
      throw this.mistake(
        signIn,
        `answers through @Res() itself: write @Res({ passthrough: true }) and return the principal. ${TO_REDIRECT}`,
      );
    }
    // Two are enough to see that there is more than one.
    return next.handle().pipe(
      take(2),
      toArray(),
      catchError((error: unknown) => {
        throw this.rejected(signIn, error);
      }),
      mergeMap((emitted) => this.start(signIn, emitted)),
    );
  }

  private async start(signIn: SignInRequest, emitted: readonly unknown[]): Promise<Answer> {
    const { exchange, requirement, state, begun } = signIn;
    const { request, response } = exchange;
    const principal = this.principalOf(signIn, emitted);
    const part = this.answerPartOf(signIn, principal);
    const label = requirement.life.label?.(request as never) ?? null;
    const client = { ip: request.ip ?? null, userAgent: request.headers['user-agent'] ?? null, label };
    try {
      const isTokenOwn = state.since === 'start';
      const { record, token } = await this.signIn({ principal, client, begun, isTokenOwn }, signIn);
      const accepted = this.core.validation.acceptedAs(record, token);
      const session = toActiveSession(record, accepted.policy, accepted.now);
      const transport = this.transportOf(signIn);
      replaceState(exchange, state, {
        credentials: { kind: transport, token },
        since: 'start',
        examination: Promise.resolve(accepted),
        isActivity: true,
        record,
        accepted,
        session,
      });
      return { ...this.delivery.issue(response, { session, token }, transport), ...part };
    } catch (error) {
      // As where its data and those of the session are too large together.
      if (error instanceof InvalidArgumentError) throw this.noPrincipal(signIn, error);
      throw this.refusals.prepare(response, error, state.record);
    }
  }

  private principalOf(signIn: SignInRequest, emitted: readonly unknown[]): SessionPrincipal {
    if (rawResponseOf(signIn.exchange.response).headersSent) {
      throw this.mistake(
        signIn,
        `has sent the answer itself, without the session: return the principal. ${TO_REDIRECT}`,
      );
    }
    if (emitted.length > 1) throw this.mistake(signIn, 'emitted more than one value: return one principal');
    const [principal] = emitted;
    // The usual way to say that the credentials were wrong.
    if (principal === null || principal === undefined) {
      throw this.rejected(signIn, new SignInFailedException());
    }
    try {
      assertPrincipal(principal, this.core.options.maxDataBytes);
      return principal;
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw this.noPrincipal(signIn, error);
      throw error;
    }
  }

  /** Before there is a session: one whose token is not answered would be of use to nobody. */
  private answerPartOf(signIn: SignInRequest, principal: SessionPrincipal): SignInAnswerPart {
    const { answer } = signIn.requirement.life;
    if (!answer) return {};
    let part: unknown;
    try {
      part = answer(principal as never);
    } catch (error) {
      throw this.mistake(signIn, `has an \`answer\` that throws: ${String(error)}`);
    }
    if (isAnswerPart(part)) return part;
    throw this.mistake(
      signIn,
      'has an `answer` that returns no object of its own: leave out `token`, `expiresAt` and `session`, and let the handler wait for what takes time',
    );
  }

  private async signIn(attempt: SignInAttempt, { requirement, state }: SignInRequest): Promise<Issued> {
    if (state.accepted === null) return this.core.signIn.create(attempt);
    try {
      return await this.core.signIn.authenticateShown(state.accepted.token, attempt, state.arrivedAt);
    } catch (error) {
      // Another request was faster: from now on this one is like any other that comes with a dead token.
      if (error instanceof SessionGoneError && requirement.session === 'none')
        return this.core.signIn.create(attempt);
      throw error;
    }
  }

  /** A session that was shown is answered by the same way. */
  private transportOf({ requirement, state: { accepted, credentials } }: SignInRequest): Transport {
    return (accepted && shownBy(credentials)) ?? requirement.life.transport ?? this.core.options.transport;
  }

  private noPrincipal(signIn: SignInRequest, { message }: InvalidArgumentError): Error {
    return this.mistake(signIn, `returned no principal: ${message}`);
  }

  /** The developer's: told in the log, and not to people, who would take it for a wrong password. */
  private mistake({ requirement }: SignInRequest, what: string): Error {
    this.logger.error(`The @StartSession() handler ${requirement.handler} ${what}.`);
    return new InternalServerErrorException();
  }

  /** Tells of it where it says that the credentials were wrong. Whoever has a session keeps it. */
  private rejected({ exchange, requirement, state }: SignInRequest, error: unknown): unknown {
    if (!isWrongCredentials(error)) return error;
    const { request, response } = exchange;
    const { recordClient } = this.core.options;
    const name = recordClient ? nameIn(request, requirement.life) : null;
    this.core.events.emit(
      { type: 'sign-in-failed', name, requester: requesterOf(request, recordClient) },
      state.accepted?.record,
    );
    return this.refusals.prepare(response, error);
  }
}

function isAnswerPart(part: unknown): part is SignInAnswerPart {
  if (typeof part !== 'object' || part === null || Array.isArray(part) || 'then' in part) return false;
  return !ITS_OWN.some((name) => name in part);
}

/** Of ours, only the one that says so: others tell of sessions, as what a handler's own call of a verb throws. */
function isWrongCredentials(error: unknown): boolean {
  if (error instanceof SessionException) return error instanceof SignInFailedException;
  return error instanceof HttpException && (error.getStatus() === 401 || error.getStatus() === 403);
}

/** Cleaned as a label. What the request lacks must not become another answer than that to wrong credentials. */
function nameIn(request: SessionRequest, { name }: StartSessionOptions): string | null {
  try {
    return toClient({ label: name?.(request as never) ?? null }).label;
  } catch {
    return null;
  }
}
