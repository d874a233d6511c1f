import type { DynamicModule } from '@nestjs/common';
import { ApolloDriver, ApolloFederationDriver } from '@nestjs/apollo';
import { type GqlModuleOptions, GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import type { EdgeApp } from './edge-apps.js';

/** One GraphQL server on the platform that it is mostly used with. */
export interface GraphqlLeg {
  readonly name: string;
  readonly platform: 'express' | 'fastify';
  module(options?: Partial<GqlModuleOptions> & Record<string, unknown>): DynamicModule;
}

export const APOLLO: GraphqlLeg = {
  name: 'Apollo on Express',
  platform: 'express',
  module: (options) => GraphQLModule.forRoot({ driver: ApolloDriver, autoSchemaFile: true, ...options }),
};

export const MERCURIUS: GraphqlLeg = {
  name: 'Mercurius on Fastify',
  platform: 'fastify',
  module: (options) =>
    GraphQLModule.forRoot({
      driver: MercuriusDriver,
      autoSchemaFile: true,
      context: (req: unknown, reply: unknown) => ({ req, reply }),
      ...options,
    }),
};

/** A subgraph of a federation, by Apollo on Express. */
export function subgraph(options: Partial<GqlModuleOptions> = {}): DynamicModule {
  const autoSchemaFile = { federation: 2 as const };
  return GraphQLModule.forRoot({ driver: ApolloFederationDriver, autoSchemaFile, ...options });
}

export interface GraphqlAnswer {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly unknown[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** What a document brings to who shows these headers. */
export async function ask(
  { url }: EdgeApp,
  query: string,
  headers: Record<string, string> = {},
  variables: Record<string, unknown> = {},
): Promise<GraphqlAnswer> {
  return (await post(url, headers, { query, variables })) as GraphqlAnswer;
}

/** Several operations in one request. */
export async function askTogether(
  { url }: EdgeApp,
  queries: readonly string[],
  headers: Record<string, string>,
): Promise<GraphqlAnswer[]> {
  return (await post(
    url,
    headers,
    queries.map((query) => ({ query })),
  )) as GraphqlAnswer[];
}

async function post(url: string, headers: Record<string, string>, body: unknown): Promise<unknown> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return answer.json();
}

/** The message of the error that stands in the place of a field; undefined where it was answered. */
export function refusalOf({ errors }: GraphqlAnswer, field: string): string | undefined {
  return errors?.find(({ path }) => path?.[0] === field)?.message;
}
