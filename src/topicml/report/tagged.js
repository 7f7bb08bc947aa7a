"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const [form, tip, main, query, only] = [by("tools"), by("tip"), document.querySelector("main"), by("q"), by("only")];
  const boxes = all("input[name=t]", form);
  const rows = all("tbody tr");

  // One entry a sentence, in the order of the page: where its figures are, and what is sought in it.
  const articles = all("article").map((element, number) => ({ element, number, row: rows[number], sentences: [] }));
  const sentences = [];
  const entries = new Map();
  for (const article of articles) {
    all(".s", article.element).forEach((element, index) => {
      const entry = { element, article, index, tags: element.dataset.t.split(" ") };
      article.sentences.push(entry);
      sentences.push(entry);
      entries.set(element, entry);
    });
  }
  const textOf = (entry) => entry.element.firstElementChild;
  const isTagged = (entry) => !entry.element.classList.contains("n");
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const number = (value) => value.toFixed(2);

  // --- What is shown: topics, tagged ones alone, a text. The address remembers it.

  const state = () => ({
    chosen: boxes.filter((box) => box.checked).map((box) => box.value),
    only: only.checked,
    text: query.value.trim().toLowerCase(),
  });

  function apply() {
    const { chosen, only: isOnly, text } = state();
    const wanted = new Set(chosen);
    const isSifted = wanted.size > 0 || text !== "";
    let shown = 0, shownArticles = 0;
    data.topics.forEach((_, t) => main.classList.toggle(`x${t}`, wanted.size > 0 && !wanted.has(String(t))));
    main.classList.toggle("sifted", wanted.size > 0);
    main.classList.toggle("only", isOnly);
    for (const article of articles) {
      let found = 0, tagged = 0;
      for (const entry of article.sentences) {
        if (text) entry.lower ??= textOf(entry).textContent.toLowerCase();
        const fits = (!wanted.size || entry.tags.some((tag) => wanted.has(tag))) && (!text || entry.lower.includes(text));
        const stays = fits && (isSifted || isTagged(entry));
        entry.fits = fits;
        entry.element.classList.toggle("off", !fits);
        entry.element.classList.toggle("out", !stays);
        found += fits;
        tagged += stays;
      }
      const isHidden = (isSifted && !found) || (isOnly && !tagged);
      article.element.hidden = article.row.hidden = isHidden;
      if (isOnly) all(".text p", article.element).forEach((p) => { p.hidden = !p.querySelector(".s:not(.out)"); });
      else all(".text p[hidden]", article.element).forEach((p) => { p.hidden = false; });
      shownArticles += !isHidden;
      shown += isHidden ? 0 : isOnly ? tagged : found;
    }
    by("nothing").hidden = shownArticles > 0;
    const of = (part, whole, noun) => `${part.toLocaleString("en")} of ${whole.toLocaleString("en")} ${noun}`;
    by("count").textContent =
      `${of(shownArticles, articles.length, "articles")}, ${of(shown, sentences.length, "sentences")}.`;
    markText(text);
    hideTip();
  }

  function markText(text) {
    if (!window.CSS?.highlights) return;
    CSS.highlights.delete("found");
    if (!text) return;
    const ranges = [];
    for (const entry of sentences) {
      if (!entry.fits || entry.lower.length !== textOf(entry).textContent.length) continue;
      for (let at = entry.lower.indexOf(text); at >= 0; at = entry.lower.indexOf(text, at + text.length))
        ranges.push(rangeIn(entry, at, at + text.length));
    }
    CSS.highlights.set("found", new Highlight(...ranges.slice(0, 5000)));
  }

  function rangeIn(entry, start, end) {
    let node = textOf(entry);
    while (node.firstElementChild) node = node.firstElementChild;
    const range = new Range();
    range.setStart(node.firstChild, start);
    range.setEnd(node.firstChild, end);
    return range;
  }

  const nameOf = (value) => (value.startsWith("r-") ? value : data.topics[Number(value)]);

  function remember(at) {
    const { chosen, only: isOnly } = state();
    const kept = new URLSearchParams();
    for (const value of chosen) kept.append("topic", nameOf(value));
    if (isOnly) kept.set("only", "tagged");
    if (query.value.trim()) kept.set("find", query.value.trim());
    if (at) kept.set("at", at);
    history.replaceState(null, "", String(kept) ? `#?${kept}` : "#");
  }

  function recall() {
    if (!location.hash.startsWith("#?")) return;
    const kept = new URLSearchParams(location.hash.slice(2));
    const chosen = new Set(kept.getAll("topic"));
    for (const box of boxes) box.checked = chosen.has(nameOf(box.value));
    only.checked = kept.get("only") === "tagged";
    query.value = kept.get("find") ?? "";
    apply();
    const at = kept.get("at");
    if (/^a\d+$/.test(at ?? "")) go(by(at));
  }

  function go(target) {
    target?.focus({ preventScroll: true });
    target?.scrollIntoView({ block: "start" });
  }

  let waiting = 0;
  const sift = () => { apply(); remember(); };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => { if (event.target.id !== "keys") sift(); });
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(sift, 150); });
  const clear = () => { form.reset(); sift(); };
  by("clear").addEventListener("click", clear);
  by("nothing").querySelector("button").addEventListener("click", clear);
  window.addEventListener("hashchange", recall);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    const id = link.getAttribute("href").slice(1);
    event.preventDefault();
    if (id.startsWith("a") && id !== "articles") remember(id);
    go(by(id));
  });

  // --- The overview, sorted

  const figures = rows.map((row) => [...row.cells].slice(1).map((cell) => Number(cell.textContent)));
  const last = data.topics.length;
  for (const button of all(".matrix thead button")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      const key = { order: -1, tagged: last, sentences: last + 1 }[button.dataset.sort] ?? Number(button.dataset.sort);
      const order = rows.map((_, n) => n);
      if (key >= 0) order.sort((a, b) => figures[b][key] - figures[a][key] || a - b);
      document.querySelector("tbody").append(...order.map((n) => rows[n]));
      for (const head of all(".matrix thead th")) head.removeAttribute("aria-sort");
      if (key >= 0) button.parentElement.setAttribute("aria-sort", "descending");
    });
  }

  // --- All that is known of one sentence, where one points, taps or is

  let open = null, leaving = 0;

  function showTip(entry) {
    clearTimeout(leaving);
    if (open === entry) return;
    hideTip();
    open = entry;
    entry.element.classList.add("on");
    fillTip(entry);
    tip.hidden = false;
    placeTip(entry);
    buttonOf(entry).setAttribute("aria-describedby", "tip");
  }

  function hideTip() {
    clearTimeout(leaving);
    if (!open) return;
    open.element.classList.remove("on");
    buttonOf(open).removeAttribute("aria-describedby");
    tip.hidden = true;
    open = null;
    window.CSS?.highlights?.delete("words");
  }

  const buttonOf = (entry) => entry.element.lastElementChild;

  function fillTip({ element, article, index, tags }) {
    const known = data.articles[article.number];
    const relevance = known.r[index] / 1000;
    const given = new Set(tags);
    const order = known.p[index].map((p, t) => [t, p / 1000]);
    order.sort((a, b) => given.has(String(b[0])) - given.has(String(a[0])) || b[1] - a[1]);
    const list = make("ol");
    for (const [t, p] of order.slice(0, Math.max(9, given.size))) {
      const item = make("li", given.has(String(t)) ? "given" : "");
      item.append(rowOf(data.topics[t], p, data.thresholds[t]));
      const words = known.w?.[index]?.[t];
      if (words?.length) item.append(wordsOf(element.firstElementChild.textContent, words));
      list.append(item);
    }
    const reason = tags[0].startsWith("r-") ? `No topic: ${data.reasons[tags[0].slice(2)]}. ` : "";
    const gate = data.relevance === null ? "" :
      `Relevance ${number(relevance)}${data.relevance ? `, needed ${number(data.relevance)}` : ""}.`;
    tip.replaceChildren(make("p", "", `${reason}${gate}`), list);
    if (list.querySelector(".words"))
      tip.append(make("p", "", "Words, with what each adds to the topic’s log-odds or takes from them."));
    markWords(element, known.w?.[index]);
  }

  function rowOf(topic, probability, threshold) {
    const row = make("div", "row");
    const bar = make("span", "bar");
    const fill = make("span", "fill");
    fill.style.width = `${100 * probability}%`;
    bar.append(fill);
    if (threshold <= 1) {
      const tick = make("span", "tick");
      tick.style.left = `${100 * threshold}%`;
      bar.append(tick);
    }
    row.append(make("span", "name", topic), bar, make("span", "number", number(probability)));
    return row;
  }

  function wordsOf(text, words) {
    const line = make("div", "words");
    for (const [start, end, added] of words) {
      const word = make("span", "", `${text.slice(start, end)} `);
      word.append(make("small", "", `${added > 0 ? "+" : "−"}${number(Math.abs(added) / 100)}`));
      line.append(word);
    }
    return line;
  }

  function markWords(element, words) {
    if (!words || !window.CSS?.highlights) return;
    const places = Object.values(words).flatMap((found) => found.filter(([, , added]) => added > 0).slice(0, 3));
    CSS.highlights.set("words", new Highlight(...places.map(([start, end]) => rangeIn(entries.get(element), start, end))));
  }

  function placeTip(entry) {
    const rects = [...buttonOf(entry).getClientRects()];
    const rect = rects[0] ?? entry.element.getBoundingClientRect();
    const above = entry.element.getBoundingClientRect().top - tip.offsetHeight - 6;
    const fitsBelow = rect.bottom + tip.offsetHeight + 8 < innerHeight || above < 0;
    const top = fitsBelow ? rect.bottom + 6 : above;
    const left = Math.max(8, Math.min(rect.left, root.clientWidth - tip.offsetWidth - 8));
    tip.style.top = `${top + scrollY}px`;
    tip.style.left = `${left + scrollX}px`;
  }

  const entryAt = (target) => entries.get(target.closest?.(".s"));
  let pointer = "";
  document.addEventListener("mouseover", (event) => {
    const place = `${event.screenX} ${event.screenY}`;
    if (place === pointer) return; // the page moved, not the pointer
    pointer = place;
    const entry = entryAt(event.target);
    clearTimeout(leaving);
    if (entry) leaving = setTimeout(() => showTip(entry), open ? 60 : 180);
    else if (open && !tip.contains(event.target) && !open.element.contains(document.activeElement))
      leaving = setTimeout(hideTip, 250);
  });
  document.addEventListener("focusin", (event) => {
    const entry = entryAt(event.target);
    if (entry) showTip(entry);
    else if (!tip.contains(event.target)) hideTip();
  });
  document.addEventListener("click", (event) => {
    const entry = entryAt(event.target);
    if (entry && !event.target.closest("a")) showTip(entry);
    else if (!tip.contains(event.target)) hideTip();
  });

  // --- Keys

  function step(direction) {
    const there = sentences.filter((entry) => isTagged(entry) && entry.fits !== false && !entry.article.element.hidden);
    if (!there.length) return;
    const now = entryAt(document.activeElement) ?? open;
    const place = now ? sentences.indexOf(now) : -1;
    const next = direction > 0
      ? there.find((entry) => sentences.indexOf(entry) > place)
      : there.findLast((entry) => sentences.indexOf(entry) < place);
    if (!next) return;
    next.element.scrollIntoView({ block: "center" });
    buttonOf(next).focus({ preventScroll: true });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hideTip();
    const entry = event.target.classList?.contains("g") && entryAt(event.target);
    if (entry && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      return open === entry ? hideTip() : showTip(entry);
    }
    const isTyping = event.target.matches?.("input[type=search], textarea");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !by("keys").checked) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") { event.preventDefault(); query.focus(); }
  });

  const panel = by("sift");
  panel.open = !matchMedia("(max-width: 60rem)").matches;
  addEventListener("beforeprint", () => { panel.open = true; });
  for (const box of [...boxes, only]) box.checked = false;
  apply();
  recall();
})();
