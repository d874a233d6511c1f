/** What Nest makes instances of. */
export type Class = abstract new (...args: never[]) => object;

/** The class and those that it extends, nearest first. */
export function lineageOf(type: Class): Class[] {
  const lineage: Class[] = [];
  for (let ancestor = type; ancestor?.prototype; ancestor = Object.getPrototypeOf(ancestor) as Class) {
    lineage.push(ancestor);
  }
  return lineage;
}

/** The prototype whose implementation of the method is the one that runs: only it may open the route. */
export function definerOf(type: Class, method: string): object {
  const lineage = lineageOf(type);
  const definer = lineage.find(({ prototype }) => Object.hasOwn(prototype as object, method)) ?? lineage[0];
  return definer?.prototype as object;
}
