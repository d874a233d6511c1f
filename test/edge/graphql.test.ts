import {
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Args, Field, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  type ActiveSession,
  AllowAnonymous,
  Background,
  CurrentSession,
  EndSession,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { from, type Observable, switchMap } from 'rxjs';
import { setTimeout as pause } from 'node:timers/promises';
import { type EdgeApp, edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, askTogether, type GraphqlAnswer, MERCURIUS, refusalOf } from './support/graphql.js';

/** Who each handler ran as. */
const ran: string[] = [];

function note(field: string, userId: string | null): string {
  ran.push(`${field} as ${userId}`);
  return String(userId);
}

@ObjectType()
class Answer {
  @Field(() => String, { nullable: true }) token?: string | null;
}

/** Lets the other fields of the document come first, after its own was authorised. */
class Late implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(pause(50)).pipe(switchMap(() => next.handle()));
  }
}

@Resolver()
class BankResolver {
  @StartSession()
  @Mutation(() => Answer)
  signIn(@Args('user') userId: string, @Args('role', { nullable: true }) role?: string): SessionPrincipal {
    return { userId, roles: role ? [role] : [] };
  }

  @EndSession() @Mutation(() => String) signOut(): string {
    return 'bye';
  }

  @RequireLevel(2)
  @RequireRecentAuth('5m')
  @Mutation(() => String)
  transfer(@CurrentSession() session: ActiveSession): string {
    return note('transfer', session.userId);
  }

  @RequireRole('admin') @Mutation(() => String) appoint(@CurrentSession('userId') userId: string): string {
    return note('appoint', userId);
  }

  @Mutation(() => String) rename(@CurrentSession() session: ActiveSession | null): string {
    return note('rename', session && session.userId);
  }

  @AllowAnonymous() @Mutation(() => String) visit(@CurrentSession('userId') userId: string | null): string {
    return note('visit', userId);
  }

  @UseInterceptors(Late) @RequireLevel(2) @Query(() => String) late(
    @CurrentSession('userId') userId: string,
  ): string {
    return note('late', userId);
  }

  @StartSession() @Query(() => Answer) swap(@Args('user') userId: string): SessionPrincipal {
    return { userId };
  }

  @Query(() => String) me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @UseInterceptors(Late) @Query(() => Answer) lateAnswer(): Answer {
    return {};
  }

  @Mutation(() => Answer) answer(): Answer {
    return {};
  }

  @Background() @Query(() => String) poll(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

/** Before its field stands no guard: Nest has none there by default. */
@Resolver(() => Answer)
class AnswerResolver {
  @ResolveField(() => String) viewer(@CurrentSession('userId') userId: string | null): string {
    return note('viewer', userId);
  }
}

const edge = edgeApps();

describe.each([APOLLO, MERCURIUS])('$name', (leg) => {
  const batches = { allowBatchedHttpRequests: true, allowBatchedQueries: true };
  const open = () =>
    edge({
      platform: leg.platform,
      imports: [leg.module(batches)],
      providers: [BankResolver, AnswerResolver],
    });

  beforeEach(() => {
    ran.length = 0;
  });

  if (leg === APOLLO) {
    it('tells clients in the extensions what a route would have answered', async () => {
      const bank = await open();
      const { errors: [error] = [] } = await ask(bank, 'mutation { rename }');
      expect(error?.extensions).toMatchObject({
        code: 'UNAUTHENTICATED',
        originalError: { statusCode: 401, error: 'Unauthorized', code: 'session_required' },
      });
      const { bearer } = await signInAs(bank.app, { userId: 'ana' });
      const { errors: [forbidden] = [] } = await ask(bank, 'mutation { appoint }', bearer);
      expect(forbidden?.extensions).toMatchObject({
        code: 'FORBIDDEN',
        originalError: { statusCode: 403, code: 'role_required' },
      });
    });
  }

  describe.each(['bearer', 'cookie'] as const)('with a session that is shown by %s', (transport) => {
    it('judges what comes after a sign-in on the new session', async () => {
      const bank = await open();
      const attacker = await signInAs(bank.app, { userId: 'attacker', level: 3 });
      const answer = await ask(
        bank,
        'mutation { signIn(user: "other") { token } transfer }',
        attacker[transport],
      );
      expect(refusalOf(answer, 'signIn')).toBeUndefined();
      expect(refusalOf(answer, 'transfer')).toEqual(expect.any(String));
      expect(ran).toEqual([]);
    });

    it('judges roles on the new session', async () => {
      const bank = await open();
      const attacker = await signInAs(bank.app, { userId: 'attacker', roles: ['admin'] });
      const answer = await ask(
        bank,
        'mutation { signIn(user: "other") { token } appoint }',
        attacker[transport],
      );
      expect(refusalOf(answer, 'appoint')).toEqual(expect.any(String));
      expect(ran).toEqual([]);
    });

    it('lets in on the new session what the old one could not do', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana' });
      const query = 'mutation { signIn(user: "ana", role: "admin") { token } appoint }';
      expect(refusalOf(await ask(bank, query, ana[transport]), 'appoint')).toBeUndefined();
      expect(ran).toEqual(['appoint as ana']);
    });

    it('runs what comes before a sign-in as who was there, and what comes after as who is', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana' });
      await ask(bank, 'mutation { rename signIn(user: "other") { token } again: rename }', ana[transport]);
      expect(ran).toEqual(['rename as ana', 'rename as other']);
    });

    it('runs nothing as who has signed out', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana', level: 3 });
      const query = 'mutation { rename signOut again: rename transfer }';
      expect(refusalOf(await ask(bank, query, ana[transport]), 'signOut')).toBeUndefined();
      expect(ran).toEqual(['rename as ana']);
    });

    it('has no session after a sign-out where none is needed', async () => {
      const bank = await open();
      const { session, ...shown } = await signInAs(bank.app, { userId: 'ana' });
      const answer = await ask(
        bank,
        'mutation { signOut signIn(user: "bob") { token } rename }',
        shown[transport],
      );
      expect(refusalOf(answer, 'rename')).toBeUndefined();
      expect(ran).toEqual(['rename as bob']);
      expect(await bank.sessions.get(session.id)).toBeNull();
    });

    it('does not keep the session of who has signed out for an open handler', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana' });
      await ask(bank, 'mutation { rename signOut visit }', ana[transport]);
      expect(ran).not.toContain('visit as ana');
    });

    it('hands the handler the session that was judged, whatever runs beside it', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana', level: 3 });
      await ask(bank, 'query { late swap(user: "other") { token } }', ana[transport]);
      expect(ran).not.toContain('late as other');
    });

