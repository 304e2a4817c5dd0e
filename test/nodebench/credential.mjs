// The other side of the benchmark in internal/proof/dataintegrity (ratio_test.go): signs and verifies the same credential
// with the same key by @digitalbazaar/vc and answers how long each took. It is started by that test and driven over
// standard input, a JSON object a line, so that both sides take turns within one run.
//
//   node credential.mjs FILE
//   > {"what":"verify","times":20}
//   < {"seconds":[0.0041,…]}
//
// FILE is JSON: {"credential","signed","contexts":{address: document},"controller","method","publicKeyMultibase",
// "secretKeyMultibase"}.
import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

const work = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const key = {type: 'Multikey', id: work.method, controller: work.controller, publicKeyMultibase: work.publicKeyMultibase};
const documents = new Map(Object.entries(work.contexts));
documents.set(work.method, {'@context': 'https://w3id.org/security/multikey/v1', ...key});
documents.set(work.controller, {
  '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
  id: work.controller, verificationMethod: [key], assertionMethod: [work.method],
});

async function documentLoader(url) {
  if (!documents.has(url)) throw new Error(`refused outside the benchmark: ${url}`);
  return {contextUrl: null, documentUrl: url, document: documents.get(url)};
}

const pair = await Ed25519Multikey.from({...key, '@context': 'https://w3id.org/security/multikey/v1', secretKeyMultibase: work.secretKeyMultibase});
const signing = new DataIntegrityProof({signer: pair.signer(), cryptosuite});
const verifying = new DataIntegrityProof({cryptosuite});

const tasks = {
  async sign() {
    await vc.issue({credential: structuredClone(work.credential), suite: signing, documentLoader});
  },
  async verify() {
    const result = await vc.verifyCredential({
      credential: structuredClone(work.signed), suite: verifying, documentLoader, checkStatus: async () => ({verified: true}),
    });
    if (!result.verified) throw result.error;
  },
};

for await (const line of createInterface({input: process.stdin})) {
  const {what, times} = JSON.parse(line);
  const seconds = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await tasks[what]();
    seconds.push((performance.now() - started) / 1000);
  }
  console.log(JSON.stringify({seconds}));
}
