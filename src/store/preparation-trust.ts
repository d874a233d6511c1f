/** A failure weighs as much as so many successes. */
const WEIGHT = 10;
/** So many failures in a row end the trust; so do fewer, if they keep coming more often than one read in eleven. */
const MOST_IN_A_ROW = 20;

/**
 * Whether it is still worth preparing statements. On a healthy pool one gets lost now and then (`DISCARD ALL`, a limit of
 * the server that was reached for a while), and is prepared again. A pooler that keeps none loses them again and again;
 * then each read would cost two.
 */
export class PreparationTrust {
  private doubt = 0;
  isLost = false;

  succeeded(): void {
    if (this.doubt > 0) this.doubt--;
  }

  /** Whether this was the failure that ended it. */
  failed(): boolean {
    if (this.isLost) return false;
    this.doubt += WEIGHT;
    this.isLost = this.doubt > WEIGHT * (MOST_IN_A_ROW - 1);
    return this.isLost;
  }
}