    it('hands a field without a guard the session of the field that it belongs to', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana' });
      const after = 'signIn(user: "other") { token viewer } last: answer { viewer }';
      await ask(bank, `mutation { answer { viewer } ${after} }`, ana[transport]);
      expect(ran).toEqual(['viewer as ana', 'viewer as other', 'viewer as other']);
      const bob = await signInAs(bank.app, { userId: 'bob' });
      await ask(bank, '{ lateAnswer { viewer } swap(user: "other") { token } }', bob[transport]);
      expect(ran.at(-1)).toBe('viewer as bob');
    });

    it('answers one token where the one that is shown was due and is replaced', async () => {
      const bank = await open();
      const ana = await signInAs(bank.app, { userId: 'ana' });
      await ask(bank, '{ me }', ana[transport]);
      // Every half an hour, so that it does not end before.
      for (let passed = 0; passed < 16; passed++) {
        bank.clock.advance('15m');
        await ask(bank, '{ me }', ana[transport]);
      }
      const answer = await post(bank, 'mutation { rename signIn(user: "ana") { token } }', ana[transport]);
      const [token, ...others] = answer.match(/sid_[\w-]{70}/g) ?? [];
      expect(others).toEqual([]);
      expect((await bank.sessions.validate(String(token))).session).not.toBeNull();
    });

    it('does not mix the operations of a batch', async () => {
      const bank = await open();
      const attacker = await signInAs(bank.app, { userId: 'attacker', level: 3 });
      const operations = [
        'mutation { signIn(user: "other") { token } }',
        'mutation { rename transfer }',
        '{ late }',
      ];
      const answers = await askTogether(bank, operations, attacker[transport]);
      expect(answers).toHaveLength(3);
      expect(ran).not.toContain('transfer as other');
      expect(ran).not.toContain('late as other');
    });
  });

  it('lets in, without any session at first, what comes after a sign-in', async () => {
    const bank = await open();
    await ask(bank, 'mutation { signIn(user: "ana", role: "admin") { token } appoint }');
    expect(ran).toEqual(['appoint as ana']);
  });

  it('refuses what comes before a sign-in', async () => {
    const bank = await open();
    await ask(bank, 'mutation { appoint signIn(user: "ana", role: "admin") { token } }');
    expect(ran).toEqual([]);
  });

  describe('activity', () => {
    it.each([
      ['{ me }', true],
      ['{ poll }', false],
      ['{ me poll }', true],
      ['{ poll me }', true],
      ['{ poll again: poll }', false],
      ['{ again: poll poll me }', true],
    ])('of %s: %s', async (query, isActive) => {
      const bank = await open();
      const { session, bearer } = await signInAs(bank.app, { userId: 'ana' });
      bank.clock.advance('10m');
      const answer: GraphqlAnswer = await ask(bank, query, bearer);
      expect(answer.errors).toBeUndefined();
      expect(await lastSeenOf(bank, session.id)).toBe(
        isActive ? bank.clock.now() : session.lastSeenAt.getTime(),
      );
    });
  });
});

it('hands compiled fields of Mercurius no other session than their own', async () => {
  const bank = await edge({
    platform: 'fastify',
    imports: [MERCURIUS.module({ jit: 1 })],
    providers: [BankResolver, AnswerResolver],
  });
  const parallel = '{ lateAnswer { viewer } swap(user: "other") { token } }';
  for (let count = 0; count < 4; count++) {
    ran.length = 0;
    const ana = await signInAs(bank.app, { userId: 'ana' });
    await ask(bank, 'mutation { answer { viewer } }', ana.bearer);
    await ask(bank, '{ late }', (await signInAs(bank.app, { userId: 'bob', level: 2 })).bearer);
    expect(ran).toEqual(['viewer as ana', 'late as bob']);
    await ask(bank, parallel, ana.bearer);
    expect(ran).not.toContain('viewer as other');
  }
});

async function lastSeenOf({ sessions }: EdgeApp, id: string): Promise<number | undefined> {
  return (await sessions.get(id))?.lastSeenAt.getTime();
}

/** The whole answer, with its head, as text. */
async function post({ url }: EdgeApp, query: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return JSON.stringify([...answer.headers, await answer.text()]);
}
