/** A clock that only moves when a test moves it. */
export class Clock {
  #now = 1_800_000_000_000;
  /** Milliseconds since the epoch. */
  read = () => this.#now;

  get seconds() {
    return this.#now / 1000;
  }

  /** @param {number} seconds */
  advance(seconds) {
    this.#now += seconds * 1000;
  }
}
