import { Inject, Injectable } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Plugin } from '@nestjs/apollo';
import {
  Args,
  Field,
  type FieldMiddleware,
  InterfaceType,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  ResolverDecoratorHost,
  Scalar,
} from '@nestjs/graphql';
import type { GraphQLSchema, ValueNode } from 'graphql';
import { Public, RequireRole } from 'nestjs-sessions';
import { signInAs } from 'nestjs-sessions/testing';
import { createHash } from 'node:crypto';
import { edgeApps } from '../support/edge-apps.js';
import { APOLLO, ask, type GraphqlAnswer, MERCURIUS, refusalOf, subgraph } from '../support/graphql.js';
import { connectGraphql } from '../support/graphql-ws.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';

/* What a GraphQL document comes to, without a session. */

const { ran, note } = noteRuns();
const start = edgeApps();

const middleware: FieldMiddleware = (_, next) => {
  note('field middleware');
  return next();
};

@InterfaceType({
  resolveType: () => {
    note('type');
    return Account;
  },
})
abstract class Owned {
  @Field(() => String) readonly owner!: string;
}

@ObjectType({ implements: () => [Owned] })
class Account implements Owned {
  @Field(() => String, { middleware: [middleware] }) readonly owner: string = 'ana';

  @Field(() => String) get name(): string {
    return note('getter');
  }
}

@Scalar('Price')
class Price {
  parseValue(value: unknown): unknown {
    return note(`price ${String(value)}`);
  }
  serialize(value: unknown): unknown {
    return value;
  }
  parseLiteral(ast: ValueNode): unknown {
    return 'value' in ast && note(`price ${String(ast.value)}`);
  }
}

@Scalar('Price')
class GuardedPrice extends Price {
  @RequireRole('admin') override parseValue(value: unknown): unknown {
    return super.parseValue(value);
  }
}

@Resolver(() => Account)
class Resolvers {
  @Query(() => String) query(): string {
    return note('query');
  }
  @Mutation(() => String) mutation(): string {
    return note('mutation');
  }
  @Query(() => String) priced(@Args('price', { type: () => Price }) price: string): string {
    return note(`priced ${price}`);
  }
  @Public() @Query(() => Account) account(): Account {
    return new Account();
  }
  @Public() @Query(() => Owned) owned(): Owned {
    return new Account();
  }
  @ResolveField(() => String, { middleware: [middleware] }) secret(): string {
    return note('secret');
  }
}

@Plugin()
class Listener {
  async requestDidStart(): Promise<void> {
    note('plugin');
  }
}

@Plugin()
class GuardedListener {
  @RequireRole('admin') async requestDidStart(): Promise<void> {}
}

/** As directives of a schema do it: with a function around the resolver. */
function wrapQuery(schema: GraphQLSchema): GraphQLSchema {
  const { query } = schema.getQueryType()!.getFields();
  const { resolve } = query!;
  query!.resolve = (...args) => {
    note('directive');
    return resolve!(...args);
  };
  return schema;
}

/** As tools that measure resolvers do it. */
@Injectable()
class Measuring {
  constructor(@Inject(ResolverDecoratorHost) host: ResolverDecoratorHost) {
    host.setDecorator((resolve) => (...args) => {
      note('around');
      return resolve(...args);
    });
  }
}

/** By a data loader it is the same: one function for the fields of several accounts. */
const LOADERS = { Account: { secret: async (queries: object[]) => queries.map(() => note('loader')) } };

const PAGES = [
  { leg: APOLLO, options: { playground: true }, path: 'graphql' },
  { leg: APOLLO, options: { graphiql: true }, path: 'graphql' },
  { leg: MERCURIUS, options: { graphiql: true }, path: 'graphiql' },
];

