/** By the class itself, and not in its metadata, which other decorators copy to other classes. */
const noted = new WeakMap<object, ReadonlyMap<string, unknown>>();

/** What makes a text the end of a longer name, or of a private one. */
const PART_OF_NAME = /[\p{ID_Continue}$#.]$/u;

/** Notes which methods a class defines itself, for a decorator on it that opens these and no others. */
export function noteMethods(type: object): void {
  const { prototype } = type as { readonly prototype: object };
  const properties = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  const own = properties.filter(([, { value }]) => typeof value === 'function' && isWrittenIn(type, value));
  noted.set(type, new Map(own.map(([name, { value }]) => [name, value])));
}

/** Whether this function was written in this very class as its method of this name. */
export function isMethodOf(type: object, method: string, handler: object): boolean {
  return noted.get(type)?.get(method) === handler;
}

/**
 * The text of a method is a part of that of its class (ECMAScript 2019). What a mixin or another decorator has put on the
 * prototype was written elsewhere. Of a class that is compiled to a function (ES5) none is found.
 */
function isWrittenIn(type: object, method: object): boolean {
  return textOf(type)
    .split(textOf(method))
    .slice(0, -1)
    .some((before) => !PART_OF_NAME.test(before));
}

function textOf(code: object): string {
  return Function.prototype.toString.call(code);
}
