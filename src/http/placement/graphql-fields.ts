import type { ModulesContainer } from '@nestjs/core';
import type { NestModule } from './hosts.js';

/** What Nest's GraphQL modules keep their options under. */
const OPTIONS = 'GqlModuleOptions';
/** What tells the type of an interface or a union: nothing ever runs before it. */
const TYPE_RESOLVER = '__resolveType';

interface GraphqlOptions {
  readonly fieldResolverEnhancers?: readonly string[];
  /** Where it looks for resolvers: in these modules and what they import. All, where it is empty. */
  readonly include?: readonly unknown[];
}

interface GraphqlModule {
  readonly enhancers: ReadonlySet<string>;
  /** `null` for all. */
  readonly modules: ReadonlySet<NestModule> | null;
}

/** What runs before the fields of GraphQL types that are no root, and before references: only what is asked for. */
export class GraphqlFields {
  private readonly graphqlModules: readonly GraphqlModule[];

  constructor(modules: ModulesContainer) {
    const all = [...modules.values()];
    this.graphqlModules = all.flatMap((module) => {
      const options = module.providers.get(OPTIONS)?.instance as GraphqlOptions | undefined;
      return options ? [read(options, all)] : [];
    });
  }

  /** Whether every GraphQL module that serves the resolvers of this one runs guards, or interceptors. */
  run(enhancers: 'guards' | 'interceptors', module: NestModule, method: string): boolean {
    if (method === TYPE_RESOLVER) return false;
    const serving = this.graphqlModules.filter(({ modules }) => modules === null || modules.has(module));
    return serving.length > 0 && serving.every((one) => one.enhancers.has(enhancers));
  }
}

function read({ fieldResolverEnhancers, include = [] }: GraphqlOptions, all: NestModule[]): GraphqlModule {
  const enhancers = new Set(fieldResolverEnhancers);
  if (include.length === 0) return { enhancers, modules: null };
  const modules = new Set(all.filter(({ metatype }) => include.includes(metatype)));
  // What is added on the way is visited too.
  for (const { imports } of modules) for (const imported of imports) modules.add(imported);
  return { enhancers, modules };
}
