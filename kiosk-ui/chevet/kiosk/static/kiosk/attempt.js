/** A call to the box, and what the screen says when it fails. */

import { ApiError } from "/shared/api.js";
import { leaveCall } from "/kiosk/call-state.js";
import { disconnect } from "/kiosk/line.js";
import { now, set } from "/kiosk/store.js";

/**
 * Run a call; show what went wrong in the page's language; a worker whose session ended signs in again.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
export async function attempt(work) {
  try {
    const result = await work();
    if (now().trouble) set({ trouble: "" });
    return result;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401 && error.code === "not_signed_in") endSession();
    else set({ trouble: error.sentence });
    return undefined;
  }
}

export function endSession() {
  leaveCall();
  disconnect();
  set({ worker: null, ended: true });
}
