/** Calls to the box or the relay: JSON both ways, one form of error (docs/api.md). */

import { has, t } from "/shared/i18n.js";

/** An error the server coded, or `unreachable` when it did not answer. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} field @param {string} message */
  constructor(status, code, field = "", message = code) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  /** The sentence to show, in the page's language. */
  get sentence() {
    const nearer = `error.${this.code}.${this.field}`;
    if (this.field && has(nearer)) return t(nearer);
    return has(`error.${this.code}`) ? t(`error.${this.code}`) : t("error.other");
  }
}

/** A page that can read without a line says so here; others leave it as it is. */
const away = {
  /** Whether something was kept of this address. @type {(path: string) => boolean} */ has: () => false,
  /** What was kept of it. @type {(path: string) => Promise<Response | null>} */ kept: async () => null,
  /** Whether the server answered just now. @type {(there: boolean) => void} */ told: () => undefined,
};
/** So long the server may think where a kept answer would do. */
const PATIENCE_MS = 6000;

/** @param {Partial<typeof away>} how */
export function whenAway(how) {
  Object.assign(away, how);
}

/** What stands before a server says 502 to 504 for it when it is not there, in its own words. @param {Response} response */
function isNobody(response) {
  return response.status >= 502 && response.status <= 504 && !response.headers.get("Content-Type")?.includes("json");
}

/** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} the server's answer, or what was kept of it */
async function reach(path, init = {}) {
  const reads = (init.method ?? "GET") === "GET";
  const signal = reads && away.has(path) ? AbortSignal.timeout(PATIENCE_MS) : undefined;
  const response = await fetch(path, { ...init, signal }).catch(() => null);
  const there = response !== null && !isNobody(response);
  away.told(there);
  if (there) return response;
  const kept = reads ? await away.kept(path) : null;
  if (kept) return kept;
  throw new ApiError(0, "unreachable");
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} the decoded answer; null for 204
 */
export async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = { "X-Chevet": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await reach(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const error = answer?.error ?? {};
  throw new ApiError(response.status, error.code ?? "other", error.field ?? "", error.message);
}

/** @param {string} path */
export const get = (path) => call("GET", path);
/** @param {string} path @param {unknown} [body] */
export const post = (path, body = {}) => call("POST", path, body);
/** @param {string} path @param {unknown} body */
export const put = (path, body) => call("PUT", path, body);
/** @param {string} path @param {unknown} body */
export const patch = (path, body) => call("PATCH", path, body);
/** @param {string} path */
export const remove = (path) => call("DELETE", path);

/** Bytes of a wave frame. @param {string} path @returns {Promise<ArrayBuffer>} */
export async function bytes(path) {
  const response = await reach(path);
  if (response.ok) return response.arrayBuffer();
  const answer = await response.json().catch(() => null);
  throw new ApiError(response.status, answer?.error?.code ?? "other", answer?.error?.field ?? "");
}

/** Speech for the other end to code. @param {string} path @param {ArrayBuffer} samples @returns {Promise<Blob>} the sound as it would travel */
export async function speak(path, samples) {
  const headers = { "X-Chevet": "1", "Content-Type": "application/octet-stream" };
  const response = await fetch(path, { method: "POST", headers, body: samples }).catch(() => {
    throw new ApiError(0, "unreachable");
  });
  if (response.ok) return response.blob();
  const answer = await response.json().catch(() => null);
  throw new ApiError(response.status, answer?.error?.code ?? "other", answer?.error?.field ?? "");
}
