export const passwords = `import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What OWASP recommends: 32 MiB of memory, three times. Each hash says its own, so that this can be raised. */
const COST = { N: 2 ** 15, r: 8, p: 3 };
const MOST_MEMORY = 128 * 2 ** 20;
const LONGEST_PASSWORD = 255;

const hashOfNobody = hashPassword(randomBytes(32).toString('base64'));

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = (await derive(password, salt, COST)).toString('base64');
  const { N, r, p } = COST;
  return \`scrypt$\${N}$\${r}$\${p}$\${salt.toString('base64')}$\${key}\`;
}

/** Without a hash, for an unknown user, it takes as long as with one, and says no. */
export async function isPassword(
  password: string,
  hash: string | undefined,
): Promise<boolean> {
  if (password.length > LONGEST_PASSWORD) return false;
  const parts = (hash ?? (await hashOfNobody)).split('$');
  const [, N, r, p, salt = '', key = ''] = parts;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, 'base64'), cost);
  const isRight = timingSafeEqual(derived, Buffer.from(key, 'base64'));
  return isRight && hash !== undefined;
}

function derive(
  password: string,
  salt: Buffer,
  cost: { N: number; r: number; p: number },
): Promise<Buffer> {
  const options = { ...cost, maxmem: MOST_MEMORY };
  return new Promise((resolve, reject) => {
    // In one spelling, however a keyboard composes accents.
    scrypt(password.normalize('NFKC'), salt, 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
`;
