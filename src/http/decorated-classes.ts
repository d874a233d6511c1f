import type { Class } from './lineage.js';

/** Nest does not know of all of them: the types of a GraphQL schema are in no module. */
const decorated = new Set<WeakRef<Class>>();
const noted = new WeakSet<Class>();

export function noteDecorated(type: Class): void {
  if (noted.has(type)) return;
  noted.add(type);
  decorated.add(new WeakRef(type));
}

/** Every class of the process on which, or on a method of which, a session decorator stands. */
export function* decoratedClasses(): Generator<Class> {
  for (const reference of decorated) {
    const type = reference.deref();
    if (type) yield type;
    else decorated.delete(reference);
  }
}
