import { fileURLToPath } from 'node:url';

/** The folder whose packages are those of the Nest under test. */
export const INSTALL =
  fileURLToPath(import.meta.resolve('@nestjs/websockets')).split('/node_modules/')[0] ?? '.';
