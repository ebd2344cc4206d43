const SECONDS = 20;

/**
 * Returns the first value of `probe` that is not false or undefined. Rejects after 20 seconds.
 *
 * @template T
 * @param {() => T | Promise<T>} probe
 * @returns {Promise<Exclude<T, false | undefined>>}
 */
export async function eventually(probe) {
  for (const deadline = Date.now() + SECONDS * 1000; Date.now() < deadline;) {
    const value = await probe();
    if (value !== false && value !== undefined) return /** @type {Exclude<T, false | undefined>} */ (value);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${SECONDS} s: ${probe}`);
}
