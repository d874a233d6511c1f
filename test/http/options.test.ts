import { Controller, Get, Module } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { SessionModule, SessionOptionsError, type SessionModuleOptions } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, signIn } from '../support/sign-in.js';
import { appsOn } from '../support/test-app.js';

const KEY = 'k'.repeat(32);

/** Option, value, and what the message says of the value and of the fix. */
type Case = readonly [option: string, value: unknown, says: string | RegExp];

const REFUSED: readonly Case[] = [
  ['securityLevel', 'highest', /"highest".*'low' or 'medium' or 'high'/],
  ['securityLevel', 3, /is 3: /],
  ['timeouts', '15m', /"15m".*object/],
  ['timeouts', ['15m'], 'object'],
  ['timeouts.idle', 0, /is 0: .*at least 1 ms|from 1 ms/],
  ['timeouts.idle', -1, 'is -1: '],
  ['timeouts.idle', '15', /"15".*'15m'/],
  ['timeouts.idle', 'soon', '"soon"'],
  ['timeouts.idle', Number.NaN, 'is NaN: '],
  ['timeouts.idle', Infinity, 'is Infinity: '],
  ['timeouts.absolute', {}, 'an object'],
  ['timeouts.absolute', '200y', '"200y"'],
  ['timeouts.renewal', true, 'is true: '],
  ['timeouts.ilde', '5m', /"5m".*no such option.*`idle`/],
  ['roles', ['admin'], /an array.*\{ admin: \['support'\] \}/],
  ['roles', 'admin', '"admin"'],
  ['roles.admin', 'support', 'object'],
  ['roles.admin', null, 'is null: '],
  ['roles.admin.includes', 'support', 'array'],
  ['roles.admin.securityLevel', 'none', "'low'"],
  ['roles.admin.securityLevel', '', /"".*'low'/],
  ['roles.admin.securityLevel', null, 'is null: '],
  ['roles.admin.timeouts.idle', 'x', "'15m'"],
  ['roles.admin.include', ['support'], '`includes`'],
  ['maxSessionsPerUser', 0, /is 0: .*from 1 to 1000000/],
  ['maxSessionsPerUser', 1e21, 'from 1 to 1000000'],
  ['maxSessionsPerUser', 2.5, 'whole number'],
  ['maxSessionsPerUser', '3', '"3"'],
  ['onSessionLimit', 'ignore', /"ignore".*'evict-oldest' or 'reject'/],
  ['onReuse', 'allow', /"allow".*'revoke' or 'report'/],
  ['transport', 'header', /"header".*'bearer' or 'cookie'/],
  ['cookie', 'sid', 'object'],
  ['cookie.name', '', 'letters'],
  ['cookie.name', 'a b', '"a b"'],
  ['cookie.name', 'a;b', '"a;b"'],
  ['cookie.name', '__Host-sid', /"__Host-sid".*without the prefix/],
  ['cookie.name', 5, 'is 5: '],
  ['cookie.sameSite', 'None', /"None".*'strict' or 'lax' or 'none'/],
  ['cookie.sameSite', 'none', 'trustedOrigins'],
  ['cookie.sameSite', false, 'is false: '],
  ['cookie.clearSiteData', null, 'array'],
  ['cookie.clearSiteData', ['cookies'], 'sign people out of every application'],
  ['cookie.clearSiteData', ['*'], "'*'"],
  ['cookie.clearSiteData', 'cache', 'array'],
  ['cookie.secure', false, 'always Secure'],
  ['cookie.httpOnly', false, 'always HttpOnly'],
  ['cookie.domain', 'example.com', '`__Host-`'],
  ['cookie.path', '/app', '`__Host-`'],
  ['cookie.maxAge', 5, 'permanent storage'],
  ['cookie.expires', 5, 'permanent storage'],
  ['trustedOrigins', 'https://app.example.com', 'array'],
  ['trustedOrigins', ['https://app.example.com/'], /"https:\/\/app\.example\.com\/".*no path/],
  ['trustedOrigins', ['app.example.com'], 'scheme and host'],
  ['trustedOrigins', ['https://app.example.com:443'], 'port'],
  ['trustedOrigins', ['https://*.example.com'], 'https://*.example.com'],
  ['trustedOrigins', ['*'], '"*"'],
  ['trustedOrigins', ['null'], '"null"'],
  ['trustedOrigins', ['HTTPS://app.example.com'], '"HTTPS://app.example.com"'],
  ['requireHttps', 'yes', /"yes".*true or false/],
  ['requireHttps', 0, 'is 0: '],
  ['requireHttps', null, 'is null: '],
  ['requireHttps.developmentHosts', '10.0.2.2', 'array'],
  ['requireHttps.developmentHosts', ['app.example.com'], /"app\.example\.com".*needs HTTPS/],
  ['requireHttps.developmentHosts', ['203.0.113.9'], '"203.0.113.9"'],
  ['requireHttps.developmentHosts', ['10.0.2.2:3000'], /"10\.0\.2\.2:3000".*without scheme and port/],
  ['requireHttps.developmentHosts', ['http://api'], '"http://api"'],
  ['requireHttps.developmentHosts', ['*.local'], '"*.local"'],
  ['requireHttps.developmentHosts', ['Laptop.local'], 'small letters'],
  ['requireHttps.hosts', ['api'], '`developmentHosts`'],
  ['schemaCheck', 'no', 'true or false'],
  ['secret', '', 'openssl'],
  ['secret', [], 'openssl'],
  ['secret', 'short', /5 characters.*at least 32/],
  ['secret', [KEY, 'short'], '32'],
  ['secret.keys', 5, 'array'],
  ['secret.keys', [KEY, 5], 'array'],
  ['secret.acceptUnkeyed', 'yes', 'true or false'],
  ['secret.key', KEY, '`keys`'],
  ['grace', -1, 'is -1: '],
  ['grace', '30', '"30"'],
  ['purge', true, 'object'],
  ['purge', '5m', 'object'],
  ['purge.every', 0, 'is 0: '],
  ['purge.every', '30d', '"30d"'],
  ['purge.batchSize', 0, 'is 0: '],
  ['purge.batchSize', 1.5, 'whole number'],
  ['purge.batchSize', 1_000_000, /is 1000000: .*from 1 to \d+/],
  ['touchEvery', '20m', /"20m".*at most 900000 ms/],
  ['touchEvery', -5, 'is -5: '],
  ['recordClient', 'no', 'true or false'],
  ['maxDataBytes', 1, 'is 1: '],
  ['maxDataBytes', '16kb', '"16kb"'],
  ['maxDataBytes', 100_000, /from 2 to 65535/],
  ['clock', 5, 'function'],
  ['clock', 'utc', 'function'],
  ['securitylevel', 'high', /no such option.*`securityLevel`/],
  ['secure', true, 'no such option'],
];

