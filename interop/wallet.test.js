// A wallet's client library takes the demo credential over OpenID4VCI, two independent verifiers check it before and
// after revocation, and each of them refuses it with one character changed.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as eddsaRdfc2022} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {verifyCredential} from '@digitalcredentials/verifier-core';
import * as oauth2 from '@openid4vc/oauth2';
import * as openid4vci from '@openid4vc/openid4vci';
import {confine, documentLoader} from './lib/loader.js';
import {startServer} from './lib/server.js';
import {callbacks, take, walletKey} from './lib/wallet.js';

let server, restore, report, credential;

before(async () => {
  server = await startServer();
  restore = confine(server.origin);
  for (const library of [oauth2, openid4vci]) library.setGlobalConfig({allowInsecureUrls: true});
  const answer = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
  report = answer.reports[0].id;
}, {timeout: 180_000});

after(async () => {
  restore?.();
  await server?.stop();
});

test('a wallet takes the credential with a transaction code', async () => {
  const key = await walletKey();
  const client = new openid4vci.Openid4vciClient({callbacks: callbacks(key)});
  const offer = await server.call('POST', '/v1/offers', JSON.stringify({configuration: 'dei-profile', report}));
  await assert.rejects(take(client, key, offer.uri, '000000'), 'a wrong transaction code must be refused');
  const taken = await take(client, key, offer.uri, offer.tx_code);
  assert.equal(taken.credentialResponse.credentials.length, 1);
  credential = taken.credentialResponse.credentials[0].credential;
  assert.ok(credential.type.includes('OpenBadgeCredential'));
  assert.match(credential.credentialSubject.id, /^did:(jwk|key):/);
  await client.sendNotification({
    issuerMetadata: taken.issuerMetadata, accessToken: taken.accessToken,
    notification: {notificationId: taken.credentialResponse.notification_id, event: 'credential_accepted'},
  });
  await assert.rejects(client.retrieveCredentials(taken.request), 'a replayed nonce must be refused');
  await assert.rejects(take(client, key, offer.uri, offer.tx_code), 'an offer is redeemed once');
});

const suite = () => new DataIntegrityProof({cryptosuite: eddsaRdfc2022});
const loader = () => documentLoader(server.origin);

function withStatus(statusOf) {
  const load = loader();
  return async options => checkStatus({
    ...options, documentLoader: load, suite: suite(), verifyBitstringStatusListCredential: true, verifyMatchingIssuers: false, ...statusOf,
  });
}

async function digitalBazaar(subject) {
  const result = await vc.verifyCredential({credential: subject, suite: suite(), documentLoader: loader(), checkStatus: withStatus()});
  return {proof: result.results?.[0]?.verified === true, status: result.statusResult, result};
}

// describe shows an error with its causes, which JSON leaves out.
const describe = error => `${error?.message} ${(error?.errors ?? []).map(describe)} ${error?.cause ? describe(error.cause) : ''}`;

async function digitalCredentials(subject) {
  const result = await verifyCredential({credential: structuredClone(subject), knownDIDRegistries: []});
  const step = id => result.log?.find(entry => entry.id === id);
  return {result, signature: step('valid_signature')?.valid === true, revocation: step('revocation_status')};
}

test('@digitalbazaar/vc verifies it', async () => {
  const {proof, status, result} = await digitalBazaar(credential);
  assert.ok(proof, describe(result.error));
  assert.ok(status.results?.every(r => r.status === false), describe(status.error));
});

test('@digitalcredentials/verifier-core verifies it', async () => {
  const {signature, revocation, result} = await digitalCredentials(credential);
  assert.ok(signature, JSON.stringify(result.errors));
  assert.equal(revocation?.valid, true, JSON.stringify(result.log));
});

test('both refuse it with one character changed', async () => {
  const changed = structuredClone(credential);
  changed.credentialSubject.achievement.name += '!';
  assert.equal((await digitalBazaar(changed)).proof, false);
  assert.equal((await digitalCredentials(changed)).signature, false);
});

test('after revocation both see it, and our own verdict is invalid', async () => {
  await server.call('POST', `/v1/credentials/${encodeURIComponent(credential.id)}/status`, JSON.stringify({status: 'revoked', reason: 'test'}));
  let verdict;
  for (let i = 0; i < 120; i++) {
    verdict = await server.call('POST', '/v1/verify', JSON.stringify(credential), 'application/vc');
    if (verdict.verdict === 'invalid') break;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
  assert.equal(verdict.verdict, 'invalid');
  const bazaar = await digitalBazaar(credential);
  assert.ok(bazaar.proof);
  assert.ok(bazaar.status.results.some(r => r.status === true), JSON.stringify(bazaar.status));
  const core = await digitalCredentials(credential);
  assert.equal(core.revocation?.valid, false, JSON.stringify(core.result.log ?? core.result.errors));
});

