import type { QueryRunner } from 'typeorm';
import type { SessionRecord } from '../../core/model/record.js';
import type { EntityTable } from '../entity-table.js';
import type { Alphabet } from './dialect.js';

/** The encodings of mysql2 that are UTF-8; the driver `mysql` has no other. */
const UTF_8: ReadonlySet<unknown> = new Set(['utf8', 'cesu8', undefined]);

/**
 * Of a connection in `latin1` mysql2 sends of each character the low byte: `\u0127` arrives as a quote, which nobody has
 * escaped. Over a connection that is not UTF-8, on either side, only ASCII goes.
 */
export async function alphabetOf(
  runner: QueryRunner,
  table: EntityTable<SessionRecord>,
  field: keyof SessionRecord,
): Promise<Alphabet> {
  const { clientEncoding } = (await runner.connect()) as { clientEncoding?: unknown };
  const [{ sent, kept }] = (await runner.query(
    `SELECT @@character_set_client AS sent, CHARSET(MAX(${table.column(field)})) AS kept ` +
      `FROM ${table.name} WHERE 1 = 0`,
  )) as [{ sent: string; kept: string }];
  if (!UTF_8.has(clientEncoding) || !sent.startsWith('utf8')) return nothing;
  return (asked, characters) => throughBoth(asked, [sent, kept], characters);
}

const nothing: Alphabet = async (_, characters) => characters.map(() => '');

/** Hexadecimal both ways: nothing on the way changes it. */
async function throughBoth(
  runner: QueryRunner,
  charsets: readonly string[],
  characters: readonly string[],
): Promise<readonly string[]> {
  const converted = [...charsets, 'utf8mb4'].reduce(
    (text, charset) => `CONVERT(${text} USING ${charset.replace(/\W/g, '')})`,
    'CONVERT(UNHEX(?) USING utf8mb4)',
  );
  const bytes = Buffer.from(characters.join(' ')).toString('hex');
  const [row] = (await runner.query(`SELECT HEX(${converted}) AS text`, [bytes])) as [{ text: string }];
  return Buffer.from(row.text, 'hex').toString().split(' ');
}
