import { expect, it } from '@jest/globals';
import * as budgets from '../../src/core/outage/time-budgets.js';

it('lets what waits inside the database give up before whoever waits for it', () => {
  expect(budgets.GATE_PATIENCE).toBeLessThan(budgets.STORE_PATIENCE);
  expect(budgets.LOCK_TIMEOUT).toBeLessThan(budgets.STORE_PATIENCE);
});

it('gives up what changes something while its caller still hears of it', () => {
  expect(budgets.WORK_PATIENCE + budgets.CANCEL_PATIENCE).toBeLessThanOrEqual(budgets.STORE_PATIENCE);
  expect(budgets.GATE_PATIENCE).toBeLessThan(budgets.WORK_PATIENCE);
  expect(budgets.LOCK_TIMEOUT).toBeLessThan(budgets.WORK_PATIENCE);
});

it('forgets no mark that a sign-in has to look for, also where a clock is wrong by hours', () => {
  expect(budgets.SIGN_IN_LAPSE).toBeLessThanOrEqual(budgets.MARK_MEMORY / 2);
});

it('takes no connection for dead that waits for a lock, or that works on very many rows', () => {
  expect(budgets.LOCK_TIMEOUT).toBeLessThan(budgets.CONNECTION_SILENCE);
});

it('ends no connection that somebody still waits for', () => {
  expect(budgets.CONNECTION_SILENCE).toBeGreaterThanOrEqual(budgets.STORE_PATIENCE);
});

it('makes no read again on behalf of whoever has given up, or because its connection was ended', () => {
  expect(budgets.READ_RETRY_WITHIN).toBeLessThan(budgets.CONNECTION_SILENCE);
  expect(budgets.READ_RETRY_WITHIN).toBeLessThan(budgets.STORE_PATIENCE);
});

it('writes activity before its session would end without it, or not at all', () => {
  expect(budgets.TOUCH_PATIENCE).toBeLessThan(budgets.WRITE_BEHIND_MARGIN);
});

it('answers a request whose activity cannot be written', () => {
  expect(budgets.TOUCH_PATIENCE).toBeLessThan(budgets.STORE_PATIENCE);
  expect(budgets.TOUCH_DISPATCH).toBeLessThan(budgets.TOUCH_PATIENCE);
  expect(budgets.TOUCH_RETRY).toBeLessThan(budgets.TOUCH_PATIENCE);
});

it('shuts down only once the last activity is written or given up', () => {
  expect(budgets.SHUTDOWN_PATIENCE).toBeGreaterThanOrEqual(budgets.STORE_PATIENCE);
});

it('gives locks whole seconds, as MySQL counts them', () => {
  expect(budgets.LOCK_TIMEOUT % 1_000).toBe(0);
});

it('remembers what overtakes a renewal until its answer is too old to bring it', () => {
  const { RENEWAL_LAPSE, STORE_PATIENCE, TOKEN_CHANGE_MEMORY } = budgets;
  expect(TOKEN_CHANGE_MEMORY).toBeGreaterThanOrEqual(2 * STORE_PATIENCE + RENEWAL_LAPSE);
});

it('lets a change that waits for a node which has stopped be done before its caller gives up', () => {
  const { LEASE, LEASE_MARGIN, LEASE_WITHOUT_BUS, LONGEST_ACK_PATIENCE, STORE_PATIENCE } = budgets;
  expect(LONGEST_ACK_PATIENCE + LEASE_MARGIN * LEASE).toBeLessThan(STORE_PATIENCE);
  expect(budgets.ACK_PATIENCE).toBeLessThan(LONGEST_ACK_PATIENCE);
  expect(LEASE_WITHOUT_BUS).toBeLessThan(LEASE);
  expect(budgets.RENEWALS_PER_LEASE).toBeGreaterThanOrEqual(3);
});
