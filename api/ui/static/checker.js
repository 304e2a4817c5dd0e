// A worker that runs the verifier for browsers (cmd/heartmark-wasm). It loads the module once and asks for the registry's
// signed snapshot before each check; nothing that is to be checked leaves it. Messages in: {id, call, …}; out: {id, stage}
// while something loads, then {id, answer} or {id, fault}.
"use strict";

let module = null;
let loaded = null; // {tag, lang, stale} of the snapshot in use

const start = (c) => {
  if (!module) {
    importScripts(c.glue);
    const go = new Go();
    module = WebAssembly.instantiateStreaming(fetch(c.module), go.importObject)
      .then(({ instance }) => {
        go.run(instance).then(() => { module = null; loaded = null; });
      })
      .catch((fault) => { module = null; throw fault; });
  }
  return module;
};

const must = (answer) => {
  if (!answer || answer.error) throw new Error(answer ? answer.error : "no answer");
  return answer;
};

// registry takes the snapshot that the server has now. Where there is none to be had, the one in use stays, and the answer
// says so.
const registry = async (c) => {
  const known = loaded !== null && loaded.lang === c.lang;
  try {
    const response = await fetch(c.snapshot, { cache: "no-cache", credentials: "omit" });
    if (!response.ok) throw new Error(`registry: HTTP ${response.status}`);
    const tag = response.headers.get("ETag");
    if (!known || !tag || tag !== loaded.tag) {
      must(heartmark.load(new Uint8Array(await response.arrayBuffer()), c.trust, c.lang));
    }
    loaded = { tag, lang: c.lang, stale: false };
  } catch (fault) {
    if (!known) throw fault;
    loaded.stale = true;
  }
};

const calls = {
  warm: async (m, stage) => {
    stage("load");
    await start(m.config);
    stage("registry");
    await registry(m.config);
    return {};
  },
  check: async (m, stage) => {
    await calls.warm(m, stage);
    stage("check");
    return must(heartmark.check(m.data, loaded.stale));
  },
  included: async (m, stage) => {
    stage("load");
    await start(m.config);
    return heartmark.included(m.leaf, m.proof, m.keys);
  },
};

self.addEventListener("message", async ({ data: m }) => {
  try {
    self.postMessage({ id: m.id, answer: await calls[m.call](m, (stage) => self.postMessage({ id: m.id, stage })) });
  } catch (fault) {
    self.postMessage({ id: m.id, fault: String(fault && fault.message ? fault.message : fault) });
  }
});