/** `{ timeouts: { idle: value } }` for `timeouts.idle`. */
function nested(option: string, value: unknown): SessionModuleOptions {
  const names = option.split('.').toReversed();
  const options = names.reduce<unknown>((inner, name) => ({ [name]: inner }), value) as SessionModuleOptions;
  if (option === 'secret.acceptUnkeyed') Object.assign(options.secret as object, { keys: [KEY] });
  return options;
}

@Controller()
class UndecoratedController {
  @Get('undecorated') undecorated(): string {
    return 'undecorated';
  }
}

/** An array of one element that is not there. */
const HOLE: unknown[] = Object.assign([], { length: 1 });
const controllers = [AccountController, UndecoratedController];

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  const bootError = (
    options: unknown,
    sessionModule = SessionModule.forRoot(options as SessionModuleOptions),
  ) =>
    start({ sessionModule }).then(
      () => null,
      (error: unknown) => error,
    );

  describe('the boot fails, and the message names option, value and fix, for', () => {
    it.each(REFUSED)('%s = %p', async (option, value, says) => {
      const error = await bootError(nested(option, value));
      expect(error).toBeInstanceOf(SessionOptionsError);
      const { message } = error as SessionOptionsError;
      expect(message).toMatch(/^SessionModule option `[^`]+` is .+: .+\.$/);
      expect(message).toContain(`\`${option}\` is `);
      if (typeof says === 'string') expect(message).toContain(says);
      else expect(message).toMatch(says);
    });
  });

  it('roles that include each other in a circle are refused, with the circle', async () => {
    const error = await bootError({ roles: { admin: ['support'], support: ['agent'], agent: ['admin'] } });
    expect(error).toBeInstanceOf(SessionOptionsError);
    expect(String(error)).toContain('admin → support → agent → admin');
  });

  it.each<[unknown]>([
    ['hunter2hunter2'],
    [['hunter2'.repeat(10), 'hunter2hunter2']],
    [['hunter2'.repeat(10), undefined]], // a variable that is not set
    [{ key: 'hunter2'.repeat(10) }],
    [{ keys: 'hunter2'.repeat(10) }],
  ])('the error about a secret does not repeat it (%#)', async (secret) => {
    const error = await bootError({ secret } as never);
    expect(error).toBeInstanceOf(SessionOptionsError);
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });

  it.each([
    ['secret', HOLE],
    ['roles', { admin: HOLE }],
    ['cookie', { clearSiteData: HOLE }],
  ])('a list with a hole in it is refused: %s', async (option, value) => {
    expect(await bootError({ [option]: value } as never)).toBeInstanceOf(SessionOptionsError);
  });

  describe('an option of `forRoot` that is of the wrong type is refused:', () => {
    it.each<Case>([
      ['globalGuard', 'false', '"false"'],
      ['globalGuard', 0, '0'],
      ['globalGuard', null, 'null'],
      ['isGlobal', 'no', '"no"'],
      ['dataSource', 5, '5'],
      ['entity', class Unrelated {}, 'BaseSessionEntity'], // else every request is a 503
    ])('%s = %p', async (option, value, says) => {
      const boot = async () => bootError(nested(option, value));
      const error = await boot().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SessionOptionsError);
      expect(String(error)).toContain(option);
      expect(String(error)).toContain(says);
    });
  });

  describe('undefined means the default:', () => {
    it('globalGuard: undefined leaves no handler open', async () => {
      const app = await start({ controllers, options: { globalGuard: undefined } as never });
      await app.http.get('/undecorated').expect(401);
    });

    it.each(['isGlobal', 'dataSource', 'entity', 'securityLevel', 'timeouts', 'roles', 'cookie', 'purge'])(
      '%s: undefined',
      async (option) => {
        const app = await start({ controllers, options: { [option]: undefined } });
        await app.http
          .get('/me')
          .set(bearer(await signIn(app)))
          .expect(200);
      },
    );
  });

  describe('forRootAsync', () => {
    it.each(['globalGuard', 'isGlobal', 'entity', 'dataSource'])(
      'refuses the static option %s in what the factory returns',
      async (option) => {
        const useFactory = () => ({
          [option]: option.startsWith('i') || option.startsWith('g') ? false : 'x',
        });
        const error = await bootError(null, SessionModule.forRootAsync({ useFactory }));
        expect(error).toBeInstanceOf(SessionOptionsError);
        expect(String(error)).toContain(`\`${option}\``);
        expect(String(error)).toContain('beside `useFactory`');
      },
    );

    it('takes static options beside useFactory, and the others from it', async () => {
      const sessionModule = SessionModule.forRootAsync({
        globalGuard: false,
        useFactory: async () => Promise.resolve({ cookie: { name: 'mine' } }),
      });
      const app = await start({ controllers, sessionModule });
      await app.http.get('/undecorated').expect(200);
      const answer = await app.http.post('/web/login').send({ userId: 'ana' });
      expect(answer.headers['set-cookie']?.[0]).toMatch(/^mine=sid_/);
    });

    it('takes a class that makes the options', async () => {
      class Options {
        createSessionOptions(): SessionModuleOptions {
          return { cookie: { name: 'mine' } };
        }
      }
      const app = await start({
        controllers,
        sessionModule: SessionModule.forRootAsync({ useClass: Options }),
      });
      const answer = await app.http.post('/web/login').send({ userId: 'ana' });
      expect(answer.headers['set-cookie']?.[0]).toMatch(/^mine=sid_/);
    });

    it('fails the boot when the factory returns what is wrong', async () => {
      const useFactory = () => ({ transport: 'pigeon' }) as never;
      const error = await bootError(null, SessionModule.forRootAsync({ useFactory }));
      expect(String(error)).toContain('`transport` is "pigeon"');
    });
  });

  it('the module works imported as such by another module, without isGlobal', async () => {
    const sessionModule = SessionModule.forRoot({ isGlobal: false });
    @Module({ imports: [sessionModule], controllers: [AccountController] })
    class AccountModule {}
    const app = await start({ sessionModule: sessionModule, imports: [AccountModule] });
    const token = await signIn(app, { userId: 'ana', roles: ['admin'] });
    await app.http.get('/admin').set(bearer(token)).expect(200);
    await app.http.post('/logout').set(bearer(token)).expect(200);
    await app.http.get('/me').set(bearer(token)).expect(401);
  });
});
