import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Field, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CurrentSession,
  EnsureSession,
  OptionalSession,
  Public,
  SessionDecoratorError,
  SessionService,
  type SessionPrincipal,
  StartSession,
} from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { delayWhen, filter, from, type Observable, switchMap, take } from 'rxjs';
import { setImmediate } from 'node:timers/promises';
import { edgeApps } from './support/edge-apps.js';
import { APOLLO, ask, askTogether, MERCURIUS } from './support/graphql.js';

@ObjectType()
class Member {
  @Field() name!: string;
}

@ObjectType()
class SessionInfo {
  @Field() id!: string;
  @Field(() => [String]) roles!: string[];
}

/** What the sign-in answers, as the schema has it. */
@ObjectType()
class SignedIn {
  /** Not where the token is in a cookie. */
  @Field(() => String, { nullable: true }) token?: string;
  @Field(() => Date, { nullable: true }) expiresAt?: Date;
  @Field(() => SessionInfo) session!: SessionInfo;
  @Field(() => Member) user!: Member;
}

interface Verified extends SessionPrincipal {
  readonly user: Member;
}

/** Waits until the sign-in in another operation of the batch has answered. */
@Injectable()
class AfterSignIn implements NestInterceptor {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return this.sessions.events.pipe(
      filter(({ type, userId }) => type === 'created' && userId === 'ana'),
      take(1),
      delayWhen(() => from(setImmediate())),
      switchMap(() => next.handle()),
    );
  }
}

@Resolver()
class ShopResolver {
  @StartSession({ answer: ({ user }: Verified) => ({ user }) })
  @Mutation(() => SignedIn)
  signIn(): Verified {
    return { userId: 'ana', roles: ['customer'], user: { name: 'Ana' } };
  }

  @StartSession({ transport: 'cookie', answer: ({ user }: Verified) => ({ user }) })
  @Mutation(() => SignedIn)
  signInOnTheWeb(): Verified {
    return this.signIn();
  }

  @OptionalSession() @Query(() => String) greeting(@CurrentSession() session: OptionalSession): string {
    return session?.userId ?? 'guest';
  }

  @EnsureSession() @Mutation(() => String) add(@CurrentSession('id') id: string): string {
    return id;
  }

  @EnsureSession()
  @UseInterceptors(AfterSignIn)
  @Mutation(() => String)
  addAfterSignIn(@CurrentSession('id') id: string): string {
    return id;
  }

  @OptionalSession() @Query(() => Member) member(): object {
    return {};
  }
}

/** Its fields are guarded only where the module asks for it. */
@Resolver(() => Member)
class MemberResolver {
  @OptionalSession() @ResolveField(() => String) greeting(
    @CurrentSession() session: OptionalSession,
  ): string {
    return session?.userId ?? 'guest';
  }
}

const edge = edgeApps();

