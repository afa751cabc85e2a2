/**
 * The desk's own files in the browser, so that it opens without a line. `SHELL` is written by the relay (`/worker.js`):
 * every file with its SHA-256. A worker serves the files of its own version only, so old and new modules are never mixed:
 * a new version is fetched beside the old one, checked, and used once no page of the old one is open.
 * Nothing about a patient passes here: calls to `/api` and `/fhir` go straight to the relay.
 */

"use strict";
{
  /** @type {any} */
  const worker = self;
  /** @type {{version: string, policy: string, files: Record<string, string>}} */
  const shell = worker.SHELL;
  const PREFIX = "chevet-shell-";
  const NAME = PREFIX + shell.version;
  /** Says of a kept file what it is: content, and the policy it was sent with. */
  const TAG = "x-chevet-shell";
  /** So many files at once: a thin line stays usable while a version is fetched. */
  const LANES = 4;

  /** @param {string} path */
  const tagOf = (path) => `${shell.files[path]} ${shell.policy}`;

  /** @param {ArrayBuffer} bytes */
  const hashOf = async (bytes) => {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  /** What an earlier version kept of a file that did not change. @param {string} path @param {Cache[]} earlier */
  const keptBefore = async (path, earlier) => {
    for (const cache of earlier) {
      const found = await cache.match(path);
      if (found?.headers.get(TAG) === tagOf(path)) return found;
    }
    return null;
  };

  /** Fetch one file as this version names it, or throw. @param {string} path */
  const fetched = async (path) => {
    const answer = await fetch(path, { cache: "no-cache", credentials: "omit" });
    const bytes = await answer.arrayBuffer();
    if (!answer.ok || (await hashOf(bytes)) !== shell.files[path]) throw new Error(`${path} is not of this version`);
    const headers = new Headers(answer.headers);
    headers.delete("content-encoding");
    headers.delete("content-length");
    headers.set(TAG, tagOf(path));
    return new Response(bytes, { headers });
  };

  const install = async () => {
    const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
    const earlier = await Promise.all(others.map((name) => caches.open(name)));
    const cache = await caches.open(NAME);
    const waiting = Object.keys(shell.files);
    const lane = async () => {
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
        if ((await cache.match(path))?.headers.get(TAG) === tagOf(path)) continue;
        await cache.put(path, (await keptBefore(path, earlier)) ?? (await fetched(path)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };

  const forgetEarlier = async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
    await Promise.all(names.map((name) => caches.delete(name)));
  };

  /** @param {string} path */
  const serve = async (path) => (await (await caches.open(NAME)).match(path)) ?? fetched(path);

  /** A page asks for the new version: only where no other page still runs on the old one. @param {MessagePort | undefined} reply */
  const use = async (reply) => {
    const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    if (pages.length > 1) return reply?.postMessage("others");
    await worker.skipWaiting();
    reply?.postMessage("used");
  };

  worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
  worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(forgetEarlier()));
  worker.addEventListener("message", (/** @type {any} */ event) => {
    if (event.data === "use") event.waitUntil(use(event.ports[0]));
  });
  worker.addEventListener("fetch", (/** @type {any} */ event) => {
    const { origin, pathname } = new URL(event.request.url);
    if (event.request.method === "GET" && origin === worker.location.origin && pathname in shell.files) event.respondWith(serve(pathname));
  });
}
