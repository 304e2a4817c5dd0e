// A wallet's client library walks every flow of OpenID4VCI against the server: authorisation code with pushed request, PKCE
// and DPoP, batches, deferred issuing, encryption, wallet and key attestation, notification, refresh.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {clientAuthenticationClientAttestationJwt, createClientAttestationJwt} from '@openid4vc/oauth2';
import * as oauth2 from '@openid4vc/oauth2';
import * as base58 from 'base58-universal';
import * as openid4vci from '@openid4vc/openid4vci';
import {compactDecrypt, CompactEncrypt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, jwtVerify} from 'jose';
import {confine} from './lib/loader.js';
import {startServer} from './lib/server.js';
import {callbacks, signerOf, signIn, walletKey} from './lib/wallet.js';

const redirectUri = 'https://wallet.example/cb';
const clientId = 'wallet.example';
const codeGrant = 'authorization_code';
const preGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';
let server, restore, report, maker;

before(async () => {
  maker = await walletKey('ES256');
  server = await startServer({
    settings: {wallets: {batch: 5, attesters: [{issuer: 'https://maker.example', keys_file: {file: 'maker.jwks'}}]}},
    files: {'maker.jwks': JSON.stringify({keys: [maker.publicJwk]})},
  });
  restore = confine(server.origin);
  for (const library of [oauth2, openid4vci]) library.setGlobalConfig({allowInsecureUrls: true});
  const answer = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
  report = answer.reports[0].id;
}, {timeout: 180_000});

after(async () => {
  restore?.();
  await server?.stop();
});

const makeOffer = body => server.call('POST', '/v1/offers', JSON.stringify({configuration: 'dei-profile', report, ...body}));

async function begin(keys, uri, authentication) {
  const client = new openid4vci.Openid4vciClient({callbacks: callbacks(keys, authentication)});
  const credentialOffer = await client.resolveCredentialOffer(uri);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  return {client, credentialOffer, issuerMetadata};
}

async function ask(client, issuerMetadata, accessToken, keys, {dpop, target = {credentialConfigurationId: 'dei-profile'}, keyAttestationJwt, ...rest} = {}) {
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const jwt = await Promise.all(keys.map(async key => (await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId: 'dei-profile', nonce, signer: signerOf(key), keyAttestationJwt, ...rest,
  })).jwt));
  return client.retrieveCredentials({issuerMetadata, accessToken, proofs: {jwt}, dpop, ...target});
}

// byCode goes from an offer to tokens by the authorisation code flow.
async function byCode(keys, offer, {authentication, dpop, ...request} = {}) {
  const {client, credentialOffer, issuerMetadata} = await begin(keys, offer.uri, authentication);
  const started = await client.initiateAuthorization({credentialOffer, issuerMetadata, clientId, redirectUri, dpop, ...request});
  const back = await signIn(started.authorizationRequestUrl, offer.tx_code);
  assert.equal(back.status, 303, back.html);
  const authorizationServerMetadata = issuerMetadata.authorizationServers[0];
  const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({url: back.location, authorizationServerMetadata});
  assert.equal(answer.iss, issuerMetadata.credentialIssuer.credential_issuer);
  const tokens = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
    issuerMetadata, credentialOffer, authorizationCode: answer.code, pkceCodeVerifier: started.pkce.codeVerifier, redirectUri,
    dpop: started.dpop ?? dpop, additionalRequestPayload: {client_id: clientId},
  });
  return {client, credentialOffer, issuerMetadata, started, back, ...tokens};
}

test('authorisation code flow with pushed request, PKCE, DPoP, refresh and notification', async () => {
  const [holder, proofKey] = [await walletKey(), await walletKey('ES256')];
  const offer = await makeOffer({grants: [codeGrant]});
  const dpop = {signer: signerOf(proofKey)};
  const flow = await byCode([holder, proofKey], offer, {dpop, scope: 'dei-profile'});
  assert.match(flow.started.authorizationRequestUrl, /request_uri=urn/, 'the request was not pushed');
  assert.match(flow.back.policy, /script-src 'self'.*form-action 'self' https:\/\/wallet\.example;/);
  assert.equal(flow.accessTokenResponse.token_type, 'DPoP');
  const answer = await ask(flow.client, flow.issuerMetadata, flow.accessTokenResponse.access_token, [holder], {dpop: flow.dpop ?? dpop});
  assert.equal(answer.credentialResponse.credentials.length, 1);
  await flow.client.sendNotification({
    issuerMetadata: flow.issuerMetadata, accessToken: flow.accessTokenResponse.access_token, dpop: {...dpop, ...answer.dpop},
    notification: {notificationId: answer.credentialResponse.notification_id, event: 'credential_accepted'},
  });
  assert.equal((await server.call('GET', `/v1/offers/${offer.id}`)).event, 'credential_accepted');
  const oauth = new oauth2.Oauth2Client({callbacks: callbacks([holder, proofKey])});
  const refreshed = await oauth.retrieveRefreshTokenAccessToken({
    authorizationServerMetadata: flow.issuerMetadata.authorizationServers[0], refreshToken: flow.accessTokenResponse.refresh_token,
    dpop, additionalRequestPayload: {client_id: clientId},
  });
  const again = await ask(flow.client, flow.issuerMetadata, refreshed.accessTokenResponse.access_token, [holder], {dpop: refreshed.dpop ?? dpop});
  assert.deepEqual(again.credentialResponse.credentials, answer.credentialResponse.credentials, 'the same key gets the same credential');
});

