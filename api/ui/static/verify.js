// The verify page with script: drop a file anywhere on the form, see the verdict without leaving the page. Without
// script the same form posts to the same address; the server renders the verdict in both cases.
"use strict";

(() => {
  const form = document.getElementById("verify-form");
  const result = document.getElementById("result");
  if (!form || !result) return;

  const drop = form.querySelector(".drop");
  const file = form.querySelector("input[type=file]");
  const text = form.querySelector("textarea");
  const button = form.querySelector("button[type=submit]");
  const label = button.querySelector("span");
  const idle = label.textContent;
  let running = null;

  const busy = (on) => {
    button.setAttribute("aria-busy", String(on));
    label.textContent = on ? form.dataset.busy : idle;
  };

  const show = (html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    result.replaceChildren(...parsed.body.childNodes);
    const card = result.querySelector(".verdict");
    if (card) card.classList.add("fresh");
    const heading = result.querySelector("[tabindex='-1']");
    if (heading) {
      heading.focus({ preventScroll: true });
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      (card || heading).scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    }
  };

  const check = async () => {
    if (running) running.abort();
    running = new AbortController();
    const mine = running;
    busy(true);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "text/html", "X-Heartmark-Part": "verdict" },
        credentials: "same-origin",
        signal: mine.signal,
      });
      show(await answer.text());
    } catch (fault) {
      if (fault.name !== "AbortError") show(document.getElementById("offline").innerHTML);
    } finally {
      if (running === mine) {
        running = null;
        busy(false);
      }
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });

  file.addEventListener("change", () => {
    if (file.files.length === 0) return;
    text.value = "";
    check();
  });

  text.addEventListener("input", () => {
    file.value = "";
  });

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
