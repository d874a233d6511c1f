import { heard } from './api.js';
import { createSessionClient } from './client/index.js';

/** Finds out why a socket or a stream has ended, which browsers hide from pages. It has no token: the cookie does. */
export const session = createSessionClient({
  origin: location.origin,
  transport: 'cookie',
  signOutPath: '/auth/sign-out',
  statusPath: '/me/session',
});

session.on('ended', ({ reason }) => heard.over(reason));
