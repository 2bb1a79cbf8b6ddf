// Asks the admin listener. Its token and Qdrant's key live in this module's variables and nowhere else.
let token = "";
let apiKey = "";
let askForToken = null; // () => Promise<string>, see main.js
let asking = null; // one dialog, however many requests wait for it

// What a header can hold; a browser refuses the rest as if nobody answered.
const fits = (secret) => /^[\x21-\x7e]*$/.test(secret);

/** Empty, or why this cannot be a key. */
export function setApiKey(key) {
  apiKey = fits(key) ? key : "";
  return fits(key) ? "" : "It holds a space, or a character beyond ASCII.";
}
export const hasApiKey = () => apiKey !== "";
export const onTokenNeeded = (ask) => { askForToken = ask; };

/** What went wrong; `status` is Qdrant's own where it answered. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function send(path, body) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (apiKey) headers["api-key"] = apiKey;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new ApiError("qrerank does not answer. Is it still running?");
  }
}

async function answered(path, body) {
  for (let typed = ""; ;) {
    const response = await send(path, body);
    if (response.status !== 401) return response;
    asking ??= askForToken(typed !== "").finally(() => { asking = null; });
    typed = await asking;
    token = fits(typed) ? typed : "";
  }
}

/** The JSON of an answer; `body` makes it a POST. */
export async function ask(path, body) {
  const response = await answered(path, body);
  const said = await response.json().catch(() => ({ error: `an answer that is not JSON (${response.status})` }));
  if (!response.ok) throw new ApiError(said.error ?? response.statusText, said.status);
  return said;
}
