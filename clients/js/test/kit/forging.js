import { createHmac } from "node:crypto";

/** @param {unknown} value */
const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/**
 * Puts a token together without the checks of a library, so that it can be wrong in every way.
 *
 * @param {unknown} header
 * @param {unknown} claims
 * @param {(text: string) => Promise<Buffer> | Buffer} sign
 */
export async function forge(header, claims, sign) {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${(await sign(signed)).toString("base64url")}`;
}

/** @param {import("./issuer.js").SigningKey} key @returns {(text: string) => Promise<Buffer>} */
export function signerWith({ alg, privateKey }) {
  const algorithm = alg === "ES256" ? { name: "ECDSA", hash: "SHA-256" } : "Ed25519";
  return async (text) => Buffer.from(await crypto.subtle.sign(algorithm, privateKey, Buffer.from(text)));
}

/** @param {string | Buffer} secret @returns {(text: string) => Buffer} */
export const macWith = (secret) => (text) => createHmac("sha256", secret).update(text).digest();