describe.each([APOLLO, MERCURIUS])('$name', (leg) => {
  const open = () =>
    edge({
      platform: leg.platform,
      imports: [leg.module({ allowBatchedHttpRequests: true, allowBatchedQueries: true })],
      providers: [ShopResolver],
    });
  const raw = async (url: string, query: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    return { headers: answer.headers, data: ((await answer.json()) as { data: unknown }).data };
  };

  it('answers a sign-in with an object type of the application', async () => {
    const shop = await open();
    const query = 'mutation { signIn { token expiresAt session { id roles } user { name } } }';
    const { data, errors } = await ask(shop, query);
    expect(errors).toBeUndefined();
    expect(data?.['signIn']).toEqual({
      token: expect.stringMatching(/^sid_/),
      expiresAt: expect.any(String),
      session: { id: expect.any(String), roles: ['customer'] },
      user: { name: 'Ana' },
    });
  });

  it('answers a sign-in by cookie without the token', async () => {
    const shop = await open();
    const { headers, data } = await raw(shop.url, 'mutation { signInOnTheWeb { token user { name } } }');
    expect(data).toEqual({ signInOnTheWeb: { token: null, user: { name: 'Ana' } } });
    expect(headers.getSetCookie()).toHaveLength(1);
  });

  it('greets guests and users', async () => {
    const shop = await open();
    const { bearer } = await signInAs(shop.app, { userId: 'ana' });
    expect((await ask(shop, '{ greeting }')).data).toEqual({ greeting: 'guest' });
    expect((await ask(shop, '{ greeting }', { authorization: 'Bearer garbage' })).data).toEqual({
      greeting: 'guest',
    });
    expect((await ask(shop, '{ greeting }', bearer)).data).toEqual({ greeting: 'ana' });
  });

  it('gives the first write a session, which all of the document use', async () => {
    const shop = await open();
    const { headers, data } = await raw(shop.url, 'mutation { add again: add }');
    const { add, again } = data as Record<string, string>;
    expect(again).toBe(add);
    const token = headers.get('session-token');
    expect((await shop.sessions.validate(String(token))).session?.id).toBe(add);
  });

  it('gives one session to all operations of a batch', async () => {
    const shop = await open();
    const answers = await askTogether(shop, ['mutation { add }', 'mutation { add }', 'mutation { add }'], {});
    const ids = new Set(answers.flatMap(({ data }) => Object.values(data ?? {})));
    expect(ids.size).toBe(1);
  });

  it('lets a sign-in in the same document take it over, and hands over no dead token', async () => {
    const shop = await open();
    const { headers, data } = await raw(shop.url, 'mutation { add signIn { token session { id } } }');
    const { add, signIn } = data as { add: string; signIn: { token: string; session: { id: string } } };
    expect(signIn.session.id).toBe(add);
    expect((await shop.sessions.validate(signIn.token)).session?.userId).toBe('ana');
    expect(headers.get('session-token')).toBeNull();
  });

  it('uses the session of a sign-in that came by in the same request', async () => {
    const shop = await open();
    const operations = ['mutation { addAfterSignIn }', 'mutation { signIn { session { id } } }'];
    const [added, signedIn] = await askTogether(shop, operations, {});
    const signIn = signedIn?.data?.['signIn'] as { session: { id: string } };
    expect(added?.data).toEqual({ addAfterSignIn: signIn.session.id });
  });

  it('stops the boot where a field would have no guard, and guards it otherwise', async () => {
    const providers = [ShopResolver, MemberResolver];
    await expect(edge({ platform: leg.platform, imports: [leg.module()], providers })).rejects.toThrow(
      /MemberResolver\.greeting would be open.*fieldResolverEnhancers: \['guards'\]/,
    );
    const module = leg.module({ fieldResolverEnhancers: ['guards'] });
    const shop = await edge({ platform: leg.platform, imports: [module], providers });
    expect((await ask(shop, '{ member { greeting } }')).data).toEqual({ member: { greeting: 'guest' } });
  });

  it('opens a resolver class that is @Public(), and nothing that it inherits', async () => {
    @Public()
    @Resolver()
    class Health {
      @Query(() => String) status(): string {
        return 'up';
      }
    }
    class Base {
      @Query(() => String) secret(): string {
        return 'secret';
      }
    }
    Resolver({ isAbstract: true })(Base);
    @Public()
    @Resolver()
    class Derived extends Base {}
    const shop = await edge({ platform: leg.platform, imports: [leg.module()], providers: [Health] });
    expect((await ask(shop, '{ status }')).data).toEqual({ status: 'up' });
    await expect(
      edge({ platform: leg.platform, imports: [leg.module()], providers: [Derived] }),
    ).rejects.toBeInstanceOf(SessionDecoratorError);
  });
});

it('opens no message of a class that a @Public() one inherits', async () => {
  class Messages {
    @MessagePattern('secret') secret(): string {
      return 'secret';
    }
    @SubscribeMessage('secret') message(): string {
      return 'secret';
    }
  }
  @Public()
  @Controller()
  class Service extends Messages {}
  @Public()
  @WebSocketGateway()
  class Gateway extends Messages {}
  await expect(edge({ controllers: [Service] })).rejects.toBeInstanceOf(SessionDecoratorError);
  await expect(edge({ providers: [Gateway] })).rejects.toBeInstanceOf(SessionDecoratorError);
});
