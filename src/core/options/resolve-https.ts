import { isPrivateHost } from '../model/private-network.js';
import { list } from './option-kinds.js';
import { Given, type Option, type OptionTable, readAll } from './option.js';
import type { HttpsOptions } from './options.js';

const HTTPS = { developmentHosts: { read: readHosts } } satisfies OptionTable<HttpsOptions>;

export interface ResolvedHttps {
  readonly developmentHosts: ReadonlySet<string>;
}

/** `null`: plain HTTP is accepted. */
export const requireHttps: Option<ResolvedHttps | null> = {
  fallback: true,
  values: '`true`, `false`, `{ developmentHosts }`',
  read(given) {
    if (given.value === false) return null;
    if (given.isLeftOut || given.value === true) return { developmentHosts: new Set() };
    if (typeof given.value === 'object' && given.value !== null) return readAll(HTTPS, given);
    throw given.refuse('use true or false, or { developmentHosts: [...] }.');
  },
};

/** What has a name on the internet can have a certificate too: only what cannot is taken. */
function readHosts(given: Given): ReadonlySet<string> {
  const hosts = list().read(given, {});
  const wrong = hosts.find((host) => !isPrivateHost(host));
  if (wrong === undefined) return new Set(hosts);
  throw new Given(given.path, wrong).refuse(
    "name hosts of a local network only, in small letters, without scheme and port: '192.168.1.20', '10.0.2.2', " +
      "'api', 'laptop.local'. Anything else needs HTTPS in development too.",
  );
}
