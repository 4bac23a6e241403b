// The counter's scanner: camera first, typed code and photo always. Looking up is htmx; here a code is only found.
const finder = document.getElementById("viewfinder");
const form = document.getElementById("typed");
const seen = document.getElementById("seen");
const FORMATS = ["qr_code", "code_128"];
let detector, stream, last = "", lastAt = 0;

async function makeDetector() {
  if (globalThis.BarcodeDetector) {
    const known = await globalThis.BarcodeDetector.getSupportedFormats();
    if (FORMATS.every((format) => known.includes(format))) return new globalThis.BarcodeDetector({ formats: FORMATS });
  }
  const ponyfill = await import(finder.dataset.decoder);
  // By default the module is fetched from a public CDN: not under our content policy, and not offline.
  ponyfill.setZXingModuleOverrides({ locateFile: () => finder.dataset.wasm });
  return new ponyfill.BarcodeDetector({ formats: FORMATS });
}

function found(text) {
  const now = Date.now();
  // The same code stays in the picture for seconds; it is one scan.
  if (text === last && now - lastAt < 4000) { lastAt = now; return; }
  [last, lastAt] = [text, now];
  form.elements.scanned.value = text;
  form.elements.code.value = /^[0-9]+$/.test(text) ? text : "";
  globalThis.navigator.vibrate?.(60);
  globalThis.htmx.trigger(form, "submit");
}

async function look(video) {
  if (!stream?.active) return;
  try {
    if (video.readyState >= 2 && document.visibilityState === "visible") {
      const [first] = await detector.detect(video);
      if (first) found(first.rawValue);
    }
  } finally {
    setTimeout(look, 150, video);
  }
}

async function start() {
  if (!navigator.mediaDevices) { seen.textContent = finder.dataset.insecure; return; }
  seen.textContent = finder.dataset.looking;
  try {
    detector ??= await makeDetector();
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
  } catch {
    seen.textContent = finder.dataset.denied;
    return;
  }
  const video = document.getElementById("camera");
  video.srcObject = stream;
  await video.play();
  finder.classList.add("live");
  const [track] = stream.getVideoTracks();
  const torch = document.getElementById("torch");
  torch.hidden = !track.getCapabilities?.().torch;
  torch.onclick = () => {
    const on = torch.getAttribute("aria-pressed") !== "true";
    track.applyConstraints({ advanced: [{ torch: on }] });
    torch.setAttribute("aria-pressed", String(on));
  };
  look(video);
}

// A photo goes to the server as grey pixels: small, and it works where neither camera nor WebAssembly do.
async function readPhoto(file) {
  seen.textContent = finder.dataset.looking;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, 1000 / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((side) => Math.max(16, Math.round(side * scale)));
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(picture, 0, 0, width, height);
    const { data } = pen.getImageData(0, 0, width, height);
    const grey = Uint8Array.from({ length: width * height }, (_, i) => (data[4 * i] * 3 + data[4 * i + 1] * 6 + data[4 * i + 2]) / 10);
    const answer = await fetch(`${finder.dataset.photo}?width=${width}&height=${height}`, {
      method: "POST", body: grey,
      headers: { "content-type": "application/octet-stream", "x-csrf-token": form.elements.csrf.value },
    });
    const { text } = answer.ok ? await answer.json() : {};
    if (!text) { seen.textContent = finder.dataset.unread; return; }
    seen.textContent = "";
    last = "";
    found(text);
  } catch {
    seen.textContent = finder.dataset.failed;
  }
}

// Colour, icon and word are not enough in a loud kitchen: one high note is good, a low one is not.
function sound(tone) {
  const Audio = globalThis.AudioContext;
  if (!Audio) return;
  sound.context ??= new Audio();
  const note = sound.context.createOscillator(), volume = sound.context.createGain();
  note.frequency.value = tone === "good" ? 1040 : 220;
  volume.gain.setValueAtTime(0.12, sound.context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, sound.context.currentTime + (tone === "good" ? 0.18 : 0.4));
  note.connect(volume).connect(sound.context.destination);
  note.start();
  note.stop(sound.context.currentTime + 0.45);
}

if (finder) {
  document.getElementById("start").addEventListener("click", start);
  document.getElementById("photo").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) readPhoto(file);
    event.target.value = "";
  });
  form.elements.code.addEventListener("input", () => { form.elements.scanned.value = ""; });
  // A gun types wherever the focus is: also after a tap beside the field.
  document.addEventListener("keydown", (event) => {
    const types = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (types && document.activeElement === document.body) form.elements.code.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.path === "/scan/prepare") event.detail.parameters.set("store_id", document.getElementById("store").value);
  });
  document.addEventListener("htmx:sendError", () => { seen.textContent = finder.dataset.failed; sound("bad"); });
  document.addEventListener("htmx:afterSettle", () => {
    const result = document.querySelector("#found .found");
    if (!result) return;
    seen.textContent = "";
    sound(result.dataset.tone);
    // Scanning guns type and press Enter: the field waits for the next code as soon as this one is over.
    form.elements.scanned.value = "";
    if (result.dataset.tone === "good" && !("done" in result.dataset)) result.querySelector("button")?.focus();
    else { form.elements.code.value = ""; form.elements.code.focus({ preventScroll: true }); }
  });
}
