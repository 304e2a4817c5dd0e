// The verify page with script: the check is made on the visitor's device by the worker checker.js, unless the visitor chose
// the server; a file may be dropped anywhere on the form. Without script the same form posts to the server, which renders
// the same verdict.
"use strict";

(() => {
  const form = document.getElementById("verify-form");
  const result = document.getElementById("result");
  if (!form || !result) return;

  const largest = 5 << 20;
  const drop = form.querySelector(".drop");
  const file = form.querySelector("input[type=file]");
  const text = form.querySelector("textarea");
  const button = form.querySelector("button[type=submit]");
  const clear = document.getElementById("clear");
  const where = document.getElementById("where");
  const label = button.querySelector("span");
  const idle = label.textContent;
  const title = document.title;
  const local = where !== null && typeof WebAssembly === "object" && typeof Worker === "function";
  if (local) where.hidden = false;

  const busy = (words) => {
    button.setAttribute("aria-busy", String(Boolean(words)));
    label.textContent = words || idle;
  };

  const ask = local ? heartmarkDevice(form.dataset) : null;

  // The checker is fetched when somebody turns to the form, so that the first view stays small.
  let warmed = !local;
  const warm = () => {
    if (warmed || form.elements.where.value !== "here") return;
    warmed = true;
    ask({ call: "warm" }).catch(() => { warmed = false; });
  };
  for (const kind of ["focusin", "pointerdown", "dragenter"]) form.addEventListener(kind, warm);

  // ---- showing ----
  const show = (html, heading) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    result.replaceChildren(...parsed.body.childNodes);
    document.title = heading ? `${heading} · Heartmark` : title;
    if (clear) clear.hidden = false;
    const card = result.querySelector(".verdict");
    if (card) card.classList.add("fresh");
    const focus = result.querySelector("[tabindex='-1']");
    if (focus) {
      focus.focus({ preventScroll: true });
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      (card || focus).scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    }
  };
  const template = (id) => show(document.getElementById(id).innerHTML);

  const given = async () => {
    if (file.files.length > 0 && file.files[0].size > 0) {
      if (file.files[0].size > largest) return null;
      return new Uint8Array(await file.files[0].arrayBuffer());
    }
    return new TextEncoder().encode(text.value.trim());
  };

  let running = null;
  const onServer = async () => {
    if (running) running.abort();
    running = new AbortController();
    const mine = running;
    busy(form.dataset.busy);
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { Accept: "text/html", "X-Heartmark-Part": "verdict" },
        credentials: "same-origin", signal: mine.signal,
      });
      show(await answer.text());
    } catch (fault) {
      if (fault.name !== "AbortError") template("offline");
    } finally {
      if (running === mine) { running = null; busy(""); }
    }
  };

  const here = async () => {
    const words = { load: form.dataset.busyLoad, registry: form.dataset.busyRegistry, check: form.dataset.busy };
    busy(form.dataset.busy);
    try {
      const data = await given();
      if (data === null) { template("large"); return; }
      if (data.length === 0) { template("empty"); return; }
      const answer = await ask({ call: "check", data }, (stage) => busy(words[stage]));
      show(answer.html, answer.heading);
      result.dataset.millis = answer.millis;
    } catch (fault) {
      template("failed");
      result.querySelector(".reason").textContent = fault.message;
      result.querySelector("[data-server]").addEventListener("click", () => {
        form.elements.where.value = "server";
        onServer();
      });
    } finally {
      busy("");
    }
  };

  const check = () => (local && form.elements.where.value === "here" ? here() : onServer());

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
  file.addEventListener("change", () => {
    if (file.files.length === 0) return;
    text.value = "";
    check();
  });
  text.addEventListener("input", () => { file.value = ""; });
  if (clear) {
    clear.addEventListener("click", () => {
      form.reset();
      text.value = "";
      result.replaceChildren();
      document.title = title;
      clear.hidden = true;
      text.focus();
    });
  }

  // ---- dropping ----
  let depth = 0;
  form.addEventListener("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    drop.classList.add("over");
  });
  form.addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) drop.classList.remove("over");
  });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    drop.classList.remove("over");
    const { files } = event.dataTransfer;
    if (files.length > 0) {
      file.files = files;
      text.value = "";
      check();
      return;
    }
    const words = event.dataTransfer.getData("text/plain");
    if (words) {
      text.value = words;
      file.value = "";
      check();
    }
  });
})();
