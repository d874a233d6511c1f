/** A set that mostly has one member: thousands of them are kept, and a `Set` for each would take most of their memory. */
export class Few<Member extends object> implements Iterable<Member> {
  private only: Member | null = null;
  private all: Set<Member> | null = null;

  get size(): number {
    return this.all?.size ?? (this.only === null ? 0 : 1);
  }

  add(member: Member): void {
    if (this.all !== null) this.all.add(member);
    else if (this.only === null || this.only === member) this.only = member;
    else {
      this.all = new Set([this.only, member]);
      this.only = null;
    }
  }

  /** Whether it was there. */
  delete(member: Member): boolean {
    if (this.all !== null) return this.all.delete(member);
    const isThere = this.only === member;
    if (isThere) this.only = null;
    return isThere;
  }

  [Symbol.iterator](): Iterator<Member> {
    return (this.all ?? (this.only === null ? [] : [this.only]))[Symbol.iterator]();
  }
}
