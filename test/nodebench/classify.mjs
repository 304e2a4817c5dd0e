// The other side of the benchmark in assessment/onnx (node_test.go): runs the same model on the same token ids in
// onnxruntime-node and answers how long it took. It is started by that test and driven over standard input, a JSON object
// a line, so that both sides take turns within one run.
//
//   node classify.mjs MODEL BATCHES
//   > {"threads":1,"lanes":1,"what":"batches"}
//   < {"seconds":[0.91]}
//
// BATCHES is JSON: {"batches":[{"length":32,"rows":[[0,17,2],…]},…],"ones":[…the same form, one row each…]}. Rows are
// padded here to the length of their batch with id 1. "lanes" is how many runs are under way at a time.
import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import * as ort from 'onnxruntime-node';

const [model, file] = process.argv.slice(2);
const work = JSON.parse(readFileSync(file, 'utf8'));
const sessions = new Map();

async function session(threads) {
  if (!sessions.has(threads)) {
    sessions.set(threads, await ort.InferenceSession.create(model, {
      intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', executionProviders: ['cpu'],
      enableCpuMemArena: true, enableMemPattern: true,
      extra: {session: {intra_op: {allow_spinning: '0'}}}, // as the Go side: the machine is shared
    }));
  }
  return sessions.get(threads);
}

function feeds({length, rows}) {
  const ids = new BigInt64Array(rows.length * length).fill(1n);
  const mask = new BigInt64Array(rows.length * length);
  rows.forEach((row, r) => row.forEach((id, i) => {
    ids[r * length + i] = BigInt(id);
    mask[r * length + i] = 1n;
  }));
  const shape = [rows.length, length];
  return {input_ids: new ort.Tensor('int64', ids, shape), attention_mask: new ort.Tensor('int64', mask, shape)};
}

const prepared = {batches: work.batches.map(feeds), ones: work.ones.map(feeds)};

async function measure({threads, lanes, what}) {
  const s = await session(threads);
  const heads = s.outputNames.filter((name) => name.startsWith('logits_'));
  const list = prepared[what];
  const seconds = [];
  if (what === 'ones') { // each by itself
    for (const one of list) {
      const started = performance.now();
      await s.run(one, heads);
      seconds.push((performance.now() - started) / 1000);
    }
    return {seconds};
  }
  let next = 0;
  const lane = async () => {
    while (next < list.length) {
      await s.run(list[next++], heads);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({length: lanes}, lane));
  return {seconds: [(performance.now() - started) / 1000]};
}

for await (const line of createInterface({input: process.stdin})) {
  console.log(JSON.stringify(await measure(JSON.parse(line))));
}
