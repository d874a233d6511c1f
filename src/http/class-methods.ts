/** By the class itself, and not in its metadata, which other decorators copy to other classes. */
const noted = new WeakMap<object, ReadonlyMap<string, unknown>>();

/** What may stand before a method: neither a part of its name, nor `static`, nor what begins a comment or a text. */
const BEFORE_METHOD = /(?:[{};\n]|\*\/)\s*$/;
const IN_COMMENT = /(?:^|[\s{};])\/\*(?:(?!\*\/)[^])*$/;

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
  const [whole, text] = [textOf(type), textOf(method)];
  for (let at = whole.indexOf(text); at !== -1; at = whole.indexOf(text, at + 1)) {
    const before = whole.slice(0, at);
    if (BEFORE_METHOD.test(before) && !IN_COMMENT.test(before)) return true;
  }
  return false;
}

function textOf(code: object): string {
  return Function.prototype.toString.call(code);
}
