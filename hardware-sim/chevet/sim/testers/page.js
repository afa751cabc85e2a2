// The tester's page: asks the simulator for its state and sends what is switched. No library.
import { draw, spanOf } from "/strips.js";

const KINDS = {
  hands: "What hands and patients do",
  body: "What is measured",
  wire: "What happens to the device and its wire",
};
const NUMBERS = [
  ["heart_rate", "Heart rate", "/min"],
  ["spo2", "SpO2", "%"],
  ["respiration_rate", "Breaths", "/min"],
  ["blood_pressure", "Pressure", "mmHg"],
  ["temperature", "Temperature", "°C"],
  ["perfusion_index", "Perfusion", "%"],
];
const STATE_EVERY_MS = 1000;
const STRIPS_EVERY_MS = 250;

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
let shown = "";
let chosen = "";
let typing = "";
/** @type {Record<string, string>} */
const written = {};

/** @param {string} path @param {object} [body] */
async function ask(path, body) {
  const init = body
    ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }
    : {};
  try {
    const answer = await (await fetch(path, init)).json();
    at("lost").hidden = true;
    return answer;
  } catch {
    at("lost").hidden = false;
    return { ok: false, error: "The simulator does not answer." };
  }
}

/** @param {string} text @param {boolean} [wrong] */
function say(text, wrong = false) {
  at("said").textContent = text;
  at("said").classList.toggle("wrong", wrong);
}

/** @param {string} target @param {string} fault @param {boolean} on @param {string} value */
async function set(target, fault, on, value) {
  const answer = await ask("/api/control", { target, fault, on, value });
  say(answer.ok ? `${target}: ${fault} ${value} ${on ? "on" : "off"}` : answer.error, !answer.ok);
  await refresh();
  return answer.ok;
}

/** @param {string} tag @param {object} attributes @param {...(Node|string)} inside */
function make(tag, attributes = {}, ...inside) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...inside);
  return element;
}

/** @param {any} target @param {string} name @param {any} fault */
function row(target, name, fault) {
  const key = `${target.id} ${name}`;
  const on = name in target.active;
  const id = `f-${target.id}-${name}`;
  const value = make("input", {
    value: written[key] ?? target.active[name] ?? "",
    ariaLabel: `Value of ${name}`,
    title: fault.value,
    hidden: !fault.value,
  });
  value.addEventListener("input", () => (written[key] = value.value));
  value.addEventListener("focus", () => (typing = key));
  value.addEventListener("blur", () => (typing = ""));
  const line = make("div", { className: on ? "fault on" : "fault" });
  const change = async (/** @type {boolean} */ turned) =>
    line.classList.toggle("wrong", !(await set(target.id, name, turned, value.value.trim())));
  value.addEventListener("keydown", (event) => event.key === "Enter" && change(true));
  const control = fault.once
    ? make("button", { type: "button", className: "do", id, textContent: "do", onclick: () => change(true) })
    : make("input", { type: "checkbox", className: "switch", role: "switch", id, checked: on });
  if (!fault.once) control.addEventListener("change", () => change(control.checked));
  const words = make("label", { htmlFor: id });
  words.append(
    make("span", { className: "name", textContent: name.replaceAll("_", " ") }),
    make("span", { className: "tells", textContent: fault.tells }),
    make("span", { className: "range", textContent: fault.value }),
  );
  line.append(control, words, value);
  return line;
}

/** @param {any} target */
function card(target) {
  const search = /** @type {HTMLInputElement} */ (at("search")).value.trim().toLowerCase().replaceAll(" ", "_");
  const made = make("div", { role: "tabpanel" });
  made.append(make("p", { className: "link", textContent: `${target.driver}  ${target.url}  ${target.tcp ?? ""}` }));
  for (const [kind, title] of Object.entries(KINDS)) {
    const rows = Object.entries(target.faults).filter(
      ([name, fault]) => fault.kind === kind && (name.includes(search) || fault.tells.includes(search)),
    );
    if (!rows.length) continue;
    made.append(make("h3", { className: "group", textContent: title }));
    made.append(...rows.map(([name, fault]) => row(target, name, fault)));
  }
  return made;
}

/** @param {any} state */
function showInstruments(state) {
  chosen = state.targets.some((/** @type {any} */ one) => one.id === chosen) ? chosen : state.targets[0]?.id;
  const focused = document.activeElement?.id ?? "";
  at("tabs").replaceChildren(
    ...state.targets.map((/** @type {any} */ one) => {
      const count = Object.keys(one.active).length;
      const tab = make("button", {
        type: "button",
        role: "tab",
        id: `t-${one.id}`,
        ariaSelected: String(one.id === chosen),
        onclick: () => ((chosen = one.id), (shown = ""), refresh()),
      }, one.id);
      if (count) tab.append(make("span", { className: "count", textContent: String(count) }));
      return tab;
    }),
  );
  const target = state.targets.find((/** @type {any} */ one) => one.id === chosen);
  at("cards").replaceChildren(...(target ? [card(target)] : []));
  if (focused) document.getElementById(focused)?.focus();
}

