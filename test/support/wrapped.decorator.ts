/**
 * Puts another function in the method's place, as decorators for logging or transactions do. The good ones copy the
 * metadata; others lose them.
 */
export function Wrapped({ losesMetadata = false } = {}): MethodDecorator {
  return (_target, _method, descriptor) => {
    const original = descriptor.value as unknown as (...args: unknown[]) => unknown;
    const replacement = function wrapper(this: unknown, ...args: unknown[]): unknown {
      return original.apply(this, args);
    };
    descriptor.value = replacement as never;
    if (losesMetadata) return;
    for (const key of Reflect.getMetadataKeys(original) as string[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), replacement);
    }
  };
}
