import { HttpStatus, RequestMethod } from '@nestjs/common';

/** What the decorators of Nest leave behind, by the names that they use for it. `NestMetadataCheck` tries them at boot. */
const PATH = 'path';
const METHOD = 'method';
const STATUS = '__httpCode__';
const EVENT_STREAM = '__sse__';
const ARGUMENTS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';
const GUARDS = '__guards__';
const ENHANCERS = [GUARDS, '__interceptors__', '__pipes__', '__exceptionFilters__'];
const MESSAGE = 'microservices:handler_type';
const PATTERNS = 'microservices:pattern';
const RAW_GRPC_STREAM = 'pt_stream';
const SOCKET_MESSAGE = 'websockets:message_mapping';
const GATEWAY = 'websockets:is_gateway';
const GATEWAY_OPTIONS = 'websockets:gateway_options';
const PORT = 'port';
const RESOLVER_TYPE = 'graphql:resolver_type';
const GRAPHQL_TYPE = 'graphql:class_type';
const FIELD = 'graphql:resolve_property';
const REFERENCE = 'graphql:resolve_reference';
const CACHE_KEY = 'cache_module:cache_key';
/** `@Res()` and `@Next()` among the kinds of parameters. */
const RESPONSE_PARAMETERS = /^[12]:/;

const ROOTS: ReadonlySet<unknown> = new Set(['Query', 'Mutation', 'Subscription']);
const READING_METHODS: ReadonlySet<unknown> = new Set([
  RequestMethod.GET,
  RequestMethod.HEAD,
  RequestMethod.ALL,
]);

/** What Nest may call a method for. Of GraphQL an `operation` is a field of a root type, and a `field` is one of another. */
export type HandlerKind = 'route' | 'message' | 'socket-message' | 'operation' | 'field' | 'reference';

/** What Nest calls a function for, when it is a method of this class; more than one where it bears more decorators. */
export function kindsOf(handler: object, type: object): readonly HandlerKind[] {
  const kinds: HandlerKind[] = [];
  if (Reflect.hasMetadata(PATH, handler)) kinds.push('route');
  if (Reflect.hasMetadata(MESSAGE, handler)) kinds.push('message');
  if (Reflect.hasMetadata(SOCKET_MESSAGE, handler)) kinds.push('socket-message');
  const isRoot = ROOTS.has(
    Reflect.getMetadata(RESOLVER_TYPE, handler) ?? Reflect.getMetadata(RESOLVER_TYPE, type),
  );
  if (Reflect.hasMetadata(REFERENCE, handler)) kinds.push('reference');
  else if (Reflect.getMetadata(FIELD, handler) === true) kinds.push(isRoot ? 'operation' : 'field');
  else if (Reflect.hasMetadata(RESOLVER_TYPE, handler) && isRoot) kinds.push('operation');
  return kinds;
}

/** Whether Nest keeps something on it that only handlers of messages have, and yet it is none that is known here. */
export function isUnknownMessage(handler: object): boolean {
  if (Reflect.hasMetadata(MESSAGE, handler) || Reflect.hasMetadata(SOCKET_MESSAGE, handler)) return false;
  return Reflect.getMetadataKeys(handler).some((key) => /^(microservices|websockets):/.test(String(key)));
}

/** Whether it is called with a stream of gRPC itself, by `@GrpcStreamCall()`. */
export function isRawGrpcStream(handler: object): boolean {
  const patterns: unknown = Reflect.getMetadata(PATTERNS, handler);
  return (
    Array.isArray(patterns) &&
    patterns.some((pattern: { streaming?: unknown } | null) => pattern?.streaming === RAW_GRPC_STREAM)
  );
}

/** Whether the messages of a class are those of a WebSocket server. */
export function isGateway(type: object): boolean {
  return Reflect.hasMetadata(GATEWAY, type);
}

/** Whether it is a type of a GraphQL schema, of which fields are read, and nothing is called through a guard. */
export function isGraphqlType(type: object): boolean {
  return Reflect.hasOwnMetadata(GRAPHQL_TYPE, type);
}

/** Where a gateway listens: which gateways have the same server is seen by it. */
export interface GatewayPlace {
  /** 0 for the port of the application. */
  readonly port: number;
  readonly path: unknown;
  readonly namespace: unknown;
}

export function placeOf(gateway: object): GatewayPlace {
  const options = (Reflect.getMetadata(GATEWAY_OPTIONS, gateway) ?? {}) as Partial<GatewayPlace>;
  const port = (Reflect.getMetadata(PORT, gateway) ?? 0) as number;
  return { port, path: options.path, namespace: options.namespace };
}

/** Whether it answers what links, images and prefetching send: they must not change anything. */
export function isForReading(handler: object): boolean {
  if (Reflect.getMetadata(RESOLVER_TYPE, handler) === 'Query') return true;
  return Reflect.hasMetadata(PATH, handler) && READING_METHODS.has(Reflect.getMetadata(METHOD, handler));
}

/** The status of an answer that nobody gives another one. */
export function successStatusOf(handler: object): number {
  const status: unknown = Reflect.getMetadata(STATUS, handler);
  if (typeof status === 'number') return status;
  const isPost = Reflect.getMetadata(METHOD, handler) === RequestMethod.POST;
  return isPost ? HttpStatus.CREATED : HttpStatus.OK;
}

/** What `@CacheKey()` has left behind: the key of everybody, or a function that makes one. */
export function cacheKeyOf(handler: object): unknown {
  return Reflect.getMetadata(CACHE_KEY, handler);
}

/** Whether it answers with one event after the other, once the head of its answer is gone. */
export function answersInEvents(handler: object): boolean {
  return isEventStream(handler) || Reflect.getMetadata(RESOLVER_TYPE, handler) === 'Subscription';
}

/** Whether it answers with server-sent events. */
export function isEventStream(handler: object): boolean {
  return Reflect.getMetadata(EVENT_STREAM, handler) === true;
}

/** Whether a handler answers by `@Res()` without passthrough, so that what it returns goes nowhere. */
export function takesOverResponse(type: object, method: string): boolean {
  const parameters = (Reflect.getMetadata(ARGUMENTS, type, method) ?? {}) as object;
  const isPassthrough = Reflect.getMetadata(PASSTHROUGH, type, method) === true;
  return !isPassthrough && Object.keys(parameters).some((parameter) => RESPONSE_PARAMETERS.test(parameter));
}

/** The guards of a handler or class, in the order in which Nest asks them. */
export function guardsOf(target: object): readonly unknown[] {
  return Reflect.getOwnMetadata(GUARDS, target) ?? [];
}

/** The guards, interceptors, pipes and filters that stand on a handler or class: instances, and classes of them. */
export function enhancersOf(target: object): readonly unknown[] {
  return ENHANCERS.flatMap((key) => (Reflect.getMetadata(key, target) ?? []) as readonly unknown[]);
}

/** The same of the pipes that stand on its parameters: `@Body(new Trim())`. */
export function pipesOfParameters(type: object, method: string): readonly unknown[] {
  const parameters = Object.values((Reflect.getMetadata(ARGUMENTS, type, method) ?? {}) as object);
  return parameters.flatMap(({ pipes }: { readonly pipes?: readonly unknown[] }) => pipes ?? []);
}

/** Nest asks this guard before the others that stand on a handler or class, wherever its decorator stands. */
export function askFirst(guard: object, target: object): void {
  const others = guardsOf(target).filter((other) => other !== guard);
  Reflect.defineMetadata(GUARDS, [guard, ...others], target);
}
