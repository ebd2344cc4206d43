// Verifies Latchkey's access tokens in Node, for APIs whose users sign in at Latchkey. README.md says how to use it.
import { assemble } from "./assemble.js";

export { LatchkeyError } from "./refusal.js";

/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./options.js").Requirements} Requirements */
/** @typedef {import("./token.js").User} User */
/** @typedef {ReturnType<typeof assemble>} Latchkey */

/**
 * Returns a verifier of the access tokens of one Latchkey. Make one for the whole process: it keeps the keys, and with
 * `apiKey` it follows which sessions have ended. Throws TypeError for wrong options.
 *
 * @param {Options} options
 * @returns {Latchkey}
 */
export const latchkey = (options) => assemble(options, Date.now);
