import { InvalidArgumentError, StoreRejectedError } from '../core/model/errors.js';
import type { SessionRecord } from '../core/model/record.js';
import type { Alphabet, ServerDialect } from './dialects/dialect.js';
import type { EntityTable } from './entity-table.js';
import type { PrimaryConnection } from './primary-connection.js';

type TextField = 'userId' | 'userAgent' | 'label';
type Client = Partial<Pick<SessionRecord, 'userAgent' | 'label'>>;

const ASCII = /^[\0-\x7f]*$/;
/** Of 4 bytes in UTF-8: what has it has all of Unicode. */
const RAREST = '\u{1f511}';

/**
 * What the columns can hold of the texts that come from outside: with a character set such as `latin1` or `utf8mb3` less
 * than all, and databases differ in whether they refuse the rest or put `?` in its place, so that two user ids become
 * one. They are asked, and only where there is something to ask: nothing about ASCII, nor once a column is known to hold
 * everything.
 */
export class ColumnAlphabets {
  /** `null`: everything. */
  private readonly known = new Map<TextField, Promise<Alphabet | null>>();

  /** @param dialect `null` for SQLite, which holds everything */
  constructor(
    private readonly connection: PrimaryConnection,
    private readonly dialect: ServerDialect | null,
    private readonly table: EntityTable<SessionRecord>,
  ) {}

  /** @throws InvalidArgumentError for text that the column of user ids cannot hold exactly */
  async assertHeld(argument: string, text: string | undefined): Promise<void> {
    if (text === undefined || (await this.held('userId', text)) === text) return;
    throw new InvalidArgumentError(
      argument,
      text,
      'the column of user ids cannot hold it exactly, or the connection cannot bring it there; use ids of ASCII, or give ' +
        'database, tables and connection a character set for all of Unicode (utf8mb4 on MySQL and MariaDB).',
    );
  }

  /** The same without the characters of user agent and label that their columns cannot hold. */
  async fitting<Row extends Client>(row: Row): Promise<Row> {
    const { userAgent, label } = row;
    return {
      ...row,
      ...(userAgent && { userAgent: (await this.held('userAgent', userAgent)) || null }),
      ...(label && { label: (await this.held('label', label)) || null }),
    };
  }

  private async held(field: TextField, text: string): Promise<string> {
    if (this.dialect === null || ASCII.test(text)) return text;
    const alphabet = await this.alphabetOf(field, this.dialect);
    if (alphabet === null) return text;
    const foreign = [...new Set(text)].filter((character) => !ASCII.test(character));
    const held = await this.heldBy(alphabet, foreign);
    return [...text].filter((character) => ASCII.test(character) || held.has(character)).join('');
  }

  /** A character set changes with a migration, which comes with a deployment: it is asked once, unless that fails. */
  private alphabetOf(field: TextField, dialect: ServerDialect): Promise<Alphabet | null> {
    const known = this.known.get(field);
    if (known !== undefined) return known;
    const asked = this.connection
      .read((runner) => dialect.alphabetOf(runner, this.table, field))
      .then(async (alphabet) => ((await this.heldBy(alphabet, [RAREST])).has(RAREST) ? null : alphabet));
    this.known.set(field, asked);
    asked.catch(() => this.known.delete(field));
    return asked;
  }

  /** In one question, or where the database refuses to answer it, in one for each of them. */
  private async heldBy(alphabet: Alphabet, characters: readonly string[]): Promise<ReadonlySet<string>> {
    const ask = async (some: readonly string[]) => {
      const answers = await this.connection.read((runner) => alphabet(runner, some));
      return some.filter((character, at) => answers[at] === character);
    };
    try {
      return new Set(await ask(characters));
    } catch (error) {
      if (!(error instanceof StoreRejectedError)) throw error;
    }
    const held = new Set<string>();
    for (const character of characters) {
      const [same] = await ask([character]).catch((error: unknown) => {
        if (error instanceof StoreRejectedError) return [];
        throw error;
      });
      if (same !== undefined) held.add(same);
    }
    return held;
  }
}
