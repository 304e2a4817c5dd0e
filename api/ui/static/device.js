// heartmarkDevice(dataset) gives ask(message, stage), which has the worker checker.js answer on this device. The worker
// starts with the first question; stage hears what it is busy with.
"use strict";

const heartmarkDevice = (dataset) => {
  const config = {
    glue: dataset.glue, module: dataset.module, snapshot: dataset.snapshot, trust: (dataset.trust || "").split(" "),
    lang: document.documentElement.lang.startsWith("zh") ? "zh" : "en",
  };
  const waiting = new Map();
  let worker = null;
  let turn = 0;

  const start = () => {
    worker = new Worker(dataset.worker);
    worker.addEventListener("message", ({ data }) => {
      const w = waiting.get(data.id);
      if (!w) return;
      if (data.stage) { w.stage(data.stage); return; }
      waiting.delete(data.id);
      if (data.fault === undefined) w.resolve(data.answer); else w.reject(new Error(data.fault));
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      worker = null;
      for (const w of waiting.values()) w.reject(new Error(event.message || "worker"));
      waiting.clear();
    });
  };

  return (message, stage) => new Promise((resolve, reject) => {
    if (!worker) start();
    turn += 1;
    waiting.set(turn, { resolve, reject, stage: stage || (() => {}) });
    worker.postMessage({ ...message, id: turn, config });
  });
};
