// A wallet's client library answers our OpenID4VP requests in every flow: signed request by reference with GET and POST,
// unsigned by value, plain and encrypted, same device and cross device, the Digital Credentials API, and a refusal.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {after, before, test} from 'node:test';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite as eddsaRdfc2022} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {clientAuthenticationAnonymous} from '@openid4vc/oauth2';
import * as oauth2 from '@openid4vc/oauth2';
import * as openid4vci from '@openid4vc/openid4vci';
import * as openid4vp from '@openid4vc/openid4vp';
import {CompactEncrypt, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT} from 'jose';
import {confine, documentLoader} from './lib/loader.js';
import {startServer} from './lib/server.js';

let server, restore, holder, credential;

before(async () => {
  server = await startServer();
  restore = confine(server.origin);
  for (const library of [oauth2, openid4vci]) library.setGlobalConfig({allowInsecureUrls: true});
  const answer = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
  holder = await newHolder();
  credential = await take(answer.reports[0].id);
}, {timeout: 180_000});

after(async () => {
  restore?.();
  await server?.stop();
});

async function newHolder() {
  const {publicKey, privateKey} = await generateKeyPair('EdDSA', {crv: 'Ed25519', extractable: true});
  const jwk = {...await exportJWK(privateKey), alg: 'EdDSA'};
  const bare = await Ed25519Multikey.fromJwk({jwk, secretKey: true});
  const {publicKeyMultibase} = await bare.export({publicKey: true});
  const did = `did:key:${publicKeyMultibase}`;
  const key = await Ed25519Multikey.fromJwk({jwk, secretKey: true, id: `${did}#${publicKeyMultibase}`, controller: did});
  key.id = `${did}#${publicKeyMultibase}`;
  return {did, key, publicJwk: await exportJWK(publicKey), privateKey};
}

const never = () => { throw new Error('not part of this flow'); };

function callbacks() {
  return {
    fetch: (...args) => globalThis.fetch(...args),
    hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: n => randomBytes(n),
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (_signer, {header, payload}) => ({
      jwt: await new SignJWT(payload).setProtectedHeader(header).sign(holder.privateKey), signerJwk: holder.publicJwk,
    }),
    // The request is signed by a key of our DID document; the library names it, we look it up.
    verifyJwt: async (signer, {compact}) => {
      const document = await didDocument(signer.didUrl.split('#')[0]);
      const method = document.verificationMethod.find(m => m.id === signer.didUrl);
      assert.ok(document.authentication.includes(method.id), 'the request key is listed for authentication');
      const jwk = await publicJwk(method);
      await jwtVerify(compact, await importJWK(jwk, 'ES256'));
      return {verified: true, signerJwk: jwk};
    },
    decryptJwe: never,
    encryptJwe: async ({publicJwk, alg, enc}, plaintext) => ({
      jwe: await new CompactEncrypt(new TextEncoder().encode(plaintext)).setProtectedHeader({alg, enc, kid: publicJwk.kid})
        .encrypt(await importJWK(publicJwk, alg)),
      encryptionJwk: publicJwk,
    }),
  };
}

async function didDocument(did) {
  const [, , host, ...path] = did.split(':');
  assert.equal(`http://${decodeURIComponent(host)}`, server.origin);
  return fetch(server.origin + (path.length ? `/${path.join('/')}` : '/.well-known') + '/did.json').then(r => r.json());
}

async function publicJwk(method) {
  const EcdsaMultikey = await import('@digitalbazaar/ecdsa-multikey');
  return EcdsaMultikey.toJwk({keyPair: await EcdsaMultikey.from(method)});
}

async function take(report) {
  const client = new openid4vci.Openid4vciClient({callbacks: {...callbacks(), verifyJwt: never}});
  const offer = await server.call('POST', '/v1/offers', JSON.stringify({configuration: 'dei-profile', report}));
  const credentialOffer = await client.resolveCredentialOffer(offer.uri);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata, txCode: offer.tx_code});
  const credentialConfigurationId = credentialOffer.credential_configuration_ids[0];
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const {jwt} = await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId, nonce, signer: {method: 'did', alg: 'EdDSA', didUrl: holder.key.id},
  });
  const {credentialResponse} = await client.retrieveCredentials({
    issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId, proofs: {jwt: [jwt]},
  });
  return credentialResponse.credentials[0].credential;
}

