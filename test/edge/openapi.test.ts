import { Controller, Get, HttpCode, type INestApplication, Post, type Type } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { APP_GUARD } from '@nestjs/core';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiProperty,
  DocumentBuilder,
  SwaggerModule,
} from '@nestjs/swagger';
import {
  AllowAnonymous,
  EndSession,
  Public,
  RequireLevel,
  RequireRole,
  RequireSession,
  SessionException,
  SessionGuard,
  type SessionPrincipal,
  SessionService,
  StartSession,
} from 'nestjs-sessions';
import * as library from 'nestjs-sessions';
import { SESSION_REFUSAL_SCHEMA, withSessions } from 'nestjs-sessions/openapi';
import { REFUSED_ANSWERS } from '../../src/openapi/refused-answers.js';
import { type EdgeAppOptions, edgeApps } from './support/edge-apps.js';

interface Operation {
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { description: string; headers?: object; content?: object }>>;
}

const start = edgeApps();

const EITHER_WAY = [{ 'session-bearer': [] }, { 'session-cookie': [] }];

class Balance {
  @ApiProperty() euros!: number;
}

abstract class Listed {
  @Get('listed') list(): void {}
}

@Controller('staff')
@RequireRole('staff')
class StaffController extends Listed {}

@Controller('customers')
class CustomersController extends Listed {}

@Controller()
class RoutesController {
  @Get('undecorated') undecorated(): void {}
  @AllowAnonymous() @Get('cart') cart(): void {}
  @Public() @Get('open') open(): void {}
  @RequireLevel(2) @Post('transfer') transfer(): void {}
  @StartSession() @Post('sign-in') signIn(): SessionPrincipal {
    return { userId: 'ana' };
  }
  @StartSession({ transport: 'cookie' }) @Post('browser') browser(): SessionPrincipal {
    return { userId: 'ana' };
  }
  @StartSession() @RequireSession() @HttpCode(200) @Post('step-up') stepUp(): SessionPrincipal {
    return { userId: 'ana' };
  }
  @EndSession() @HttpCode(204) @Post('sign-out') signOut(): void {}
  @ApiCreatedResponse({ type: Balance, description: 'By hand.' })
  @ApiBearerAuth('theirs')
  @Post('by-hand')
  byHand(): void {}
}

/** As the compiler plugin of @nestjs/swagger leaves it. */
@Controller('plugin')
class PluginController {
  static _OPENAPI_METADATA_FACTORY(): object {
    return { balance: { type: Balance }, balances: { type: [Balance] }, signIn: { type: Object } };
  }
  @Get('balance') balance(): void {}
  @Get('balances') balances(): void {}
  @StartSession() @Post('sign-in') signIn(): SessionPrincipal {
    return { userId: 'ana' };
  }
}

function documentOf(app: INestApplication) {
  // The whole document asks for something, so that an open route has to say that it does not.
  const config = new DocumentBuilder().addBearerAuth(undefined, 'theirs').addSecurityRequirements('theirs');
  return SwaggerModule.createDocument(app, withSessions(app, config.build()));
}

/** The operations of these controllers, by path, as said before the application listens. */
async function operationsOf(controllers: Type[], given: EdgeAppOptions = {}) {
  let document: ReturnType<typeof documentOf> | null = null;
  await start({ controllers, ...given, configure: (app) => (document = documentOf(app)) });
  const { paths } = document!;
  return new Map(
    Object.entries(paths).map(([path, operations]) => [path, Object.values(operations)[0] as Operation]),
  );
}

function codesIn(operation: Operation | undefined): string[] {
  return Object.values(operation?.responses ?? {})
    .flatMap(({ description }) => [...description.matchAll(/`(\w+)`:/g)])
    .map(([, code = '']) => code);
}

const EVERYWHERE = ['https_required', 'cross_origin', 'session_invalid', 'session_store_unavailable'];
const SIGNED_IN = [...EVERYWHERE, 'session_required', 'session_expired'];