/** @param {any} state */
function showPatient(state) {
  const pick = /** @type {HTMLSelectElement} */ (at("condition"));
  const person = /** @type {HTMLInputElement} */ (at("person"));
  const there = Boolean(state.patient);
  for (const one of [pick, person]) one.disabled = !there;
  at("recordings").hidden = there;
  at("numbers").hidden = !there;
  for (const id of ["ecg", "sound", "pulse"]) at(id).hidden = !there;
  if (!pick.options.length) {
    pick.append(
      ...Object.entries(state.conditions).map(([name, title]) =>
        make("option", { value: name, textContent: `${title}` })),
    );
  }
  if (!there) return;
  if (document.activeElement !== pick) pick.value = state.patient.condition;
  if (document.activeElement !== person) person.value = state.patient.seed;
}

/** @param {any} scenario */
function showScenario(scenario) {
  at("scenario").hidden = !scenario;
  if (!scenario) return;
  at("scenario-title").textContent = scenario.title;
  at("story").textContent = scenario.story;
  const next = scenario.steps.find((/** @type {any} */ step) => step.s > scenario.now_s);
  const before = at("steps").querySelector(".next")?.textContent;
  at("steps").replaceChildren(
    ...scenario.steps.map((/** @type {any} */ step) => {
      const line = make("li", { className: step === next ? "next" : step.s <= scenario.now_s ? "past" : "" });
      line.append(make("time", { textContent: `${step.s.toFixed(0)} s` }), make("span", { textContent: step.tells }));
      return line;
    }),
  );
  const line = at("steps").querySelector(".next");
  if (line && line.textContent !== before) {
    at("steps").scrollTop = /** @type {HTMLElement} */ (line).offsetTop - at("steps").offsetTop - 40;
  }
}

/** @param {any} told */
function showNumbers(told) {
  if (!told) return;
  at("numbers").replaceChildren(
    ...NUMBERS.map(([key, name, unit]) => {
      const value = Array.isArray(told[key]) ? told[key].slice(0, 2).join("/") : told[key];
      const number = make("dd", { textContent: `${value} ` });
      number.append(make("small", { textContent: unit }));
      return make("div", {}, make("dt", { textContent: name }), number);
    }),
  );
}

async function refresh() {
  const answer = await ask("/api/state");
  if (!answer.ok) return;
  showPatient(answer.state);
  showScenario(answer.state.scenario);
  const now = JSON.stringify(answer.state.targets.map((/** @type {any} */ one) => [one.id, one.active]));
  if (now === shown || typing) return;
  shown = now;
  showInstruments(answer.state);
}

async function truth() {
  if (at("numbers").hidden) return;
  const answer = await ask("/api/truth?seconds=5");
  if (answer.ok) showNumbers(answer.truth.at(-1));
}

async function strips() {
  if (at("ecg").hidden || document.hidden) return;
  const answer = await ask("/api/strips");
  if (!answer.ok || !answer.strips.ecg) return;
  const { ecg, pulse_wave: pulse, heart_sound: sound } = answer.strips;
  const canvas = (/** @type {string} */ id) => /** @type {HTMLCanvasElement} */ (at(id));
  draw(canvas("ecg"), ecg, { ...spanOf(ecg, 1.5), colour: "--ecg" });
  draw(canvas("sound"), sound, { low: 0, high: Math.max(0.08, ...sound), colour: "--sound", filled: true });
  draw(canvas("pulse"), pulse, { ...spanOf(pulse, 0.3), colour: "--pulse" });
}

async function calm() {
  const answer = await ask("/api/state");
  for (const one of answer.state?.targets ?? []) {
    for (const fault of Object.keys(one.active)) await set(one.id, fault, false, "");
  }
  say("Everything is off.");
}

/** @param {() => Promise<void>} work @param {number} everyMs */
async function again(work, everyMs) {
  await work();
  setTimeout(() => again(work, everyMs), everyMs);
}

at("condition").addEventListener("change", (event) =>
  set("patient", "condition", true, /** @type {HTMLSelectElement} */ (event.target).value));
at("person").addEventListener("change", (event) =>
  set("patient", "seed", true, /** @type {HTMLInputElement} */ (event.target).value.trim()));
at("search").addEventListener("input", () => ((shown = ""), refresh()));
at("calm").addEventListener("click", calm);
again(refresh, STATE_EVERY_MS);
again(truth, STATE_EVERY_MS);
again(strips, STRIPS_EVERY_MS);
