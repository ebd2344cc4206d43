// Prints the time of a verification, the first and a remembered one, of both algorithms. Start: npm run measure
import { assemble } from "../src/assemble.js";
import { Clock } from "./kit/clock.js";
import { makeKey, startIssuer } from "./kit/issuer.js";

const TOKENS = 2_000;
const ROUNDS = 5;
const clock = new Clock();

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

for (const alg of ["ES256", "EdDSA"]) {
  const issuer = await startIssuer(clock, [await makeKey(alg)]);
  const tokens = [];
  for (let count = 0; count < TOKENS; count++) tokens.push(await issuer.sign({ jti: crypto.randomUUID() }));
  /** @type {number[][]} */
  const times = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const auth = assemble({ issuer: issuer.url }, clock.read);
    // The keys are fetched, and the code is compiled, before the time counts.
    await auth.verify(await issuer.sign());
    for (const each of times) {
      const began = performance.now();
      for (const token of tokens) await auth.verify(token);
      each.push(((performance.now() - began) * 1000) / TOKENS);
    }
  }
  const [first, remembered] = times.map(median);
  console.log(`${alg}: ${first?.toFixed(0)} µs the first time, ${remembered?.toFixed(1)} µs remembered`);
  issuer.close();
}
