// Makes dist, the content of the package: src, the browser client that Latchkey itself serves, and the types of both.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

rmSync(here("dist"), { recursive: true, force: true });
cpSync(here("src"), here("dist"), { recursive: true });
cpSync(here("../../src/latchkey/features/browser_client/client.js"), here("dist/client.js"));
execFileSync(process.execPath, [here("node_modules/typescript/bin/tsc"), "--project", here("tsconfig.build.json")], {
  stdio: "inherit",
});
