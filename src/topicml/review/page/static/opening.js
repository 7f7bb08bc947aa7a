// Ways to open an article: files, folders, a drop, pasted text, a link, a listed file.

import { button, dialog, el } from "./dom.js";
import { get, post, upload } from "./server.js";

const MOST = 3_500_000; // bytes sent at once

export async function sendFiles(files, onOpened) {
  let batch = new FormData();
  let size = 0;
  const send = async () => {
    if (batch.has("file")) await onOpened(() => upload("/files", batch));
    batch = new FormData();
    size = 0;
  };
  for (const file of files) {
    if (size + file.size > MOST) await send();
    batch.append("file", file, file.name);
    size += file.size;
  }
  await send();
}

export function pickFiles(onFiles, { isFolder = false } = {}) {
  const input = el("input", { type: "file", multiple: true, webkitdirectory: isFolder || null, class: "visually-hidden", id: "files", "aria-label": "Files to open" });
  document.querySelector("#files")?.remove();
  input.addEventListener("change", () => { onFiles([...input.files]); input.remove(); });
  document.body.append(input);
  input.click();
}

export async function paste() {
  const body = [
    el("label", {}, "Title", el("input", { name: "title", type: "text", maxlength: "1000" })),
    el("label", {}, "Text", el("textarea", { name: "text", rows: "12", required: true })),
  ];
  const text = await dialog("Paste text", body, { actions: [{ label: "Open", value: (form) => ({ title: form.get("title"), text: form.get("text") }) }] });
  return text && (() => post("/text", text));
}

export async function pasteLink() {
  const body = el("label", {}, "Address", el("input", { name: "url", type: "url", required: true, placeholder: "https://" }));
  const link = await dialog("Open a link", [body, el("p", { class: "muted" }, "This machine fetches the page, once. Addresses of your own network are refused.")],
    { actions: [{ label: "Open", value: (form) => ({ url: form.get("url") }) }] });
  return link && (() => post("/link", link));
}

export async function pickGiven() {
  const found = await get("/folder");
  let chosen = null;
  const rows = el("ul", { class: "links picking" });
  const show = (wanted) => rows.replaceChildren(...found.files.filter((path) => path.toLowerCase().includes(wanted)).slice(0, 200)
    .map((path) => el("li", {}, button(path, (event) => { chosen = path; event.target.closest("dialog").close(); }, { class: "link" }))));
  show("");
  await dialog("Pick an article", [el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter files", oninput: (event) => show(event.target.value.toLowerCase()) }), rows], { wide: true });
  return chosen && (() => post("/folder", { path: chosen }));
}

export function acceptDrops(onFiles) {
  const over = (isOver) => document.body.classList.toggle("dropping", isOver);
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  });
}
