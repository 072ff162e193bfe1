/** What the ejection of an endpoint is decided on. */

/** The record of one endpoint: this interval's counts, and its ejections. */
export class Health {
  successes = 0;
  failures = 0;
  failedInARow = 0;
  timesEjected = 0;
  /** Undefined while it is not ejected. */
  ejectedUntil: number | undefined;
  /** Since when it has been as it is, ejected or not. */
  since: number;

  constructor(now: number) {
    this.since = now;
  }

  /** Attempts of this interval. */
  get volume(): number {
    return this.successes + this.failures;
  }

  /** Of this interval, from 0 to 1; there must have been an attempt. */
  get successRate(): number {
    return this.successes / this.volume;
  }

  count(isSuccess: boolean): void {
    if (isSuccess) {
      this.successes += 1;
      this.failedInARow = 0;
    } else {
      this.failures += 1;
      this.failedInARow += 1;
    }
  }

  forgetInterval(): void {
    this.successes = this.failures = 0;
  }

  eject(until: number, now: number): void {
    this.ejectedUntil = until;
    this.since = now;
    this.failedInARow = 0;
  }

  restore(at: number): void {
    this.ejectedUntil = undefined;
    this.since = at;
    this.forgetInterval();
  }
}
