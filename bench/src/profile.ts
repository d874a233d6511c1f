import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from './command-line.js';
import { contestants } from './contestants/catalogue.js';
import { print } from './print.js';
import { RunningApplication } from './load/application.js';
import { load } from './load/wrk.js';

const LINES = 25;

/** Where the time of an application goes under load. */
export async function profile(settings: Settings): Promise<void> {
  for (const { id, platform } of contestants(settings)) {
    const application = await RunningApplication.start({ id, platform, ...settings.sizes });
    try {
      const sessions = await application.ask('credentials');
      const connections = settings.connections[0] ?? 64;
      await load(application.origin, sessions, { connections, seconds: settings.warmUp });
      await application.ask('startProfile');
      const { requests, duration } = await load(application.origin, sessions, {
        connections,
        seconds: settings.seconds,
      });
      const file = join(tmpdir(), `${id}.cpuprofile`);
      const functions = await application.ask('stopProfile', file);
      print(`\n${id}: ${Math.round(requests / (duration / 1e6))} requests/s while profiled; ${file}\n`);
      for (const { name, place, share } of functions.slice(0, LINES)) {
        print(`${(share * 100).toFixed(1).padStart(5)} %  ${name.padEnd(32)} ${place}`);
      }
    } finally {
      await application.stop();
    }
  }
}