describe.each([APOLLO, MERCURIUS])('by $name', ({ platform, module }) => {
  const open = (options = {}) =>
    start({ platform, imports: [module(options)], providers: [Resolvers, Price] });

  it('a query and a mutation are closed', async () => {
    const app = await open();
    expect((await ask(app, '{ query }')).errors).toHaveLength(1);
    expect((await ask(app, 'mutation { mutation }')).errors).toHaveLength(1);
    expect(ran).toEqual([]);
  });

  it('the context is made before the guard', async () => {
    const context = (first: { req: object; res: object }, reply: object) => {
      note('context');
      return platform === 'express' ? first : { req: first, reply };
    };
    await ask(await open({ context }), '{ query }');
    expect(ran).toEqual(['context']);
  });

  it('scalars are read before the guard', async () => {
    const app = await open();
    await ask(app, '{ priced(price: 1) }');
    await ask(app, 'query ($price: Price!) { priced(price: $price) }', {}, { price: 2 });
    expect(ran).toEqual(expect.arrayContaining(['price 1', 'price 2']));
    expect(ran).not.toEqual(expect.arrayContaining([expect.stringMatching(/^priced/)]));
  });

  it('a decorator on a scalar stops the boot', async () => {
    const outcome = await attempt(
      () => start({ platform, imports: [module()], providers: [Resolvers, GuardedPrice] }),
      async () => true,
    );
    expect(outcome).toBe('stops the boot');
  });

  it('the schema is told to everybody', async () => {
    const { data } = await ask(await open(), '{ __schema { queryType { name } } }');
    expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  });

  it('field middleware and getters of a type are as open as what leads to them', async () => {
    const { data } = await ask(await open(), '{ account { owner name } }');
    expect(data).toEqual({ account: { owner: 'ana', name: 'getter' } });
    expect(ran.toSorted()).toEqual(['field middleware', 'getter']);
  });

  it('field middleware runs before the guard of a field', async () => {
    const app = await open({ fieldResolverEnhancers: ['guards'] });
    expect((await ask(app, '{ account { secret } }')).errors).toHaveLength(1);
    expect(ran).toEqual(['field middleware']);
  });

  it('what a directive puts around a resolver runs before the guard', async () => {
    const app = await open({ transformSchema: wrapQuery });
    expect((await ask(app, '{ query }')).errors).toHaveLength(1);
    expect(ran).toEqual(['directive']);
  });

  it('what ResolverDecoratorHost puts around resolvers runs before the guard', async () => {
    const app = await start({ platform, imports: [module()], providers: [Resolvers, Price, Measuring] });
    expect((await ask(app, '{ query }')).errors).toHaveLength(1);
    expect(ran).toEqual(['around']);
  });

  it('what is deferred (@defer) is answered by none', async () => {
    const { data, errors } = await ask(await open(), '{ account { owner ... @defer { secret } } }');
    expect(data).toBeFalsy();
    expect(errors).toMatchObject([{ message: expect.stringContaining('@defer') }]);
    expect(ran).toEqual([]);
  });

  it('what tells the type of an interface is as open as what leads to it', async () => {
    expect((await ask(await open(), '{ owned { owner } }')).data).toEqual({ owned: { owner: 'ana' } });
    expect(ran).toContain('type');
  });

  it('rules of validation run before the guard', async () => {
    const rule = () => (note('rule'), {});
    expect((await ask(await open({ validationRules: [rule] }), '{ query }')).errors).toHaveLength(1);
    expect(ran).toEqual(['rule']);
  });

  it('functions of the option resolvers have no guard', async () => {
    const resolvers = { Query: { query: () => note('function') } };
    expect((await ask(await open({ resolvers }), '{ query }')).data).toEqual({ query: 'function' });
  });
});

