import { spawn } from "node:child_process";
import { eventually } from "./waiting.js";

const EXIT_SECONDS = 20;

/**
 * Starts a program in Node: a file, or a module given as text.
 *
 * @param {{ file?: string, text?: string, cwd?: string, env?: Record<string, string> }} program
 */
export function start({ file, text = "", cwd, env = {} }) {
  const what = file ? [file] : ["--input-type=module", "--eval", text];
  const child = spawn(process.execPath, what, { cwd, env: { PATH: process.env.PATH, ...env } });
  let output = "";
  child.stdout.on("data", (part) => void (output += part));
  child.stderr.on("data", (part) => void (output += part));
  const exited = new Promise((resolve) => child.on("close", resolve));
  return {
    printed: () => output,
    /** Waits until it has printed that, and returns the match. @param {RegExp} pattern */
    prints: (pattern) => eventually(() => pattern.exec(output) ?? (child.exitCode !== null && fail(output))),
    /** Waits until it has ended by itself, and returns its exit code. */
    async exits() {
      const timer = setTimeout(() => child.kill("SIGKILL"), EXIT_SECONDS * 1000);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
    terminate: () => void child.kill("SIGTERM"),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** @param {string} output @returns {false} */
function fail(output) {
  throw new Error(`it ended:\n${output}`);
}
