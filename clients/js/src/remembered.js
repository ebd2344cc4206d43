/**
 * A map that forgets its oldest entry when it is full.
 *
 * @template V
 */
export class Remembered {
  #entries = /** @type {Map<string, V>} */ (new Map());
  #max;

  /** @param {number} max number of entries */
  constructor(max) {
    this.#max = max;
  }

  get size() {
    return this.#entries.size;
  }

  /** @param {string} key */
  get(key) {
    return this.#entries.get(key);
  }

  /** @param {string} key @param {V} value */
  set(key, value) {
    this.#entries.delete(key);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size >= this.#max && !oldest.done) this.#entries.delete(oldest.value);
    this.#entries.set(key, value);
  }

  /** @param {string} key */
  delete(key) {
    this.#entries.delete(key);
  }
}
