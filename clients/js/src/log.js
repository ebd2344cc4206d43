const PAUSE_MS = 60_000;
const REMEMBERED_MAX = 100;

/** @typedef {(text: string) => void} Log */

/**
 * Returns a function that writes a line to the log, the same line at most once a minute. Requests of strangers cause
 * lines, so the number of remembered lines is bounded.
 *
 * @param {() => number} clock milliseconds since the epoch
 * @param {Log} [write]
 * @returns {Log}
 */
export function makeLog(clock, write = (text) => console.warn(text)) {
  const written = /** @type {Map<string, number>} */ (new Map());
  return (text) => {
    if (clock() - (written.get(text) ?? -Infinity) < PAUSE_MS) return;
    if (written.size >= REMEMBERED_MAX) written.clear();
    written.set(text, clock());
    write(`latchkey-client: ${text}`);
  };
}
