// What the wallets of the tests have in common: a holder's key, and the way from an offer to a credential.
import {createHash, randomBytes} from 'node:crypto';
import {clientAuthenticationAnonymous} from '@openid4vc/oauth2';
import {exportJWK, generateKeyPair, SignJWT} from 'jose';

export async function walletKey() {
  const {publicKey, privateKey} = await generateKeyPair('EdDSA', {crv: 'Ed25519', extractable: true});
  const publicJwk = await exportJWK(publicKey);
  const {kty, crv, x} = publicJwk;
  const did = 'did:jwk:' + Buffer.from(JSON.stringify({crv, kty, x})).toString('base64url');
  return {publicJwk, privateKey, did};
}

export function callbacks(key) {
  const refuse = () => { throw new Error('not part of this flow'); };
  return {
    fetch: (...args) => globalThis.fetch(...args),
    hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: n => randomBytes(n),
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (_signer, {header, payload}) => ({
      jwt: await new SignJWT(payload).setProtectedHeader(header).sign(key.privateKey), signerJwk: key.publicJwk,
    }),
    verifyJwt: refuse, decryptJwe: refuse, encryptJwe: refuse,
  };
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
