// A rider's photo: made small here, sent with the place where it was taken. Everything else on the page needs no script.
const LONGEST_SIDE = 1000;

async function shrunk(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.7).split(",")[1];
}

function place() {
  return new Promise((found, failed) =>
    navigator.geolocation.getCurrentPosition(({ coords }) => found(coords), failed, { timeout: 10_000 }));
}

for (const form of document.querySelectorAll("form[data-photo]")) {
  const said = form.querySelector("[role=status]");
  form.querySelector("input[type=file]").addEventListener("change", async ({ target }) => {
    if (!target.files.length) return;
    said.textContent = form.dataset.working;
    let trouble = form.dataset.noPhoto;
    try {
      form.elements.photo.value = await shrunk(target.files[0]);
      trouble = form.dataset.noPlace;
      const { latitude, longitude } = await place();
      [form.elements.latitude.value, form.elements.longitude.value] = [latitude, longitude];
      target.value = "";
      form.submit();
    } catch {
      said.textContent = trouble;
      target.value = "";
    }
  });
}
