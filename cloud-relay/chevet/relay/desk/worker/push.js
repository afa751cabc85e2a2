/**
 * Alerts: shows what the relay pushes, and opens the inbox. What comes holds no word about a case; title and text are
 * written by the relay in the reader's language. One notice stands at a time: the newest says that something waits.
 */

"use strict";
{
  /** @type {any} */
  const worker = self;
  const TAG = "chevet-alert";
  /** What a browser shows of a push that cannot be read: it must show something. */
  const BARE = { title: "Chevet", body: "", lang: "", dir: "auto", urgent: false };

  /** @param {any} data of a push event */
  const read = (data) => {
    try {
      const said = data.json();
      return typeof said.title === "string" ? { ...BARE, ...said } : BARE;
    } catch {
      return BARE;
    }
  };

  /** @param {any} said */
  const show = (said) =>
    worker.registration.showNotification(said.title, {
      body: said.body,
      lang: said.lang,
      dir: said.dir,
      tag: TAG,
      renotify: true,
      requireInteraction: said.urgent,
      icon: "/desk/app/icon-192.png",
    });

  /** Show a page of the desk that is open already, else open one. */
  const openInbox = async () => {
    const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    const desk = pages.find((/** @type {any} */ page) => new URL(page.url).pathname === "/");
    if (!desk) return worker.clients.openWindow("/");
    await desk.focus().catch(() => undefined); // some browsers do not let a worker
    return desk.postMessage("inbox");
  };

  worker.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(show(read(event.data))));
  worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
    event.notification.close();
    event.waitUntil(openInbox());
  });
}
