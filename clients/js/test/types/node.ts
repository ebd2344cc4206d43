// Compiled, never run: the types of the verifier as apps of the three frameworks use them.
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import {
    latchkey,
    LatchkeyError,
    type Latchkey,
    type Options,
    type Requirements,
    type User,
} from "latchkey-client/node";

declare global {
    namespace Express {
        interface Request {
            user?: User;
        }
    }
}
declare module "fastify" {
    interface FastifyRequest {
        user?: User;
    }
}

const options: Options = { issuer: "https://accounts.example", apiKey: process.env.KEY ?? "lk_x", whenStale: "refuse" };
const auth: Latchkey = latchkey(options);
const admins: Requirements = { role: "admin", maxAge: 300, amr: ["mfa"] };

const user: User = await auth.verify("token");
const about: [number, string, string | null, readonly string[], number | null, number | null] = [
    user.id,
    user.sessionId,
    user.role,
    user.amr,
    user.authTime,
    user.actorId,
];
const claim: unknown = user.claims.app;
console.log(about, claim);

const expressApp = express();
expressApp.use(auth.express());
expressApp.get("/", auth.express(admins), (req, res) => void res.json(req.user?.id));

const fastifyApp = Fastify();
fastifyApp.addHook("onRequest", auth.fastify());
fastifyApp.get("/", { onRequest: auth.fastify(admins) }, async (request) => request.user?.id);
fastifyApp.get("/both", { onRequest: [auth.fastify(), auth.fastify(admins)] }, async () => "in");

const honoApp = new Hono<{ Variables: { user: User } }>();
honoApp.use("/admin/*", auth.hono(admins));
honoApp.get("/", auth.hono(), (c) => c.json(c.get("user").id));
new Hono().use(auth.hono());

try {
    await auth.verify("token");
} catch (error) {
    if (error instanceof LatchkeyError && error.code === "TOKEN_EXPIRED") console.log(error.status, error.cause);
}
auth.close();

// @ts-expect-error The issuer is missing.
latchkey({});
// @ts-expect-error A misspelt option.
latchkey({ issuer: "https://accounts.example", orgins: [] });
// @ts-expect-error A misspelt requirement.
auth.express({ roles: "admin" });
// @ts-expect-error A list is wanted.
auth.hono({ amr: "mfa" });
// @ts-expect-error What a token gives cannot be changed.
user.amr.push("mfa");
// @ts-expect-error No such code.
if (new LatchkeyError("INVALID_TOKEN").code === "EXPIRED") console.log();
