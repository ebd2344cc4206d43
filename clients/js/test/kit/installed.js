import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const REPOSITORY = path.join(ROOT, "../..");
/** What somebody who installs the package and a framework has. The rest of their dependencies is found from there. */
const BESIDE = ["jose", "express", "fastify", "hono", "@hono/node-server"];
export const EXAMPLES = ["express", "fastify", "hono"];

/** Packs the package as `npm publish` does, and unpacks it into a project of its own. Returns the project's folder. */
export function installPacked() {
  const project = mkdtempSync(path.join(tmpdir(), "latchkey-client-"));
  const options = { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] };
  execFileSync("npm", ["pack", "--silent", "--pack-destination", project], /** @type {any} */ (options));
  const [tarball = ""] = readdirSync(project);
  mkdirSync(path.join(project, "node_modules/latchkey-client"), { recursive: true });
  mkdirSync(path.join(project, "node_modules/@hono"));
  execFileSync("tar", ["-xzf", tarball, "-C", "node_modules/latchkey-client", "--strip-components=1"], {
    cwd: project,
  });
  for (const name of BESIDE)
    symlinkSync(path.join(ROOT, "node_modules", name), path.join(project, "node_modules", name));
  for (const name of EXAMPLES) copyFileSync(exampleFile(name), path.join(project, `${name}.mjs`));
  return project;
}

/** @param {string} name */
export const exampleFile = (name) => path.join(REPOSITORY, "examples", name, "server.js");
/** The one source of the browser client, which Latchkey serves. */
export const CLIENT = path.join(REPOSITORY, "src/latchkey/features/browser_client/client.js");

// `node installed.js` prints the folder: for tests that are not in JavaScript.
if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(installPacked());
