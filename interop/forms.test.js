// One act of issuing gives a credential in many forms; independent libraries verify each of them, derive from the selective
// one, and see all of them revoked by one revocation.
import assert from 'node:assert/strict';
import {createHash, createPrivateKey, randomBytes, sign} from 'node:crypto';
import {after, before, test} from 'node:test';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {createVerifyCryptosuite as ecdsaJcs} from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {createVerifyCryptosuite as eddsaJcs} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {createDiscloseCryptosuite, createVerifyCryptosuite as ecdsaSd} from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import * as oauth2 from '@openid4vc/oauth2';
import * as openid4vci from '@openid4vc/openid4vci';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import {compactVerify, exportJWK, importJWK} from 'jose';
import {confine, documentLoader} from './lib/loader.js';
import {startServer} from './lib/server.js';
import {callbacks, take, walletKey} from './lib/wallet.js';

const config = `
issuer:
  configurations:
    - id: all
      achievement: profile
      names: {en: All forms, zh: 全部形式}
      forms:
        - {format: ldp_vc, cryptosuite: eddsa-rdfc-2022}
        - {format: ldp_vc, cryptosuite: eddsa-jcs-2022}
        - {format: ldp_vc, cryptosuite: ecdsa-rdfc-2019, algorithm: ES256}
        - {format: ldp_vc, cryptosuite: ecdsa-rdfc-2019, algorithm: ES384}
        - {format: ldp_vc, cryptosuite: ecdsa-jcs-2019, algorithm: ES384}
        - {format: dc+sd-jwt, algorithm: ES256}
        - {format: vc+jwt, algorithm: ES256}
    - id: base
      achievement: profile
      names: {en: Base proof, zh: 基础证明}
      forms: [{format: ldp_vc, cryptosuite: ecdsa-sd-2023}]
    - id: selective
      achievement: profile
      names: {en: Selective, zh: 选择披露}
      forms: [{format: dc+sd-jwt}]
`;

const suites = {
  'eddsa-rdfc-2022': () => eddsaRdfc, 'eddsa-jcs-2022': eddsaJcs, 'ecdsa-rdfc-2019': () => ecdsaRdfc, 'ecdsa-jcs-2019': ecdsaJcs,
  'ecdsa-sd-2023': ecdsaSd,
};

let server, restore, report, holder, issued;

before(async () => {
  server = await startServer(config);
  restore = confine(server.origin);
  for (const library of [oauth2, openid4vci]) library.setGlobalConfig({allowInsecureUrls: true});
  const answer = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
  report = answer.reports[0].id;
  holder = await walletKey();
  issued = await server.call('POST', '/v1/credentials', JSON.stringify({configuration: 'all', report, subject: {id: holder.did}}));
}, {timeout: 180_000});

after(async () => {
  restore?.();
  await server?.stop();
});

const form = format => issued.credentials.filter(c => c.format === format).map(c => c.credential);
const describe = error => `${error?.message} ${(error?.errors ?? []).map(describe)} ${error?.cause ? describe(error.cause) : ''}`;

async function digitalBazaar(credential) {
  const suite = name => new DataIntegrityProof({cryptosuite: suites[name]()});
  const load = documentLoader(server.origin);
  const result = await vc.verifyCredential({
    credential, suite: suite(credential.proof[0].cryptosuite), documentLoader: load,
    checkStatus: options => checkStatus({
      ...options, documentLoader: load, suite: suite('eddsa-rdfc-2022'), verifyBitstringStatusListCredential: true, verifyMatchingIssuers: false,
    }),
  });
  const states = result.statusResult?.results?.map(r => r.status) ?? [];
  return {
    proof: result.results?.[0]?.verified === true, good: result.verified && states.every(s => s === false),
    revoked: states.includes(true), why: describe(result.error),
  };
}

// verifyToken checks a JWS with the key that its kid names in the issuer's document, where it must be a JsonWebKey.
async function verifyToken(compact) {
  const {kid, alg} = JSON.parse(Buffer.from(compact.split('.')[0], 'base64url'));
  const method = await documentLoader(server.origin)(kid);
  assert.equal(method.document.type, 'JsonWebKey');
  const {payload, protectedHeader} = await compactVerify(compact, await importJWK(method.document.publicKeyJwk, alg));
  return {claims: JSON.parse(new TextDecoder().decode(payload)), header: protectedHeader};
}

const hasher = (data, alg) => createHash(alg.replace('-', '')).update(data).digest();
const check = async (data, signature) => {
  await verifyToken(`${data}.${signature}`);
  return true;
};
const sdJwt = () => new SDJwtVcInstance({
  hasher, hashAlg: 'sha-256', saltGenerator: n => randomBytes(n).toString('base64url'), verifier: check, statusVerifier: check,
  kbSignAlg: 'EdDSA',
  kbSigner: async data => sign(null, Buffer.from(data), createPrivateKey({key: await exportJWK(holder.privateKey), format: 'jwk'})).toString('base64url'),
  kbVerifier: async (data, signature, payload) => {
    await compactVerify(`${data}.${signature}`, await importJWK(payload.cnf.jwk, 'EdDSA'));
    return true;
  },
});

async function ours(compact, type, query = '') {
  const response = await fetch(`${server.origin}/v1/verify${query}`, {method: 'POST', body: compact, headers: {'content-type': type}});
  return response.json();
}

test('the forms of one act share their id', () => {
  assert.equal(issued.credentials.length, 7);
  for (const credential of form('ldp_vc')) assert.equal(credential.id, issued.id);
});

