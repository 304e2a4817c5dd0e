// The page of a log entry: checks the inclusion proof on this device when it is asked to.
"use strict";

(() => {
  const card = document.getElementById("check");
  if (!card || typeof WebAssembly !== "object" || typeof Worker !== "function") return;
  card.hidden = false;
  const ask = heartmarkDevice(card.dataset);
  const button = card.querySelector("button");
  const idle = button.textContent;
  const good = card.querySelector("[data-good]");
  const bad = card.querySelector("[data-bad]");

  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    button.textContent = button.dataset.busy;
    good.hidden = true;
    bad.hidden = true;
    let fault = "";
    try {
      const leaf = Uint8Array.from(atob(card.dataset.leaf), (c) => c.charCodeAt(0));
      const proof = new TextEncoder().encode(card.dataset.proof);
      const answer = await ask({ call: "included", leaf, proof, keys: card.dataset.keys.split(" ") });
      fault = answer.error || "";
    } catch (thrown) {
      fault = thrown.message;
    }
    good.hidden = fault !== "";
    bad.hidden = fault === "";
    bad.querySelector(".reason").textContent = fault;
    button.setAttribute("aria-busy", "false");
    button.textContent = idle;
  });
})();
