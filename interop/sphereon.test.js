// A second wallet library, which sends one proof a request in the form of an older draft, takes the credential by both flows.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {OpenID4VCIClientV1_0_15 as Client} from '@sphereon/oid4vci-client';
import {acquireDeferredCredential} from '@sphereon/oid4vci-common';
import {SignJWT} from 'jose';
import {confine} from './lib/loader.js';
import {startServer} from './lib/server.js';
import {signIn, walletKey} from './lib/wallet.js';

let server, restore, report;

before(async () => {
  server = await startServer();
  restore = confine(server.origin);
  const answer = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
  report = answer.reports[0].id;
}, {timeout: 180_000});

after(async () => {
  restore?.();
  await server?.stop();
});

const makeOffer = body => server.call('POST', '/v1/offers', JSON.stringify({configuration: 'dei-profile', report, ...body}));

function proofCallbacks(key) {
  return {
    signCallback: async ({header, payload}) => {
      const {kid: _kid, ...rest} = header;
      return new SignJWT(payload).setProtectedHeader({...rest, alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk: key.publicJwk}).sign(key.privateKey);
    },
  };
}

const acquire = (client, key, extra = {}) => client.acquireCredentials({
  credentialConfigurationId: 'dei-profile', credentialTypes: ['VerifiableCredential', 'OpenBadgeCredential'], format: 'ldp_vc', alg: 'ES256', jwk: key.publicJwk,
  context: ['https://www.w3.org/ns/credentials/v2'], proofCallbacks: proofCallbacks(key), ...extra,
});

test('pre-authorised code with transaction code', async () => {
  const key = await walletKey('ES256');
  const offer = await makeOffer({});
  const client = await Client.fromURI({uri: offer.uri, resolveOfferUri: true, retrieveServerMetadata: true, createAuthorizationRequestURL: false});
  await client.acquireAccessToken({pin: offer.tx_code});
  const {credentials, notification_id: notificationId} = await acquire(client, key);
  assert.equal(credentials.length, 1);
  assert.ok(credentials[0].credential.type.includes('OpenBadgeCredential'));
  await client.sendNotification(
    {notificationEndpoint: client.endpointMetadata.credentialIssuerMetadata.notification_endpoint}, {notification_id: notificationId, event: 'credential_accepted'},
    client.accessTokenResponse.access_token,
  );
  assert.equal((await server.call('GET', `/v1/offers/${offer.id}`)).event, 'credential_accepted');
});

test('authorisation code with pushed request and PKCE', async () => {
  const key = await walletKey('ES256');
  const offer = await makeOffer({grants: ['authorization_code']});
  const client = await Client.fromURI({
    uri: offer.uri, clientId: 'wallet.example', resolveOfferUri: true, retrieveServerMetadata: true, createAuthorizationRequestURL: false,
  });
  const url = await client.createAuthorizationRequestUrl({
    authorizationRequest: {clientId: 'wallet.example', redirectUri: 'https://wallet.example/cb', scope: 'dei-profile', parMode: 'REQUIRE'},
    pkce: {codeChallengeMethod: 'S256'},
  });
  const back = await signIn(url, offer.tx_code);
  assert.equal(back.status, 303, back.html);
  await client.acquireAccessToken({authorizationResponse: back.location, redirectUri: 'https://wallet.example/cb'});
  const {credentials} = await acquire(client, key);
  assert.equal(credentials.length, 1);
});

// The library's own waiting does not hand itself the endpoint that the metadata names; its function for it takes one.
test('deferred issuing', async () => {
  const key = await walletKey('ES256');
  const offer = await makeOffer({hold: true});
  const client = await Client.fromURI({uri: offer.uri, resolveOfferUri: true, retrieveServerMetadata: true, createAuthorizationRequestURL: false});
  await client.acquireAccessToken({pin: offer.tx_code});
  const {transaction_id: transactionId} = await acquire(client, key);
  assert.ok(transactionId);
  await server.call('POST', `/v1/offers/${offer.id}/release`, JSON.stringify({decision: 'released'}));
  const {successBody} = await acquireDeferredCredential({
    bearerToken: client.accessTokenResponse.access_token, transactionId, deferredCredentialAwait: false,
    deferredCredentialEndpoint: client.endpointMetadata.credentialIssuerMetadata.deferred_credential_endpoint,
  });
  assert.equal(successBody.credentials.length, 1);
});
