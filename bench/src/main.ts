import 'reflect-metadata';
import { readCommandLine } from './command-line.js';
import { compare } from './compare.js';
import { requireWrk } from './load/wrk.js';
import { profile } from './profile.js';
import { boot } from './scenarios/boot.js';
import { contention } from './scenarios/contention.js';
import { flood } from './scenarios/flood.js';
import { growth } from './scenarios/growth.js';
import { largeUser } from './scenarios/large-user.js';
import { memory } from './scenarios/memory.js';
import { nodes } from './scenarios/nodes.js';
import { purge } from './scenarios/purge.js';
import { revocation } from './scenarios/revocation.js';
import { sessionValues } from './scenarios/session-values.js';
import { signIns } from './scenarios/sign-ins.js';
import { sockets } from './scenarios/sockets.js';
import { touches } from './scenarios/touches.js';
import { smoke } from './smoke.js';

const settings = readCommandLine(process.argv.slice(2));
const commands = {
  compare: settings.isSmoke ? smoke : compare,
  profile,
  purge,
  growth,
  flood,
  memory,
  revocation,
  contention,
  'large-user': largeUser,
  'session-values': sessionValues,
  boot,
  touches,
  sockets,
  'sign-ins': signIns,
  nodes,
};
const command = commands[settings.command as keyof typeof commands];
if (command === undefined) {
  throw new Error(`There is no command ${settings.command}. There are: ${Object.keys(commands).join(', ')}.`);
}
await requireWrk();
await command(settings);
