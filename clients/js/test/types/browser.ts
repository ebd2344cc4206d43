// Compiled, never run: the types of the browser client as a front end uses them.
import { createClient, LatchkeyError, type Session, type User } from "latchkey-client";

const auth = createClient({ baseUrl: "https://accounts.example" });
const user: User = await auth.login({ email: "ann@example.com", password: "Secret123!" });
const again: User | null = await auth.me();
const sessions: Session[] = await auth.sessions();
const ended: number = await auth.endOtherSessions();
const stop: () => void = auth.onSignedOut(() => console.log(user.name, again?.id, sessions[0]?.device, ended));
const response: Response = await auth.fetch("/api/notes", { method: "POST" });
await auth.request("PATCH", "/users/1", { name: "New" });
stop();
auth.close();

try {
    await auth.logout();
} catch (error) {
    if (error instanceof LatchkeyError)
        console.log(response.status, error.status, error.code.length, error.errors[0]?.field);
}

// @ts-expect-error A password is missing.
await auth.login({ email: "ann@example.com" });
// @ts-expect-error A path begins with a slash.
await auth.request("GET", "users");
// @ts-expect-error No such method.
await auth.signIn();
