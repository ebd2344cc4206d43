import { isCompact } from "./token.js";

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];
const WHITE_SPACE = " \t";

/**
 * What is read of a request. `header` returns the value of a header by its lower-case name, repeated ones joined as in
 * RFC 9110 section 5.3.
 *
 * @typedef {{ method: string, header: (name: string) => string | undefined }} Request
 */

/**
 * Returns a view of one of Node's requests. Reads `rawHeaders`, since `headers` hides that a header came twice.
 *
 * @param {{ method?: string | undefined, rawHeaders: string[] }} raw
 * @returns {Request}
 */
export function viewOf({ method = "", rawHeaders }) {
  return {
    method,
    header(name) {
      const values = rawHeaders.filter((_, at) => at % 2 && rawHeaders[at - 1]?.toLowerCase() === name);
      return values.length ? values.join(name === "cookie" ? "; " : ", ") : undefined;
    },
  };
}

/**
 * Returns the access token of a request, from the Authorization header (RFC 6750) or the cookie, or why none counts.
 *
 * @param {Request} request
 * @param {string} cookieName
 * @returns {{ isBearer: boolean, token: string } | { isBearer: boolean, refusal: import("./refusal.js").Code }}
 */
export function findToken({ header }, cookieName) {
  const authorization = /^bearer(?: +(.*))?$/i.exec(header("authorization") ?? "");
  const cookies = readCookies(header("cookie") ?? "", cookieName);
  // `Bearer null` and the like, which some clients always send, do not count beside a cookie.
  if (cookies.length && isCompact(authorization?.[1])) return { isBearer: true, refusal: "AMBIGUOUS_CREDENTIALS" };
  // A sibling domain may have planted one of them.
  if (cookies.length > 1) return { isBearer: false, refusal: "INVALID_TOKEN" };
  if (cookies[0]) return { isBearer: false, token: cookies[0] };
  if (authorization) return { isBearer: true, token: authorization[1] ?? "" };
  return { isBearer: false, refusal: "UNAUTHORIZED" };
}

/**
 * Tells whether a request with a cookie may come from a page of another site: browsers attach cookies to those, too.
 * Returns why it may, or undefined.
 *
 * @param {Request} request
 * @param {ReadonlySet<string>} origins
 */
export function crossSiteCause({ method, header }, origins) {
  if (SAFE_METHODS.includes(method)) return undefined;
  const origin = header("origin");
  if (origin === undefined) {
    const isSameOrigin = header("sec-fetch-site") === "same-origin";
    return isSameOrigin ? undefined : "it has neither Origin nor Sec-Fetch-Site: same-origin";
  }
  const host = header("host")?.toLowerCase();
  // With either scheme, because TLS may end at a proxy.
  if (origins.has(origin) || (host && [`https://${host}`, `http://${host}`].includes(origin))) return undefined;
  // Strangers choose these texts. Quoted, they cannot forge a line of the log.
  return `its Origin ${quote(origin)} is neither that of its Host ${quote(host)} nor in origins`;
}

/** @param {string | undefined} text */
const quote = (text = "") => JSON.stringify(text.slice(0, 200));

/**
 * Returns the values of the cookies with that name, without empty ones. Only space and tab are white space around a
 * name (RFC 6265 section 5.2). With others, another cookie could pass for this one.
 *
 * @param {string} header
 * @param {string} name
 */
function readCookies(header, name) {
  const values = [];
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at >= 0 && trim(pair.slice(0, at)) === name) values.push(trim(pair.slice(at + 1)));
  }
  return values.filter(Boolean);
}

/** @param {string} text */
function trim(text) {
  let [start, end] = [0, text.length];
  while (start < end && WHITE_SPACE.includes(text.charAt(start))) start++;
  while (end > start && WHITE_SPACE.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