describe('what OpenAPI says of routes', () => {
  it.each([
    ['/undecorated', EITHER_WAY, SIGNED_IN],
    ['/cart', EITHER_WAY, SIGNED_IN],
    ['/open', [], []],
    ['/transfer', EITHER_WAY, [...SIGNED_IN, 'reauthentication_required']],
    ['/sign-in', [...EITHER_WAY, {}], [...EVERYWHERE, 'sign_in_failed']],
    ['/browser', [...EITHER_WAY, {}], [...EVERYWHERE, 'sign_in_failed']],
    ['/step-up', EITHER_WAY, [...SIGNED_IN, 'sign_in_failed']],
    ['/sign-out', [...EITHER_WAY, {}], EVERYWHERE],
    ['/by-hand', [{ theirs: [] }], SIGNED_IN],
  ])('%s', async (path, security, codes) => {
    const operation = (await operationsOf([RoutesController])).get(path);
    expect(operation?.security).toEqual(security);
    expect(codesIn(operation).toSorted()).toEqual(codes.toSorted());
  });

  it('follows the options', async () => {
    const options = { maxSessionsPerUser: 1, onSessionLimit: 'reject', requireHttps: false } as const;
    const operations = await operationsOf([RoutesController], {
      options: { ...options, guessing: { refuse: true } },
    });
    expect(operations.get('/sign-in')?.responses).toHaveProperty('409');
    expect(operations.get('/undecorated')?.responses).toHaveProperty('429.headers.Retry-After');
    expect(codesIn(operations.get('/undecorated'))).not.toContain('https_required');
    expect(operations.get('/open')?.responses).toEqual({ 200: { description: '' } });
  });

  it('has the body of a sign-in, by the way that its token goes', async () => {
    const operations = await operationsOf([RoutesController]);
    const bodyOf = (path: string, status: number) =>
      JSON.stringify(operations.get(path)?.responses[status]?.content);
    expect(bodyOf('/sign-in', 201)).toMatch(/BearerAnswer/);
    expect(bodyOf('/browser', 201)).toMatch(/CookieAnswer/);
    expect(operations.get('/browser')?.responses).toHaveProperty('201.headers.Set-Cookie');
    expect(bodyOf('/step-up', 200)).toMatch(/oneOf.*BearerAnswer.*CookieAnswer/);
    expect(Object.keys(operations.get('/sign-out')?.responses ?? {})).toContain('204');
  });

  it('keeps what is said by hand, and what the plugin has found out', async () => {
    const operations = await operationsOf([RoutesController, PluginController]);
    expect(operations.get('/by-hand')?.responses[201]?.description).toBe('By hand.');
    const contentOf = (path: string) => operations.get(path)?.responses[200]?.content;
    const schema = { $ref: '#/components/schemas/Balance' };
    expect(contentOf('/plugin/balance')).toEqual({ 'application/json': { schema } });
    expect(contentOf('/plugin/balances')).toEqual({
      'application/json': { schema: { type: 'array', items: schema } },
    });
    const signIn = operations.get('/plugin/sign-in')?.responses[201]?.content;
    expect(JSON.stringify(signIn)).toMatch(/BearerAnswer/);
  });

  it('says of a method that two controllers inherit what either may answer', async () => {
    const operations = await operationsOf([StaffController, CustomersController]);
    for (const path of ['/staff/listed', '/customers/listed'])
      expect(codesIn(operations.get(path))).toContain('role_required');
  });

  it('says nothing of routes that no guard stands before', async () => {
    const operations = await operationsOf([RoutesController], { options: { globalGuard: false } });
    expect(codesIn(operations.get('/undecorated'))).toEqual([]);
    expect(codesIn(operations.get('/transfer'))).toContain('reauthentication_required');
  });

  it('knows SessionGuard as APP_GUARD of the application', async () => {
    const providers = [{ provide: APP_GUARD, useExisting: SessionGuard }];
    const options = { globalGuard: false };
    const operations = await operationsOf([RoutesController], { providers, options });
    expect(codesIn(operations.get('/undecorated'))).toContain('session_required');
  });

  it('is the same in a second document, and that of another application is its own', async () => {
    const { app } = await start({ controllers: [RoutesController] });
    const document = documentOf(app);
    expect(documentOf(app)).toEqual(document);
    await operationsOf([RoutesController], { options: { globalGuard: false, requireHttps: false } });
    expect(documentOf(app)).toEqual(document);
  });
});

describe('the schemas of OpenAPI', () => {
  it('know the status and the headers that each refusal has', () => {
    const classes = Object.values(library).filter(
      (value): value is Type<SessionException> =>
        typeof value === 'function' &&
        value.name.endsWith('Exception') &&
        (value as unknown) !== SessionException,
    );
    const refusals = classes.map((each) => new each({}));
    expect(refusals.length).toBeGreaterThan(10);
    for (const refusal of refusals) {
      if (refusal.code === 'invalid_argument') continue;
      const { status, header } = REFUSED_ANSWERS[refusal.code];
      expect([refusal.code, status, header ? [header] : []]).toEqual([
        refusal.code,
        refusal.getStatus(),
        Object.keys(refusal.headers),
      ]);
    }
    expect(refusals.map(({ code }) => code).toSorted()).toEqual(
      SESSION_REFUSAL_SCHEMA.properties.code.enum.toSorted(),
    );
  });

  it('have the fields that answers have', async () => {
    const { app, url } = await start({ controllers: [RoutesController] });
    const { schemas = {} } = documentOf(app).components ?? {};
    const fieldsOf = (name: string) =>
      Object.keys((schemas[name] as { properties: object }).properties).toSorted();
    const refused = (await (await fetch(`${url}/undecorated`)).json()) as object;
    expect(Object.keys(refused).toSorted()).toEqual(fieldsOf('SessionRefusal'));
    const post = { method: 'POST' };
    const signedIn = (await (await fetch(`${url}/sign-in`, post)).json()) as { session: object };
    expect(Object.keys(signedIn).toSorted()).toEqual(fieldsOf('BearerAnswer'));
    expect(Object.keys(signedIn.session).toSorted()).toEqual(fieldsOf('PublicSession'));
    const browser = (await (await fetch(`${url}/browser`, post)).json()) as object;
    expect(Object.keys(browser)).toEqual(fieldsOf('CookieAnswer'));
    expect(await app.get(SessionService, { strict: false }).list('ana')).toHaveLength(2);
  });
});
