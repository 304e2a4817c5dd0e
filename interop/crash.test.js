// Every state of a flow survives kill -9: the process is killed between all steps, and the wallet goes on where it was.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import * as oauth2 from '@openid4vc/oauth2';
import * as openid4vci from '@openid4vc/openid4vci';
import {confine} from './lib/loader.js';
import {startServer} from './lib/server.js';
import {callbacks, signerOf, signIn, walletKey} from './lib/wallet.js';

let server, restore, report;

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

test('a flow goes on after kill -9 at every step', {timeout: 300_000}, async () => {
  const key = await walletKey();
  const redirectUri = 'https://wallet.example/cb';
  const order = JSON.stringify({configuration: 'dei-profile', report, grants: ['authorization_code'], hold: true});
  const create = () => server.call('POST', '/v1/offers', order, 'application/json', {'idempotency-key': 'offer-1'});
  const offer = await create();
  await server.crash();
  assert.deepEqual(await create(), offer, 'the same idempotency key gives the same offer');
  const client = new openid4vci.Openid4vciClient({callbacks: callbacks([key])});
  const credentialOffer = await client.resolveCredentialOffer(offer.uri);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const started = await client.initiateAuthorization({credentialOffer, issuerMetadata, clientId: 'w', redirectUri});
  await server.crash();
  const back = await signIn(started.authorizationRequestUrl, offer.tx_code);
  await server.crash();
  const authorizationCode = new URL(back.location).searchParams.get('code');
  const redeem = () => client.retrieveAuthorizationCodeAccessTokenFromOffer({
    issuerMetadata, credentialOffer, authorizationCode, pkceCodeVerifier: started.pkce.codeVerifier, redirectUri,
    additionalRequestPayload: {client_id: 'w'},
  });
  const {accessTokenResponse} = await redeem();
  await server.crash();
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  await server.crash();
  const {jwt} = await client.createCredentialRequestJwtProof({issuerMetadata, credentialConfigurationId: 'dei-profile', nonce, signer: signerOf(key)});
  const ask = () => client.retrieveCredentials({
    issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId: 'dei-profile', proofs: {jwt: [jwt]},
  });
  const {credentialResponse: {transaction_id: transactionId}} = await ask();
  await server.crash();
  await assert.rejects(ask(), 'a nonce stays used');
  await server.call('POST', `/v1/offers/${offer.id}/release`, JSON.stringify({decision: 'released'}));
  await server.crash();
  const oauth = new oauth2.Oauth2Client({callbacks: callbacks([key])});
  const {accessTokenResponse: fresh} = await oauth.retrieveRefreshTokenAccessToken({
    authorizationServerMetadata: issuerMetadata.authorizationServers[0], refreshToken: accessTokenResponse.refresh_token,
    additionalRequestPayload: {client_id: 'w'},
  });
  await server.crash();
  const collect = () => client.retrieveDeferredCredentials({issuerMetadata, accessToken: fresh.access_token, transactionId});
  const {deferredCredentialResponse} = await collect();
  assert.equal(deferredCredentialResponse.credentials.length, 1);
  await server.crash();
  await assert.rejects(collect(), 'a transaction stays used');
  const state = await server.call('GET', `/v1/offers/${offer.id}`);
  assert.equal(state.credentials.length, 1, 'one credential, not two');
  await assert.rejects(redeem(), 'a code stays used');
  assert.equal((await server.call('GET', `/v1/offers/${offer.id}`)).state, 'revoked', 'a code that comes twice ends the tokens');
});
