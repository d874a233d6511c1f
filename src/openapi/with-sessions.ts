import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SessionCore } from '../core/session-core.js';
import { successStatusOf } from '../http/handler-metadata.js';
import { GLOBAL_GUARD, hasGlobalGuardOfTheirs } from '../http/placement/global-guard.js';
import { kindsFor } from '../http/placement/handlers.js';
import { hostsOf } from '../http/placement/hosts.js';
import type { Class } from '../http/lineage.js';
import type { Requirement } from '../http/requirement.js';
import { RequirementRegistry } from '../http/requirement-registry.js';
import { SessionCookie } from '../http/session-cookie.js';
import { refusalsOf, securityOf, signedIn } from './operation.js';
import { securitySchemes, SESSION_SCHEMAS } from './schemas.js';
import { addResponses, setSecurity, usualAnswer } from './swagger-metadata.js';

/** Of what `DocumentBuilder` builds, the part that is added to. */
export interface OpenApiComponents {
  /** What the document has of its own: it takes the place of what is added by the same name. */
  components?: { schemas?: object; securitySchemes?: object };
}

/** A route, and the requirements of all classes that have its function: a base class gives it to several. */
interface Route {
  readonly type: Class;
  readonly method: string;
  /** None where no guard stands before it. */
  readonly requirements: readonly Requirement[];
}

/**
 * Lets `SwaggerModule.createDocument` know what the decorators of sessions say: which routes need a token and which are open, the
 * answers with their codes and headers, and the body of a sign-in. What the application says itself by decorators of
 * @nestjs/swagger is kept: an answer of the same status, and the security of a route.
 *
 * @param app after `NestFactory.create`, before or after it listens
 * @param config what `DocumentBuilder` has built
 * @returns the same with the security schemes `session-bearer` and `session-cookie`, and the schemas
 * @throws SessionDecoratorError where decorators contradict each other, as at boot
 */
export function withSessions<Config extends OpenApiComponents>(
  app: INestApplicationContext,
  config: Config,
): Config {
  const find = { strict: false };
  const { options } = app.get(SessionCore, find);
  for (const [handler, { type, method, requirements }] of routesOf(app)) {
    const [requirement] = requirements;
    const success = successStatusOf(handler);
    const signIn = requirement?.opens === 'start' && { [success]: signedIn(requirement, options) };
    const usual = signIn ? {} : { [success]: usualAnswer(type, method) };
    addResponses(handler, { ...refusalsOf(requirements, options), ...signIn }, usual);
    setSecurity(handler, requirement && securityOf(requirement));
  }
  const { components } = config;
  return {
    ...config,
    components: {
      ...components,
      schemas: { ...SESSION_SCHEMAS, ...components?.schemas },
      securitySchemes: { ...securitySchemes(app.get(SessionCookie, find)), ...components?.securitySchemes },
    },
  };
}

/** All routes, by the function that answers. */
function routesOf(app: INestApplicationContext): ReadonlyMap<object, Route> {
  const modules = app.get(ModulesContainer, { strict: false });
  const registry = app.get(RequirementRegistry, { strict: false });
  const isGuarded = app.get<boolean>(GLOBAL_GUARD, { strict: false }) || hasGlobalGuardOfTheirs(modules);
  const routes = new Map<object, Route>();
  for (const host of hostsOf(modules)) {
    for (const [method, requirement] of registry.ofMethods(host.type)) {
      if (!kindsFor(host, method).includes('route')) continue;
      const handler = Reflect.get(host.type.prototype as object, method) as object;
      const requirements = [...(routes.get(handler)?.requirements ?? [])];
      if (isGuarded || requirement.isDeclared) requirements.push(requirement);
      routes.set(handler, { type: host.type, method, requirements });
    }
  }
  return routes;
}
