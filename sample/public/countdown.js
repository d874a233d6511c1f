import { callInBackground } from './api.js';
import { byId } from './dom.js';
import { formatLeft } from './format.js';

const ASK_EVERY = 10_000;
const WARN_FOR = 60_000;

/** When the session ends unless something happens. The server is asked by and by: other windows are activity too. */
export class Countdown {
  #endsAt = 0;
  #longest = 0;
  #askAt = 0;
  #timer = 0;
  #onStatus;

  /** @param {(status: { id: string, roles: string[] }) => void} onStatus what the server says of the session */
  constructor(onStatus) {
    this.#onStatus = onStatus;
  }

  start() {
    this.stop();
    this.#timer = setInterval(() => this.#tick(), 500);
    return this.ask();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#longest = 0;
    byId('leaving').close();
  }

  /** Soon, and once for all that happens at a time. */
  askSoon() {
    this.#askAt = Math.min(this.#askAt, Date.now() + 300);
  }

  async ask() {
    this.#askAt = Date.now() + ASK_EVERY;
    const status = await callInBackground('/me/session').catch(() => null);
    if (status === null || this.#timer === 0) return;
    this.#endsAt = Date.now() + status.expiresInMs;
    this.#longest = Math.max(this.#longest, status.expiresInMs);
    this.#show();
    this.#onStatus(status);
  }

  #tick() {
    const now = Date.now();
    if (now >= this.#askAt || now >= this.#endsAt) void this.ask();
    this.#show();
  }

  #show() {
    const left = this.#endsAt - Date.now();
    const leaving = byId('leaving');
    byId('countdown').textContent = `${formatLeft(left)} left`;
    byId('leaving-in').textContent = `in ${formatLeft(left)}`;
    const isClose = left < Math.min(WARN_FOR, this.#longest / 2);
    if (isClose && !leaving.open) leaving.showModal();
    if (!isClose) leaving.close();
  }
}
