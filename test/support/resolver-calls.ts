import { type INestApplication, SetMetadata, type Type } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';

/** What `@nestjs/graphql` puts on a resolver: calls of it come in contexts of the type `graphql`. */
export const asQuery = () => SetMetadata('graphql:resolver_type', 'Query');
export const asMutation = () => SetMetadata('graphql:resolver_type', 'Mutation');

const NO_OTHER_PARAMETERS = { exchangeKeyForValue: () => null };

/** Calls resolvers with all that Nest puts before them, without a GraphQL server. */
export function resolverCaller(app: INestApplication, type: Type) {
  const creator = app.get(ExternalContextCreator, { strict: false });
  const resolvers = app.get<Record<string, () => unknown>>(type, { strict: false });
  const create = (method: string) =>
    creator.create(
      resolvers,
      resolvers[method]!,
      method,
      '__routeArguments__',
      NO_OTHER_PARAMETERS,
      undefined,
      undefined,
      undefined,
      'graphql',
    ) as (...args: unknown[]) => Promise<unknown>;
  const called = new Map<string, ReturnType<typeof create>>();
  return (method: string, context: object, operation = 'mutation', more: object = {}): Promise<unknown> => {
    const call = called.get(method) ?? create(method);
    called.set(method, call);
    const info = {
      operation: { operation },
      variableValues: {},
      path: { key: method, prev: undefined },
      ...more,
    };
    return call({}, {}, context, info);
  };
}
