import type { Header } from './contestant.js';

export function bearer(token: string): Header {
  return ['Authorization', `Bearer ${token}`];
}
