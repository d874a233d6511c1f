import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder whose packages are those of the Nest under test. */
export const INSTALL =
  fileURLToPath(import.meta.resolve('@nestjs/websockets')).split('/node_modules/')[0] ?? '.';

/** Whether its GraphQL module speaks the protocol of subscriptions-transport-ws. */
export const HAS_OLD_PROTOCOL = existsSync(`${INSTALL}/node_modules/subscriptions-transport-ws`);
