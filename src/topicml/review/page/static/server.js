// What is asked of the server. Nothing counts as done before it has answered.

export class Refused extends Error {}
export class Gone extends Error {}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(`/api/review${path}`, { credentials: "same-origin", ...options });
  } catch {
    throw new Gone("the server does not answer");
  }
  if (answer.ok) return answer.json();
  if (answer.status === 429 || answer.status >= 502) throw new Gone("the server is busy");
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(problem.detail ?? `the server answered ${answer.status}`);
}

export const get = (path) => ask(path, {});

export const post = (path, body = {}) => ask(path, {
  method: "POST", body: JSON.stringify(body), keepalive: path === "/place", headers: { "Content-Type": "application/json" },
});

export const upload = (path, form) => ask(path, { method: "POST", body: form });
