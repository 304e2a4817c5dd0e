// What a wallet's library needs from its wallet: keys, hashing, signing.
import {createHash, randomBytes} from 'node:crypto';
import {clientAuthenticationAnonymous} from '@openid4vc/oauth2';
import {exportJWK, generateKeyPair, SignJWT} from 'jose';

export async function walletKey(alg = 'EdDSA') {
  const {publicKey, privateKey} = await generateKeyPair(alg, {...(alg === 'EdDSA' ? {crv: 'Ed25519'} : {}), extractable: true});
  const publicJwk = await exportJWK(publicKey);
  const {kty, crv, x} = publicJwk;
  const did = 'did:jwk:' + Buffer.from(JSON.stringify({crv, kty, x})).toString('base64url'); // of an Ed25519 key
  return {alg, publicJwk, privateKey, did};
}

// callbacks signs with whichever of the keys is asked for.
export function callbacks(wanted, clientAuthentication = clientAuthenticationAnonymous()) {
  const keys = [wanted].flat();
  const refuse = () => { throw new Error('not part of this flow'); };
  return {
    fetch: (...args) => globalThis.fetch(...args),
    hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: n => randomBytes(n),
    clientAuthentication,
    signJwt: async (signer, {header, payload}) => {
      const key = keys.find(k => k.publicJwk.x === signer.publicJwk?.x) ?? keys[0];
      return {jwt: await new SignJWT(payload).setProtectedHeader(header).sign(key.privateKey), signerJwk: key.publicJwk};
    },
    verifyJwt: refuse, decryptJwe: refuse, encryptJwe: refuse,
  };
}

export const signerOf = key => ({method: 'jwk', alg: key.alg, publicJwk: key.publicJwk});

// signIn does what the holder does in a browser: reads the page, types the code, and is sent back to the wallet.
export async function signIn(authorizationUrl, txCode, {decision = 'allow', language = 'en'} = {}) {
  const page = await fetch(authorizationUrl, {headers: {accept: 'text/html', 'accept-language': language}});
  const html = await page.text();
  if (!page.ok) throw new Error(`page: ${page.status} ${html}`);
  const unescape = s => s.replaceAll('&#43;', '+').replaceAll('&amp;', '&');
  const field = name => unescape(html.match(new RegExp(`name="${name}" value="([^"]*)"`))[1]);
  const action = new URL(unescape(html.match(/<form[^>]* action="([^"]*)"/)[1]), authorizationUrl);
  const answer = await fetch(action, {
    method: 'POST', redirect: 'manual', headers: {origin: action.origin, 'sec-fetch-site': 'same-origin'},
    body: new URLSearchParams({request_uri: field('request_uri'), client_id: field('client_id'), tx_code: txCode, decision}),
  });
  return {status: answer.status, location: answer.headers.get('location'), html, policy: page.headers.get('content-security-policy')};
}

export async function take(client, key, offer, txCode) {
  const credentialOffer = await client.resolveCredentialOffer(offer);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata, txCode});
  const accessToken = accessTokenResponse.access_token;
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const credentialConfigurationId = credentialOffer.credential_configuration_ids[0];
  const {jwt} = await client.createCredentialRequestJwtProof({
    issuerMetadata, credentialConfigurationId, nonce,
    signer: {method: 'jwk', alg: 'EdDSA', publicJwk: key.publicJwk},
  });
  const request = {issuerMetadata, accessToken, credentialConfigurationId, proofs: {jwt: [jwt]}};
  const {credentialResponse} = await client.retrieveCredentials(request);
  return {issuerMetadata, accessToken, request, credentialResponse};
}
