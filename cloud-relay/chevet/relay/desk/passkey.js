/** Passkeys in this browser: making one, asking for one; what the browser refuses is an `ApiError` like any other. */

import { ApiError, post } from "/shared/api.js";

/** @typedef {{id: string, client_data: string, authenticator_data: string, signature: string, handle: string}} Given */
/** @typedef {{code?: string, passkey?: Given}} Proof a second factor, as the relay takes it */

/** What browsers name their refusals. @type {Record<string, string>} */
const REFUSALS = { NotAllowedError: "passkey_cancelled", AbortError: "passkey_cancelled", InvalidStateError: "passkey_known" };

/** Whether this browser knows passkeys at all; it does only on https and on this very machine. */
export const able = () => "PublicKeyCredential" in window;

/** @param {string} text base64url @returns {Uint8Array<ArrayBuffer>} */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** @param {ArrayBuffer | null} data */
function text(data) {
  const letters = Array.from(new Uint8Array(data ?? new ArrayBuffer(0)), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {any[]} list of credentials by id */
const named = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));

/** @param {() => Promise<Credential | null>} work @returns {Promise<any>} */
async function attempt(work) {
  try {
    const found = await work();
    if (found) return found;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new ApiError(0, REFUSALS[name] ?? "passkey_unable", "code");
  }
  throw new ApiError(0, "passkey_cancelled", "code");
}

/** Make a passkey as the relay asks. @param {any} options @returns {Promise<object>} what the relay keeps of it */
export async function makePasskey(options) {
  const publicKey = {
    ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: named(options.excludeCredentials),
  };
  const { rawId, response } = await attempt(() => navigator.credentials.create({ publicKey }));
  return {
    id: text(rawId), client_data: text(response.clientDataJSON), attestation: text(response.attestationObject), transports: response.getTransports?.() ?? [],
  };
}

/** Ask for a passkey. @param {any} options @returns {Promise<Given>} */
async function usePasskey(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
  const { rawId, response } = await attempt(() => navigator.credentials.get({ publicKey }));
  return {
    id: text(rawId), client_data: text(response.clientDataJSON), authenticator_data: text(response.authenticatorData),
    signature: text(response.signature), handle: text(response.userHandle),
  };
}

/** Sign in by passkey, alone or after the password. @param {"sign_in" | "second"} to @returns {Promise<any>} the relay's answer */
export async function enterByPasskey(to) {
  const passkey = await usePasskey(await post("/api/session/passkey/options", { to }));
  return post("/api/session/passkey", { to, passkey });
}

/** A passkey as second look, before something is signed or changed. @returns {Promise<Proof>} */
export async function proveByPasskey() {
  return { passkey: await usePasskey(await post("/api/passkeys/proof")) };
}
