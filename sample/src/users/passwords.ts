import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

// The defaults are argon2id with what OWASP recommends: 19 MiB, 2 passes, 1 lane.
export { hash as hashPassword };

const hashOfNobody = hash(randomUUID());

/**
 * Without a hash, for an unknown user, it takes as long as with one, and fails: otherwise the time of an answer would
 * tell who has an account.
 */
export async function isPassword(password: string, passwordHash: string | undefined): Promise<boolean> {
  const isRight = await verify(passwordHash ?? (await hashOfNobody), password);
  return isRight && passwordHash !== undefined;
}