it('what Apollo has kept of a document (persisted queries) asks the guard all the same', async () => {
  const app = await start({ imports: [APOLLO.module()], providers: [Resolvers, Price] });
  const query = '{ query }';
  const persistedQuery = { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') };
  const send = async (document: object, headers: Record<string, string>) => {
    const body = JSON.stringify({ ...document, extensions: { persistedQuery } });
    const all = { 'content-type': 'application/json', ...headers };
    const answer = await fetch(`${app.url}/graphql`, { method: 'POST', headers: all, body });
    return (await answer.json()) as GraphqlAnswer;
  };
  const { bearer } = await signInAs(app.app, { userId: 'ana' });
  expect((await send({ query }, { ...bearer })).data).toEqual({ query: 'query' });
  expect(refusalOf(await send({}, {}), 'query')).toBe('Sign in first.');
  expect(ran).toEqual(['query']);
});

it('hooks of graphql-ws run for everybody', async () => {
  const onSubscribe = (): void => void note('hook');
  const subscriptions = { 'graphql-ws': { onSubscribe } };
  const { port } = await start({
    imports: [APOLLO.module({ subscriptions })],
    providers: [Resolvers, Price],
  });
  const connection = connectGraphql(port, {});
  expect((await connection.run('{ query }')).codes).toEqual(['session_required']);
  expect(ran).toEqual(['hook']);
  await connection.close();
});

it('a decorator on a getter of a type is refused where it stands', () => {
  const decorate = (): void => {
    class Guarded {
      get secret(): string {
        return 'secret';
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Guarded.prototype, 'secret')!;
    RequireRole('admin')(Guarded.prototype, 'secret', descriptor);
  };
  expect(decorate).toThrow('an accessor');
});

it('Apollo tells the schema to nobody with introspection: false', async () => {
  const imports = [APOLLO.module({ introspection: false })];
  const app = await start({ imports, providers: [Resolvers, Price] });
  expect((await ask(app, '{ __schema { queryType { name } } }')).errors).toHaveLength(1);
});

it('plugins of Apollo run before the guard', async () => {
  const app = await start({ imports: [APOLLO.module()], providers: [Resolvers, Price, Listener] });
  await ask(app, '{ query }');
  expect(ran).toEqual(['plugin']);
});

it('a decorator on a plugin of Apollo stops the boot', async () => {
  const outcome = await attempt(
    () => start({ imports: [APOLLO.module()], providers: [Resolvers, Price, GuardedListener] }),
    async () => true,
  );
  expect(outcome).toBe('stops the boot');
});

it('hooks of Mercurius run before the guard', async () => {
  const hooks = { preExecution: async () => void note('hook') };
  const app = await start({
    platform: 'fastify',
    imports: [MERCURIUS.module({ hooks })],
    providers: [Resolvers, Price],
  });
  await ask(app, '{ query }');
  expect(ran).toEqual(['hook']);
});

it('loaders of Mercurius have no guard, and take the place of resolvers', async () => {
  const app = await start({
    platform: 'fastify',
    imports: [MERCURIUS.module({ loaders: LOADERS, fieldResolverEnhancers: ['guards'] })],
    providers: [Resolvers, Price],
  });
  expect((await ask(app, '{ account { secret } }')).data).toEqual({ account: { secret: 'loader' } });
});

it('Mercurius refuses with the status 200, and without a code', async () => {
  const app = await start({
    platform: 'fastify',
    imports: [MERCURIUS.module()],
    providers: [Resolvers, Price],
  });
  const body = JSON.stringify({ query: '{ query }' });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
  expect(answer.status).toBe(200);
  const { errors } = (await answer.json()) as GraphqlAnswer;
  expect(errors).toMatchObject([{ message: 'Sign in first.', path: ['query'] }]);
  expect(errors?.[0]?.extensions).toBeUndefined();
});

it.each(PAGES)('the page for trying out queries has no guard: $leg.name, $options', async (page) => {
  const { leg, options, path } = page;
  const { url } = await start({
    platform: leg.platform,
    imports: [leg.module(options)],
    providers: [Resolvers, Price],
  });
  const answer = await fetch(`${url}/${path}`, { headers: { accept: 'text/html' } });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('<html');
});

it('a federated subgraph tells its schema to everybody', async () => {
  const app = await start({ imports: [subgraph()], providers: [Resolvers, Price] });
  const { data } = await ask(app, '{ _service { sdl } }');
  expect(data).toEqual({ _service: { sdl: expect.stringContaining('type Query') } });
});

it('what forms the errors of Apollo gets what the guard refuses', async () => {
  const formatError = (error: object): object => (note('formatError'), error);
  const app = await start({ imports: [APOLLO.module({ formatError })], providers: [Resolvers, Price] });
  await ask(app, '{ query }');
  expect(ran).toEqual(['formatError']);
});
