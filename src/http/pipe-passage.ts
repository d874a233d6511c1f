import type { ArgumentMetadata, ParamDecoratorEnhancer, PipeTransform } from '@nestjs/common';

/**
 * Nest sends the values of parameter decorators through all pipes, and has no way around them. A pipe that trims, copies or
 * validates would hand the session of nobody, or of somebody else, to the handler. So the value passes in an envelope.
 */
class Envelope {
  readonly #content: unknown;

  constructor(content: unknown) {
    this.#content = content;
    Object.freeze(this);
  }

  static contentOf(value: unknown): unknown {
    if (typeof value === 'object' && value !== null && #content in value) return value.#content;
    throw new Error(
      'A pipe has replaced the value of @CurrentSession(). Pipes that are global, or on a controller or method, get the ' +
        "values of all decorators: let yours return the value as it is where `metadata.type` is 'custom'.",
    );
  }
}

/** Closes the envelope before the first pipe. */
export function enclose(content: unknown): unknown {
  return new Envelope(content);
}

/** Opens the envelope; the pipes of a decorator are the last to run. */
export const DISCLOSE: PipeTransform = {
  transform: (value: unknown, _metadata: ArgumentMetadata) => Envelope.contentOf(value),
};

/** `ValidationPipe` builds an object anew of the class that the parameter is declared with: it is told of none. */
export const hideClass: ParamDecoratorEnhancer = (target, method, index) => {
  if (method === undefined) return;
  const types = Reflect.getOwnMetadata('design:paramtypes', target, method) as unknown[] | undefined;
  if (types) Reflect.defineMetadata('design:paramtypes', types.with(index, Object), target, method);
};
