/** What is not understood is refused in a sentence, and then nothing is written. */
export class Refusal extends Error {
  constructor(what: string, remedy: string) {
    super(`${what} ${remedy} Nothing was changed.`);
    this.name = 'Refusal';
  }
}
