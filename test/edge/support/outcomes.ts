import { SessionDecoratorError } from 'nestjs-sessions';
import type { EdgeApp } from './edge-apps.js';

/** What became of an attempt to reach a handler that must not be reached. */
export type Outcome = 'stops the boot' | 'refused' | 'open';

/**
 * Starts an application and tries a handler. Where it cannot be guarded the boot must say so; where it can it must be.
 *
 * @param reach whether the handler was reached
 */
export async function attempt(
  start: () => Promise<EdgeApp>,
  reach: (app: EdgeApp) => Promise<boolean>,
): Promise<Outcome> {
  let app: EdgeApp;
  try {
    app = await start();
  } catch (error) {
    if (error instanceof SessionDecoratorError) return 'stops the boot';
    throw error;
  }
  return (await reach(app)) ? 'open' : 'refused';
}
