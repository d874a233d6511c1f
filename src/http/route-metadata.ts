import { RequestMethod } from '@nestjs/common';

/** What the decorators of Nest leave behind, by the names that they use for it. */
const PATH = 'path';
const METHOD = 'method';
const ARGUMENTS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';
const RESOLVER_TYPE = 'graphql:resolver_type';
const ENHANCERS = ['__guards__', '__interceptors__'];
/** `@Res()` and `@Next()` among the kinds of parameters. */
const RESPONSE_PARAMETERS = /^[12]:/;

const READING_METHODS: ReadonlySet<unknown> = new Set([
  RequestMethod.GET,
  RequestMethod.HEAD,
  RequestMethod.ALL,
]);

/** Whether a function is the handler of an HTTP route. */
export function isRoute(handler: object): boolean {
  return Reflect.hasMetadata(PATH, handler);
}

/** Whether it answers what links, images and prefetching send: they must not change anything. */
export function isForReading(handler: object): boolean {
  if (Reflect.getMetadata(RESOLVER_TYPE, handler) === 'Query') return true;
  return isRoute(handler) && READING_METHODS.has(Reflect.getMetadata(METHOD, handler));
}

/** Whether a handler answers by `@Res()` without passthrough, so that what it returns goes nowhere. */
export function takesOverResponse(type: object, method: string): boolean {
  const parameters = (Reflect.getMetadata(ARGUMENTS, type, method) ?? {}) as object;
  const isPassthrough = Reflect.getMetadata(PASSTHROUGH, type, method) === true;
  return !isPassthrough && Object.keys(parameters).some((parameter) => RESPONSE_PARAMETERS.test(parameter));
}

/** Whether a guard or an interceptor stands on a handler or its class. */
export function hasEnhancer(type: object, handler: object, enhancer: object): boolean {
  return [type, handler].some((target) =>
    ENHANCERS.some((kind) => ((Reflect.getMetadata(kind, target) ?? []) as object[]).includes(enhancer)),
  );
}