test('the page speaks Chinese, takes a denial, and counts wrong codes', async () => {
  const key = await walletKey();
  const offer = await makeOffer({grants: [codeGrant]});
  const {client, credentialOffer, issuerMetadata} = await begin([key], offer.value_uri);
  const url = async () => (await client.initiateAuthorization({credentialOffer, issuerMetadata, clientId, redirectUri})).authorizationRequestUrl;
  const zh = await signIn(await url(), '000000', {language: 'zh'});
  assert.match(zh.html, /允许此钱包领取您的凭证吗/);
  const denied = await signIn(await url(), '', {decision: 'deny'});
  assert.match(denied.location, /error=access_denied.*iss=/);
  assert.equal((await server.call('GET', `/v1/offers/${offer.id}`)).wrong_tries, zh.status === 303 ? 0 : 1);
});

test('a batch by authorization_details and credential_identifier', async () => {
  const keys = [await walletKey(), await walletKey('ES256'), await walletKey()];
  const offer = await makeOffer({});
  const {client, credentialOffer, issuerMetadata} = await begin(keys, offer.uri);
  const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode: offer.tx_code,
    additionalRequestPayload: {authorization_details: JSON.stringify([{type: 'openid_credential', credential_configuration_id: 'dei-profile'}])},
  });
  const [identifier] = accessTokenResponse.authorization_details[0].credential_identifiers;
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const jwt = await Promise.all(keys.map(async key => (await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId: 'dei-profile', nonce, signer: signerOf(key),
  })).jwt));
  const response = await fetch(issuerMetadata.credentialIssuer.credential_endpoint, {
    method: 'POST', headers: {authorization: `Bearer ${accessTokenResponse.access_token}`, 'content-type': 'application/json'},
    body: JSON.stringify({credential_identifier: identifier, proofs: {jwt}}),
  });
  const {credentials} = await response.json();
  assert.equal(credentials?.length, 3);
  assert.equal(new Set(credentials.map(c => c.credential.credentialSubject.id)).size, 3, 'one credential for each key');
});

test('a credential that is held back comes after its release', async () => {
  const key = await walletKey();
  const offer = await makeOffer({hold: true});
  const {client, credentialOffer, issuerMetadata} = await begin([key], offer.uri);
  const {accessTokenResponse: {access_token: accessToken}} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata, txCode: offer.tx_code});
  const first = await ask(client, issuerMetadata, accessToken, [key]);
  const transactionId = first.credentialResponse.transaction_id;
  assert.ok(transactionId && first.credentialResponse.interval > 0);
  const waiting = await client.retrieveDeferredCredentials({issuerMetadata, accessToken, transactionId});
  assert.equal(waiting.deferredCredentialResponse.transaction_id, transactionId);
  assert.equal((await server.call('GET', `/v1/offers/${offer.id}`)).waiting, true);
  await server.call('POST', `/v1/offers/${offer.id}/release`, JSON.stringify({decision: 'released'}));
  const {deferredCredentialResponse} = await client.retrieveDeferredCredentials({issuerMetadata, accessToken, transactionId});
  assert.equal(deferredCredentialResponse.credentials.length, 1);
  await assert.rejects(client.retrieveDeferredCredentials({issuerMetadata, accessToken, transactionId}), 'a transaction works once');
});

test('a credential that is refused does not come', async () => {
  const key = await walletKey();
  const offer = await makeOffer({hold: true});
  const {client, credentialOffer, issuerMetadata} = await begin([key], offer.uri);
  const {accessTokenResponse: {access_token: accessToken}} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata, txCode: offer.tx_code});
  const {credentialResponse: {transaction_id: transactionId}} = await ask(client, issuerMetadata, accessToken, [key]);
  await server.call('POST', `/v1/offers/${offer.id}/release`, JSON.stringify({decision: 'refused', reason: 'too little evidence'}));
  await assert.rejects(client.retrieveDeferredCredentials({issuerMetadata, accessToken, transactionId}), /Error retrieving deferred/);
});

