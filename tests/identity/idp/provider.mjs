// An OpenID provider on loopback. Its own development pages take any name and password; whoever is called NAME has the
// address NAME@shop.example and is in the groups that stand in GROUPS.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules, clientId, clientSecret, redirect] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`).href);

const GROUPS = { ada: ["db-admins", "staff"], bob: ["staff"], eve: [] };

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  jwks: { keys: [{ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), use: "sig" }] },
  acrValues: ["mfa"],
  claims: { openid: ["sub", "acr"], email: ["email", "email_verified"], groups: ["groups"] },
  scopes: ["openid", "email", "groups"],
  findAccount: (_, name) => ({
    accountId: name,
    claims: () => ({
      sub: name,
      email: `${name}@shop.example`,
      email_verified: name !== "eve",
      groups: GROUPS[name] ?? [],
    }),
  }),
  pkce: { required: () => true },
  cookies: { keys: ["not a secret: this provider forgets all when it ends"] },
});
server.on("request", provider.callback());
process.stdout.write(`${issuer}\n`);
process.stdin.on("end", () => process.exit(0)).resume();
