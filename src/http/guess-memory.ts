/** How many addresses are told apart; then all others are one. */
const MAX_SOURCES = 10_000;
/** How many tokens of one address are told apart. */
const MAX_TOKENS = 50;

/** Tokens that came from one address, or from all that could not be told apart. */
interface Source {
  readonly isCrowd: boolean;
  /** When it is forgotten. */
  readonly until: number;
  /** The latest, each counted once. */
  readonly tokens: Set<string>;
  guesses: number;
}

/** What a guess brings to light. */
export interface Finding {
  readonly isSuspect: boolean;
  /** Whether it is this guess that makes it suspect. */
  readonly isNews: boolean;
  /** Whether it is about nobody in particular: more addresses are guessing than can be told apart. */
  readonly isCrowd: boolean;
  /** For how many milliseconds more. */
  readonly remaining: number;
}

/**
 * Who has shown how many different tokens, of late. Its size is bounded, and nothing is dropped before its time is
 * over: else a flood from many addresses would wash out the one that guesses in earnest. Who comes when it is full is
 * counted with all others, which is noticed, but is held against none of them.
 */
export class GuessMemory {
  /** In the order in which they are to be forgotten. */
  private readonly sources = new Map<string, Source>();
  private crowd: Source | null = null;

  /** @param within in milliseconds */
  constructor(
    private readonly attempts: number,
    private readonly within: number,
  ) {}

  /** A token once, so that an app which keeps sending a dead one is no suspect. */
  note(address: string, token: string): Finding {
    const now = performance.now();
    this.forgetUntil(now);
    const source = this.sourceOf(address, now);
    const wasSuspect = source.guesses >= this.attempts;
    if (!wasSuspect && isFirstOf(source.tokens, token)) source.guesses++;
    const isSuspect = source.guesses >= this.attempts;
    if (isSuspect) source.tokens.clear();
    const { isCrowd, until } = source;
    return { isSuspect, isNews: isSuspect && !wasSuspect, isCrowd, remaining: until - now };
  }

  private sourceOf(address: string, now: number): Source {
    const known = this.sources.get(address);
    if (known) return known;
    const isCrowd = this.sources.size >= MAX_SOURCES;
    if (isCrowd && this.crowd) return this.crowd;
    const source: Source = { isCrowd, until: now + this.within, tokens: new Set(), guesses: 0 };
    if (isCrowd) this.crowd = source;
    else this.sources.set(address, source);
    return source;
  }

  private forgetUntil(now: number): void {
    if (this.crowd && this.crowd.until <= now) this.crowd = null;
    for (const [address, { until }] of this.sources) {
      if (until > now) break;
      this.sources.delete(address);
    }
  }
}

/** Of too many the one that was not seen for longest is forgotten: it counts again. */
function isFirstOf(tokens: Set<string>, token: string): boolean {
  const isKnown = tokens.delete(token);
  tokens.add(token);
  if (tokens.size > MAX_TOKENS) {
    const [eldest] = tokens;
    tokens.delete(eldest as string);
  }
  return !isKnown;
}
