// The small things that pages do by themselves: the feed's videos, the comment sheet, countdowns, copying, sharing.
"use strict";

const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

function say(words) {
  const line = document.getElementById("said");
  line.textContent = words;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { line.textContent = ""; }, 2200);
}

async function copy(button) {
  const text = button.dataset.copy, done = document.getElementById("said").dataset.copied;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain HTTP on a phone in the same network has no clipboard API.
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "unseen" });
    button.after(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  // What lies over the page as a sheet lies over the toast too: there the button says it.
  if (button.closest("dialog")) button.querySelector("span").textContent = done;
  else say(done);
}

async function share(button) {
  const url = new URL(button.dataset.share, location.href).href;
  button.dataset.copy = url;
  if (!navigator.share) return copy(button);
  try {
    await navigator.share({ title: document.title, url });
  } catch (error) {
    if (error.name !== "AbortError") copy(button);
  }
}

// Countdowns show business time left, which the sandbox may have moved; they are no live region, so screen readers are not interrupted every second.
function tick() {
  each("[data-until]", (place) => {
    const left = Math.max(0, Math.floor((Date.parse(place.dataset.until) - Date.now()) / 1000 - Number(document.body.dataset.clockOffset)));
    const days = Math.floor(left / 86400);
    const two = (number) => String(number).padStart(2, "0");
    const clock = [Math.floor((left % 86400) / 3600), Math.floor((left % 3600) / 60), left % 60].map(two).join(":");
    const chinese = document.documentElement.lang.startsWith("zh");
    place.textContent = days ? `${chinese ? two(days) : days} ${place.dataset.day} ${clock}` : clock;
  });
}
setInterval(tick, 1000);

// The video that fills the screen plays, and the address names it, so that it can be shared or reloaded.
const stage = "IntersectionObserver" in window && new IntersectionObserver((seen) => seen.forEach((one) => {
  const full = one.intersectionRatio > 0.6;
  one.target.classList.toggle("playing", full);
  if (full && stage.started) history.replaceState(history.state, "", one.target.dataset.clip);
  if (full) stage.started = true;
}), { threshold: [0, 0.6, 1] });
const watch = (root) => stage && each("[data-clip]", (clip) => stage.observe(clip), root);
watch(document);

const yuan = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en-US")}.${String(fen % 100).padStart(2, "0")}`;

// The server says the fee of each mode and from which amount on it is nothing; what is paid is what checkout computes.
function total(form) {
  const goods = (Number(form.elements.quantity.value) || 1) * Number(form.dataset.unit);
  const mode = form.querySelector("input[name=mode]:checked");
  const fee = form.dataset.freeFrom && goods >= Number(form.dataset.freeFrom) ? 0 : Number(mode?.dataset.fee ?? 0);
  each("[data-total]", (place) => { place.textContent = yuan(goods + fee); });
  each("[data-fee-shown]", (place) => { place.textContent = fee ? yuan(fee) : place.dataset.free; });
}

function step(button) {
  const field = button.parentElement.querySelector("input");
  field.value = Math.min(Number(field.max), Math.max(Number(field.min), Number(field.value) + Number(button.dataset.step)));
  total(field.form);
}

function sum(box) {
  const chosen = [...box.querySelectorAll("input:checked")];
  each("[data-sum-total]", (place) => { place.textContent = yuan(chosen.reduce((all, one) => all + Number(one.dataset.fen), 0)); });
}

// Browsers answer in WGS-84; maps and couriers in China want GCJ-02. The published approximation, good to a few metres.
function gcj02(latitude, longitude) {
  const { sin, cos, sqrt, abs, PI } = Math;
  const x = longitude - 105, y = latitude - 35, a = 6378245, e = 0.00669342162296594323;
  const wave = (20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2 / 3;
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + wave
    + (20 * sin(y * PI) + 40 * sin(y / 3 * PI)) * 2 / 3 + (160 * sin(y / 12 * PI) + 320 * sin(y * PI / 30)) * 2 / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + wave
    + (20 * sin(x * PI) + 40 * sin(x / 3 * PI)) * 2 / 3 + (150 * sin(x / 12 * PI) + 300 * sin(x / 30 * PI)) * 2 / 3;
  const angle = latitude / 180 * PI, magic = 1 - e * sin(angle) ** 2;
  north = north * 180 / ((a * (1 - e)) / (magic * sqrt(magic)) * PI);
  east = east * 180 / (a / sqrt(magic) * cos(angle) * PI);
  return [latitude + north, longitude + east];
}

function locate(button) {
  const form = button.closest("form");
  const failed = () => { button.lastChild.textContent = button.dataset.failed; each("details", (one) => { one.open = true; }, form); };
  if (!navigator.geolocation) return failed();
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    const [latitude, longitude] = gcj02(coords.latitude, coords.longitude);
    form.elements.latitude.value = latitude.toFixed(6);
    form.elements.longitude.value = longitude.toFixed(6);
    button.lastChild.textContent = button.dataset.done;
  }, failed, { enableHighAccuracy: true, timeout: 10000 });
}

// Asks the browser, which asks the visitor. About 100 m is near enough for a search, and says less about somebody.
function near(button) {
  const form = document.getElementById(button.dataset.near), word = button.querySelector("span");
  const failed = () => { word.textContent = button.dataset.failed; };
  if (!navigator.geolocation) return failed();
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    const [latitude, longitude] = gcj02(coords.latitude, coords.longitude);
    form.elements.latitude.value = latitude.toFixed(3);
    form.elements.longitude.value = longitude.toFixed(3);
    form.submit();
  }, failed, { timeout: 10000, maximumAge: 300000 });
}

function pause(button) {
  const held = button.closest(".clip").classList.toggle("held");
  button.setAttribute("aria-pressed", String(held));
}

const presses = {
  "[data-copy]:not([data-share])": copy, "[data-share]": share, "[data-step]": step, "[data-locate]": locate, "[data-near]": near,
  ".clip-tap": pause,
};
document.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(presses)) {
    const it = event.target.closest(selector);
    if (it) act(it);
  }
  // A press on the dialog itself is a press beside its content.
  if (event.target.matches("dialog.sheet") && event.offsetY < 0) event.target.close();
});
document.addEventListener("input", (event) => {
  if (["quantity", "mode"].includes(event.target.name)) total(event.target.form);
  const box = event.target.closest("[data-sum]");
  if (box) sum(box);
});
document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target.matches("dialog") && !target.open) target.showModal();
  watch(document);
});

// The code on the screen must not go dark at the counter or before the paying phone, and must be fresh when the buyer looks again.
async function stayAwake() {
  if (document.querySelector(".ticket .code, .pay-code") && navigator.wakeLock) await navigator.wakeLock.request("screen").catch(() => {});
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  document.body.dispatchEvent(new Event("seen-again"));
  stayAwake();
});
stayAwake();