const ask = body => server.call('POST', '/v1/presentations/requests', JSON.stringify(body));
const read = (id, code) => server.call('GET', `/v1/presentations/requests/${id}${code ? `?response_code=${code}` : ''}`);
const wallet = () => new openid4vp.Openid4vpClient({callbacks: callbacks()});
const level = n => ({dimension: 'social_awareness', level: n});

// open resolves a request as a wallet does.
async function open(created, options = {}) {
  const client = wallet();
  const parsed = client.parseOpenid4vpAuthorizationRequest({authorizationRequest: created.wallet_url});
  return client.resolveOpenId4vpAuthorizationRequest({authorizationRequestPayload: parsed.params, ...options});
}

async function present(request, {challenge = request.nonce, domain = request.client_id, with: shown = credential} = {}) {
  const presentation = {
    '@context': ['https://www.w3.org/ns/credentials/v2'], type: ['VerifiablePresentation'], holder: holder.did, verifiableCredential: [shown],
  };
  const suite = new DataIntegrityProof({signer: holder.key.signer(), cryptosuite: eddsaRdfc2022});
  return vc.signPresentation({presentation, suite, challenge, domain, documentLoader: documentLoader(server.origin)});
}

async function submit(request, vpToken) {
  const client = wallet();
  const encrypted = request.response_mode.endsWith('.jwt');
  const created = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request, authorizationResponsePayload: {vp_token: vpToken}, origin: server.origin,
    ...(encrypted ? {jarm: {encryption: {}, serverMetadata: {
      authorization_encryption_alg_values_supported: ['ECDH-ES'], authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM'],
      authorization_signing_alg_values_supported: [],
    }}} : {}),
  });
  if (request.response_mode.startsWith('dc_api')) return created;
  const {response} = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: request, authorizationResponsePayload: created.authorizationResponsePayload, jarm: created.jarm && {responseJwt: created.jarm.responseJwt},
  });
  return {status: response.status, body: await response.clone().json().catch(() => undefined)};
}

test('cross device, signed by our DID, encrypted answer', async () => {
  const created = await ask({flow: 'cross_device', template: level(1)});
  assert.match(created.client_id, /^decentralized_identifier:did:web:/);
  const {authorizationRequestPayload: request, dcql} = await open(created);
  assert.equal(request.response_mode, 'direct_post.jwt');
  assert.ok(dcql, 'the library reads our DCQL');
  assert.equal((await read(created.transaction_id)).state, 'requested');
  assert.equal((await submit(request, {dei_ld: [await present(request)]})).status, 200);
  const {state, result} = await read(created.transaction_id);
  assert.equal(state, 'consumed');
  assert.equal(result.verdict, 'valid', JSON.stringify(result.credentials.map(c => c.result.checks.filter(x => x.outcome !== 'pass' && x.outcome !== 'not_applicable'))));
  assert.equal(result.browserBound, false);
  assert.equal(result.credentials[0].holderBound, true);
  assert.equal((await read(created.transaction_id)).result, undefined, 'a result is read once');
  assert.equal((await submit(request, {dei_ld: [await present(request)]})).status, 400, 'a session is answered once');
});

