import { errors, decodeProtectedHeader, jwtVerify } from "jose";
import { LatchkeyError } from "./refusal.js";

const MAX_CHARS = 4096;
/** Base64url whose last character has no unused bits set, so that a token has one spelling. */
const PART = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
const COMPACT = new RegExp(`^${PART}\\.${PART}\\.${PART}$`);
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ID_MAX = 2_147_483_647;
const CLOCK_SKEW_SECONDS = 30;

/**
 * The user of a verified token. What the token does not say is null, and `amr` then empty.
 *
 * @typedef {object} User
 * @property {number} id
 * @property {string} sessionId
 * @property {string | null} role "user" or "admin"
 * @property {readonly string[]} amr how the user signed in (RFC 8176), such as "pwd" and "mfa"
 * @property {number | null} authTime when the user last proved who they are, in seconds since the epoch
 * @property {number | null} actorId the admin who acts as this user, if one does
 * @property {Readonly<Record<string, unknown>>} claims all claims of the token, read-only
 */

/** @typedef {import("./keys.js").Key} Key */

/**
 * Tells whether a text has the form of a signed token. Nothing is decoded.
 *
 * @param {unknown} text
 * @returns {text is string}
 */
export function isCompact(text) {
  return typeof text === "string" && text.length <= MAX_CHARS && COMPACT.test(text);
}

/**
 * Returns the header of a token. Members other than `kid` that name or bring keys (`jku`, `jwk`, `x5u`, `x5c`) are
 * never used.
 *
 * @param {string} token
 */
export function readHeader(token) {
  if (!isCompact(token)) throw invalid("it is no signed token");
  let header;
  try {
    header = decodeProtectedHeader(token);
  } catch (error) {
    throw invalid(error);
  }
  // RFC 7515 section 4.1.11: this code knows no extension.
  if ("crit" in header) throw invalid("crit is not supported");
  return header;
}

/**
 * Returns the user of an access token that this key has signed for this audience. The token may be expired: its `exp`
 * is checked at every use.
 *
 * @param {string} token
 * @param {Key} key
 * @param {{ issuer: string, audience: string, now: number, log: import("./log.js").Log }} expected `now`: milliseconds
 * @returns {Promise<User>}
 */
export async function readUser(token, { key, alg }, { issuer, audience, now, log }) {
  // The key decides on the algorithm, never the token (RFC 8725 section 3.1).
  const options = { algorithms: [alg], issuer, audience, currentDate: new Date(now) };
  const claims = await jwtVerify(token, key, options).then(
    ({ payload }) => payload,
    (error) => {
      // Thrown after all other checks of jose.
      if (error instanceof errors.JWTExpired) return error.payload;
      if (error instanceof errors.JWTClaimValidationFailed) {
        // The signature is good, so this is more likely a wrong option than an attack.
        log(`a token of Latchkey was refused: ${error.message}, it is ${JSON.stringify(error.payload[error.claim])}`);
      }
      throw error instanceof errors.JOSEError ? invalid(error) : error;
    },
  );
  return userOf(claims, Math.floor(now / 1000));
}

/**
 * @param {import("jose").JWTPayload} claims
 * @param {number} now seconds
 * @returns {User}
 */
function userOf(claims, now) {
  const { id, sub, sid, jti, typ, iat, exp, client_id, role = null, amr = [], auth_time = null, act } = claims;
  if (typ !== "access") throw invalid("typ is not access");
  // RFC 9068: an OAuth client's token, which may have the same audience.
  if (client_id !== undefined) throw invalid("client_id is set");
  if (!isId(id) || sub !== String(id)) throw invalid("id or sub");
  if (typeof sid !== "string" || !UUID.test(sid)) throw invalid("sid");
  if (typeof jti !== "string" || !jti) throw invalid("jti");
  if (!isTime(exp) || !isTime(iat) || iat > now + CLOCK_SKEW_SECONDS) throw invalid("iat or exp");
  if (role !== null && typeof role !== "string") throw invalid("role");
  if (!isListOfStrings(amr)) throw invalid("amr");
  if (auth_time !== null && !isTime(auth_time)) throw invalid("auth_time");
  const actorId = act === undefined ? null : Number(/** @type {any} */ (act)?.sub);
  if (actorId !== null && !isId(actorId)) throw invalid("act");
  return { id, sessionId: sid, role, amr, authTime: auth_time, actorId, claims: deepFreeze(claims) };
}

/** @param {unknown} cause */
const invalid = (cause) => new LatchkeyError("INVALID_TOKEN", cause);

/**
 * @param {unknown} value
 * @returns {value is number}
 */
const isId = (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= ID_MAX;

/**
 * @param {unknown} value
 * @returns {value is number}
 */
const isTime = (value) => Number.isSafeInteger(value) && Number(value) > 0;

/**
 * @param {unknown} value
 * @returns {value is string[]}
 */
const isListOfStrings = (value) => Array.isArray(value) && value.every((each) => typeof each === "string");

/**
 * Requests share what is remembered of a token, so none may change it.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
function deepFreeze(value) {
  if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