test('@digitalbazaar/vc verifies every Data Integrity form, and none with one character changed', async () => {
  for (const credential of form('ldp_vc')) {
    const {good, why} = await digitalBazaar(credential);
    assert.ok(good, `${credential.proof[0].cryptosuite}: ${why}`);
    const changed = structuredClone(credential);
    changed.credentialSubject.achievement.name += '!';
    assert.equal((await digitalBazaar(changed)).proof, false, credential.proof[0].cryptosuite);
  }
});

test('jose verifies the JWT form', async () => {
  const [compact] = form('vc+jwt');
  const {claims, header} = await verifyToken(compact);
  assert.equal(header.typ, 'vc+jwt');
  assert.equal(claims.id, issued.id);
  assert.equal((await ours(compact, 'application/vc+jwt')).verdict, 'valid');
});

test('@sd-jwt/sd-jwt-vc verifies and derives from the selective form', async () => {
  const [whole] = form('dc+sd-jwt');
  const library = sdJwt();
  const {payload} = await library.verify(whole);
  assert.equal(payload.jti, issued.id);
  assert.ok(payload.social_skills.level >= 1);
  const dimension = ['overall', 'self_awareness', 'self_management', 'social_awareness', 'social_skills'].find(d => payload[d]?.level_at_least?.['2']);
  assert.ok(dimension, JSON.stringify(payload));
  const shown = await library.present(whole, {[dimension]: {level_at_least: {2: true}}}, {
    kb: {payload: {iat: Math.floor(Date.now() / 1000), aud: 'https://employer.example', nonce: 'n1'}},
  });
  const result = await library.verify(shown, {keyBindingNonce: 'n1'});
  assert.deepEqual(result.payload[dimension], {level_at_least: {2: true}});
  for (const other of ['overall', 'self_awareness', 'self_management', 'social_awareness', 'social_skills'].filter(d => d !== dimension)) {
    assert.equal(result.payload[other], undefined);
  }
  const query = '?challenge=n1&domain=' + encodeURIComponent('https://employer.example');
  const verdict = await ours(shown, 'application/dc+sd-jwt', query);
  assert.equal(verdict.verdict, 'valid', JSON.stringify(verdict.checks));
  // Cutting one character out of a disclosure refuses the whole, with both.
  const parts = shown.split('~');
  parts[1] = parts[1].slice(0, -1);
  await assert.rejects(library.verify(parts.join('~')));
  assert.notEqual((await ours(parts.join('~'), 'application/dc+sd-jwt', query)).verdict, 'valid');
});

test('@digitalbazaar/ecdsa-sd-2023-cryptosuite derives from our base proof, and both verify what it derives', async () => {
  const {credentials: [{credential: base}]} = await server.call('POST', '/v1/credentials', JSON.stringify({configuration: 'base', report, subject: {id: holder.did}}));
  const suite = new DataIntegrityProof({cryptosuite: createDiscloseCryptosuite({
    selectivePointers: ['/credentialSubject/result/0'],
  })});
  const shown = await vc.derive({verifiableCredential: structuredClone({...base, proof: base.proof[0]}), suite, documentLoader: documentLoader(server.origin)});
  assert.equal(shown.credentialSubject.result.length, 1);
  const {good, why} = await digitalBazaar({...shown, proof: [shown.proof].flat()});
  assert.ok(good, why);
  const verdict = await ours(JSON.stringify(shown), 'application/vc');
  assert.equal(verdict.verdict, 'valid', JSON.stringify(verdict.checks));
  const changed = structuredClone(shown);
  changed.credentialSubject.achievement.name += '!';
  assert.equal((await digitalBazaar({...changed, proof: [changed.proof].flat()})).proof, false);
  assert.equal((await ours(JSON.stringify(changed), 'application/vc')).verdict, 'invalid');
  assert.equal((await ours(JSON.stringify(base), 'application/vc')).verdict, 'invalid', 'a base proof is for its holder alone');
});

test('a wallet takes the selective form over OpenID4VCI', async () => {
  const key = await walletKey();
  const client = new openid4vci.Openid4vciClient({callbacks: callbacks(key)});
  const offer = await server.call('POST', '/v1/offers', JSON.stringify({configuration: 'selective', report}));
  const taken = await take(client, key, offer.uri, offer.tx_code);
  const described = taken.issuerMetadata.credentialIssuer.credential_configurations_supported.selective;
  assert.equal(described.format, 'dc+sd-jwt');
  const {payload} = await sdJwt().verify(taken.credentialResponse.credentials[0].credential);
  assert.equal(payload.vct, described.vct);
  assert.equal(payload.cnf.jwk.x, key.publicJwk.x);
});

test('after one revocation every form is revoked for them', {timeout: 60_000}, async () => {
  await server.call('POST', `/v1/credentials/${issued.id}/status`, JSON.stringify({status: 'revoked', reason: 'test'}));
  const [selective] = form('dc+sd-jwt');
  for (let tries = 0; ; tries++) {
    const refused = await sdJwt().verify(selective).then(() => false, error => /status/i.test(String(error)));
    if (refused) break;
    assert.ok(tries < 40, 'the twin did not show the revocation');
    await new Promise(resolve => setTimeout(resolve, 500));
  }
  for (const credential of form('ldp_vc')) {
    const {proof, revoked} = await digitalBazaar(credential);
    assert.ok(proof && revoked, credential.proof[0].cryptosuite);
  }
  assert.equal((await ours(form('vc+jwt')[0], 'application/vc+jwt')).verdict, 'invalid');
});
