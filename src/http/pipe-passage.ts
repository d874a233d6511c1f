import type { ParamDecoratorEnhancer, PipeTransform } from '@nestjs/common';

/**
 * Nest sends the values of parameter decorators through all pipes, and has no way around them. A pipe that trims, copies or
 * validates would hand the session of nobody, or of somebody else, to the handler. So the value passes in an envelope, which
 * is closed before the first of them.
 */
export class Envelope {
  readonly #content: unknown;

  constructor(content: unknown) {
    this.#content = content;
    Object.freeze(this);
  }

  /** Opens it again. @throws Error for what is no envelope */
  static contentOf(this: void, value: unknown): unknown {
    if (typeof value === 'object' && value !== null && #content in value) return value.#content;
    throw new Error(
      'A pipe has replaced the value of @CurrentSession(). Pipes that are global, or on a controller or method, get the ' +
        "values of all decorators: let yours return the value as it is where `metadata.type` is 'custom'.",
    );
  }
}

/** Opens the envelope; the pipes of a decorator are the last to run. */
export const DISCLOSE: PipeTransform = { transform: Envelope.contentOf };

/** `ValidationPipe` builds an object anew of the class that the parameter is declared with: it is told of none. */
export const hideClass: ParamDecoratorEnhancer = (target, method, index) => {
  if (method === undefined) return;
  const types = Reflect.getOwnMetadata('design:paramtypes', target, method) as unknown[] | undefined;
  if (types) Reflect.defineMetadata('design:paramtypes', types.with(index, Object), target, method);
};
