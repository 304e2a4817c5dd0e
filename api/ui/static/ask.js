// The page that waits for a wallet: it says what has happened, and opens the result when there is one. Without script the
// link below the code does the same.
"use strict";

(() => {
  const ask = document.getElementById("ask");
  const line = ask && ask.querySelector(".ask-state");
  if (!line || !window.EventSource) return;

  const say = (text) => { line.querySelector("span").textContent = text; };
  const source = new EventSource(ask.dataset.events);
  source.addEventListener("state", (event) => {
    const { state } = JSON.parse(event.data);
    if (line.dataset[state]) say(line.dataset[state]);
    if (state === "pending" || state === "requested") return;
    source.close();
    // On the wallet's own device the wallet brings the person back, with the code that opens the result.
    if (state !== "received" || ask.querySelector(".ask-code")) location.assign(ask.dataset.result);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) say(line.dataset.lost);
  });
})();
