import type { IncomingMessage, ServerResponse } from 'node:http';

/** By GraphQL contexts, the request that each was first seen with. */
const seen = new WeakMap<object, object>();

/**
 * Whether what stands in a GraphQL context belongs to one request, which is under way. Where an application gives one
 * object for all requests, Nest leaves the one there that came first: everybody would be who sent that.
 *
 * @param request Node's own
 * @param response Node's own, or what the application has put in its place
 */
export function isOfOneRequest(
  context: object,
  request: object,
  response: Partial<ServerResponse<IncomingMessage>>,
): boolean {
  const first = seen.get(context) ?? request;
  seen.set(context, first);
  const isAnswerToIt = response.req === undefined || response.req === request;
  return first === request && isAnswerToIt && !response.writableEnded;
}

/** By GraphQL contexts of operations over a WebSocket, the execution that each was first seen with. */
const executions = new WeakMap<object, object | undefined>();

/** Whether a GraphQL context was made for one execution: where it is shared, Nest leaves the connection there that came first. */
export function isOfOneExecution(context: object, execution: object | undefined): boolean {
  if (!executions.has(context)) executions.set(context, execution);
  return executions.get(context) === execution;
}