test('same device: the result needs the response code', async () => {
  const created = await ask({flow: 'same_device', template: level(1), response_mode: 'direct_post', redirect_uri_template: `${server.origin}/done?code={RESPONSE_CODE}`});
  const {authorizationRequestPayload: request} = await open(created);
  assert.equal(request.response_mode, 'direct_post');
  const {body} = await submit(request, {dei_ld: [await present(request)]});
  const code = new URL(body.redirect_uri).searchParams.get('code');
  const waiting = await read(created.transaction_id);
  assert.equal(waiting.response_code_required, true);
  assert.equal(waiting.result, undefined);
  await assert.rejects(read(created.transaction_id, code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A')));
  const {result} = await read(created.transaction_id, code);
  assert.equal(result.verdict, 'valid');
  assert.equal(result.browserBound, true);
});

test('the request is fetched by GET too, and once', async () => {
  const created = await ask({flow: 'cross_device', template: level(1)});
  const link = created.wallet_url.replace('&request_uri_method=post', '');
  const {authorizationRequestPayload: request} = await open({wallet_url: link});
  assert.equal(request.client_id, created.client_id);
  await assert.rejects(open(created), 'a request object is handed out once');
});

test('wallet_nonce comes back in the request object', async () => {
  const created = await ask({flow: 'cross_device', template: level(1)});
  const answer = await fetch(created.request_uri, {method: 'POST', body: new URLSearchParams({wallet_nonce: 'n-0S6', wallet_metadata: '{}'})});
  assert.equal(answer.headers.get('content-type'), 'application/oauth-authz-req+jwt');
  const payload = JSON.parse(Buffer.from((await answer.text()).split('.')[1], 'base64url'));
  assert.equal(payload.wallet_nonce, 'n-0S6');
  assert.equal(payload.aud, 'https://self-issued.me/v2');
});

test('unsigned by value', async () => {
  const query = {credentials: [{
    id: 'badge', format: 'ldp_vc',
    meta: {type_values: [['https://www.w3.org/2018/credentials#VerifiableCredential', 'https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential']]},
    claims: [{path: ['credentialSubject', 'achievement', 'id']}],
  }]};
  const created = await ask({flow: 'cross_device', dcql_query: query, client_id_prefix: 'redirect_uri'});
  const {authorizationRequestPayload: request} = await open(created);
  assert.equal(request.client_id, `redirect_uri:${request.response_uri}`);
  assert.equal((await submit(request, {badge: [await present(request)]})).status, 200);
  assert.equal((await read(created.transaction_id)).result.verdict, 'valid');
});

test('Digital Credentials API, signed and unsigned', async () => {
  for (const protocol of ['openid4vp-v1-unsigned', 'openid4vp-v1-signed']) {
    const created = await ask({flow: 'dc_api', template: level(1), expected_origins: [server.origin]});
    const {data} = created.digital_requests.find(r => r.protocol === protocol);
    const {authorizationRequestPayload: request} = await wallet().resolveOpenId4vpAuthorizationRequest({authorizationRequestPayload: data, origin: server.origin});
    const answer = await submit(request, {dei_ld: [await present(request, {domain: `origin:${server.origin}`})]});
    await server.call('POST', `/v1/presentations/requests/${created.transaction_id}/dc-api`, JSON.stringify({
      protocol, origin: server.origin, data: {response: answer.jarm.responseJwt},
    }));
    const {result} = await read(created.transaction_id);
    assert.equal(result.verdict, 'valid', protocol);
    assert.equal(result.browserBound, true);
  }
});

test('what was not asked, or not made for this request, is refused', async () => {
  const created = await ask({flow: 'cross_device', template: level(1)});
  const {authorizationRequestPayload: request} = await open(created);
  for (const [what, token] of Object.entries({
    'another nonce': {dei_ld: [await present(request, {challenge: 'something-else'})]},
    'another audience': {dei_ld: [await present(request, {domain: created.client_id.split(':').slice(1).join(':')})]},
    'an id that was not asked': {other: [await present(request)]},
    'two for one': {dei_ld: [await present(request), await present(request)]},
  })) assert.equal((await submit(request, token)).status, 400, what);
  const plain = new URLSearchParams({state: request.state, vp_token: JSON.stringify({dei_ld: [await present(request)]})});
  assert.equal((await fetch(request.response_uri, {method: 'POST', body: plain})).status, 400, 'a plain answer where an encrypted one was asked');
  assert.equal((await read(created.transaction_id)).state, 'requested', 'a refused answer leaves the session as it was');
  assert.equal((await submit(request, {dei_ld: [await present(request)]})).status, 200);
});

test('a level that is not reached, and a changed credential, are not valid', async () => {
  const changed = structuredClone(credential);
  changed.credentialSubject.achievement.name += '!';
  const reached = credential.credentialSubject.result.find(r => r.resultDescription.endsWith('#social_awareness')).achievedLevel.slice(-1);
  for (const [template, shown] of [[level(1), changed], ...(reached < 4 ? [[level(4), credential]] : [])]) {
    const created = await ask({flow: 'cross_device', template});
    const {authorizationRequestPayload: request} = await open(created);
    assert.equal((await submit(request, {dei_ld: [await present(request, {with: shown})]})).status, 200);
    assert.equal((await read(created.transaction_id)).result.verdict, 'invalid');
  }
});

test('a person who declines', async () => {
  const created = await ask({flow: 'cross_device', template: level(1)});
  const {authorizationRequestPayload: request} = await open(created);
  const body = new URLSearchParams({error: 'access_denied', state: request.state});
  assert.equal((await fetch(request.response_uri, {method: 'POST', body})).status, 200);
  const {state, error} = await read(created.transaction_id);
  assert.deepEqual([state, error], ['declined', 'access_denied']);
});