test('an encrypted request gets an encrypted answer', async () => {
  const key = await walletKey();
  const offer = await makeOffer({});
  const {client, credentialOffer, issuerMetadata} = await begin([key], offer.uri);
  const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata, txCode: offer.tx_code});
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const {jwt} = await client.createCredentialRequestJwtProof({issuerMetadata, credentialConfigurationId: 'dei-profile', nonce, signer: signerOf(key)});
  const {jwks, enc_values_supported: encs} = issuerMetadata.credentialIssuer.credential_request_encryption;
  const pair = await generateKeyPair('ECDH-ES', {crv: 'P-256', extractable: true});
  const jwk = {...await exportJWK(pair.publicKey), alg: 'ECDH-ES', kid: 'mine', use: 'enc'};
  const body = {credential_configuration_id: 'dei-profile', proofs: {jwt: [jwt]}, credential_response_encryption: {jwk, enc: encs[0]}};
  const request = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(body)))
    .setProtectedHeader({alg: 'ECDH-ES', enc: 'A256GCM', kid: jwks.keys[0].kid}).encrypt(await importJWK(jwks.keys[0]));
  const response = await fetch(issuerMetadata.credentialIssuer.credential_endpoint, {
    method: 'POST', headers: {authorization: `Bearer ${accessTokenResponse.access_token}`, 'content-type': 'application/jwt'}, body: request,
  });
  assert.equal(response.headers.get('content-type'), 'application/jwt');
  const answer = await response.text();
  assert.equal(decodeProtectedHeader(answer).kid, 'mine');
  const {plaintext} = await compactDecrypt(answer, pair.privateKey);
  assert.equal(JSON.parse(new TextDecoder().decode(plaintext)).credentials.length, 1);
});

test('wallet attestation at every endpoint of the authorisation server, key attestation in proofs', async () => {
  const [instance, holder, second] = [await walletKey('ES256'), await walletKey('ES256'), await walletKey('ES256')];
  const signing = callbacks([maker]);
  const attestation = await createClientAttestationJwt({
    callbacks: signing, clientId, issuer: 'https://maker.example', signer: signerOf(maker), confirmation: {jwk: instance.publicJwk},
    expiresAt: new Date(Date.now() + 600_000),
  });
  const keys = [instance, holder];
  const offer = await makeOffer({grants: [codeGrant]});
  const flow = await byCode(keys, offer, {
    authentication: clientAuthenticationClientAttestationJwt({callbacks: callbacks(keys), clientAttestationJwt: attestation}),
  });
  assert.match(flow.back.html, /A wallet maker whom the issuer trusts/);
  const {c_nonce: nonce} = await flow.client.requestNonce({issuerMetadata: flow.issuerMetadata});
  const {jwt: keyAttestationJwt} = await openid4vci.createKeyAttestationJwt({
    callbacks: signing, signer: signerOf(maker), use: 'proof_type.attestation', nonce, attestedKeys: [holder.publicJwk, second.publicJwk],
    keyStorage: ['iso_18045_high'], userAuthentication: ['iso_18045_high'], expiresAt: new Date(Date.now() + 600_000),
    additionalPayload: {iss: 'https://maker.example'},
  }).then(r => typeof r === 'string' ? {jwt: r} : r);
  const {credentialResponse} = await flow.client.retrieveCredentials({
    issuerMetadata: flow.issuerMetadata, accessToken: flow.accessTokenResponse.access_token, credentialConfigurationId: 'dei-profile',
    proofs: {attestation: [keyAttestationJwt]},
  });
  assert.equal(credentialResponse.credentials.length, 2, 'one credential for each attested key');
});

test('both grants in one offer, pictures and page', async () => {
  const offer = await makeOffer({grants: [preGrant, codeGrant], configuration: 'dei-profile', configurations: ['dei-social_skills']});
  assert.equal(offer.offer.credential_configuration_ids.length, 2);
  for (const [address, type] of [[offer.qr_png, 'image/png'], [offer.qr_svg, 'image/svg+xml'], [offer.page, 'text/html; charset=utf-8']]) {
    const response = await fetch(address);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), type);
  }
});

test('signed metadata verifies with the key that the DID document lists', async () => {
  const {issuer} = {issuer: `${server.origin}/oid4vci/${server.tenant}`};
  const response = await fetch(`${server.origin}/.well-known/openid-credential-issuer/oid4vci/${server.tenant}`, {headers: {accept: 'application/jwt'}});
  assert.equal(response.headers.get('content-type'), 'application/jwt');
  const jwt = await response.text();
  const {kid, typ} = decodeProtectedHeader(jwt);
  assert.equal(typ, 'openidvci-issuer-metadata+jwt');
  const document = await (await fetch(`${server.origin}/${server.tenant}/did.json`)).json();
  const method = document.verificationMethod.find(m => m.id === kid);
  assert.ok(method, `${kid} is not in the DID document`);
  assert.ok(!document.assertionMethod.includes(kid), 'the metadata key signs no credentials');
  const raw = base58.decode(method.publicKeyMultibase.slice(1)).slice(2);
  const key = await importJWK({kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url')}, 'EdDSA');
  const {payload} = await jwtVerify(jwt, key);
  assert.equal(payload.sub, issuer);
  assert.equal(payload.credential_issuer, issuer);
});
