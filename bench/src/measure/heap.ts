/** In bytes, once what nobody holds is gone. Needs `--expose-gc`. */
export function heapInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
