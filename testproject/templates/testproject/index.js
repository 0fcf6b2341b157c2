const form = document.getElementById("request");
const part = (id) => document.getElementById(id);
const show = (id, text) => { part(id).textContent = text; };
const pretty = (text) => { try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; } };
const utf8 = (text) => new TextEncoder().encode(text);
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const newKey = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const ownKey = newKey();  // as long as the page is open; nobody can export the private key
let sent = null;  // the last request, to explain it

async function proofBy(key, method, url, token) {  // RFC 9449 section 4.2
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
  const ath = token === null ? {} : { ath: base64url(await crypto.subtle.digest("SHA-256", utf8(token))) };
  const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), ...ath };
  const segments = [{ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }, claims];
  const input = segments.map((segment) => base64url(utf8(JSON.stringify(segment)))).join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, utf8(input));
  return `${input}.${base64url(signature)}`;
}

const metadata = fetch(part("metadata-link").href, { cache: "no-store" }).then(async (answer) => {
  const document = await answer.json();
  show("metadata", answer.ok ? JSON.stringify(document, null, 2) : "(nothing: the setting RESOURCE_METADATA is not set)");
  return document;
});

async function mint(choice, isBound) {
  const { resource } = await metadata;  // whom the token is for (RFC 8707)
  const wanted = new URLSearchParams({ grant_type: "client_credentials", ...(resource && { resource }), ...choice });
  const endpoint = form.dataset.tokenEndpoint;
  const headers = isBound ? { DPoP: await proofBy(await ownKey, "POST", endpoint, null) } : {};
  const answer = await fetch(endpoint, { method: "POST", body: wanted, headers });
  const document = await answer.json();
  if (!answer.ok) throw new Error(document.error_description || document.error);
  return document.access_token;
}

async function headersOf(token, binding, url) {
  if (token === null) return {};
  if (["none", "bearer"].includes(binding)) return { Authorization: `Bearer ${token}` };
  const key = binding === "other" ? newKey() : ownKey;
  return { Authorization: `DPoP ${token}`, DPoP: await proofBy(await key, "GET", url, token) };
}

function payloadOf(jws) {
  if (!jws.includes(".")) return "(only the authorization server knows)";
  const bytes = Uint8Array.from(atob(jws.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return pretty(new TextDecoder().decode(bytes));
}

async function send() {
  const { path, binding, ...choice } = Object.fromEntries(new FormData(form));
  const token = choice.kind === "none" ? null : await mint(choice, binding !== "none");
  const headers = await headersOf(token, binding, `${location.origin}${path}`);
  if (binding === "used") await fetch(path, { headers, cache: "no-store" });
  const answer = await fetch(path, { headers, cache: "no-store" });
  const authorization = token === null ? "" : `\nAuthorization: ${headers.Authorization}`;
  show("sent", `GET ${path}${authorization}${headers.DPoP ? "\nDPoP: (the proof)" : ""}`);
  show("payload", token === null ? "(no token)" : payloadOf(token));
  show("proof", headers.DPoP ? payloadOf(headers.DPoP) : "(no proof)");
  show("body", pretty(await answer.text()));
  show("challenge", answer.headers.get("WWW-Authenticate") || "(none)");
  sent = { path, headers };
  part("explain").disabled = token === null;
  part("exchange").hidden = false;
  show("status", `${answer.status} ${answer.statusText}`);
}

async function explain() {
  const body = new URLSearchParams({ path: sent.path });
  const answer = await fetch("/explain", { method: "POST", headers: sent.headers, body, cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  const { verdict, rules, not_checked } = await answer.json();
  part("rules").replaceChildren(...rules.map(({ passed, rule, detail }) => {
    const row = document.createElement("tr");
    const [result, kind] = { true: ["ok", "ok"], false: ["no", "no"], null: ["?", "unknown"] }[passed];
    for (const [name, text] of [["td", result], ["th", rule], ["td", detail]]) {
      row.append(Object.assign(document.createElement(name), { textContent: text }));
    }
    row.className = kind;
    row.children[1].scope = "row";
    return row;
  }));
  part("explanation").hidden = false;
  show("verdict", `The token is ${verdict}. Not checked: ${not_checked.join(", ")}.`);
}

function forget() {
  for (const id of ["status", "verdict"]) show(id, "");
  for (const id of ["waiting", "exchange", "explanation"]) part(id).hidden = true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  forget();
  try { await send(); } catch (error) { show("status", `No request was sent: ${error.message}`); }
});

part("explain").addEventListener("click", async () => {
  show("verdict", "");
  try { await explain(); } catch (error) { show("verdict", `There is no explanation: ${error.message}`); }
});
