package context

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
)

// Digest is the digest of a resource as its owner publishes it, in the two spellings that credentials use.
type Digest struct {
	SHA256 string // hex
	SHA384 string // base64 with padding, as in "sha384-" + SHA384
}

// PublishedDigests returns the digests of the bytes that the owner of address publishes or has published, newest first;
// nil for an unknown address. They serve relatedResource checks (VC Data Model 2.0, 5.3) only: the embedded copies are
// equal as JSON to the newest but may differ in white space, and are pinned by Table.
//
// The credentials v2 context has two: that of the Recommendation, and that of 20 July 2024, whose digest the model's
// own test suite carries.
func PublishedDigests(address string) []Digest {
	if path, ok := ownPath(address); ok {
		data, err := embedded.ReadFile(own()[path])
		if err != nil {
			panic("context: " + own()[path] + " is not embedded")
		}
		s256, s384 := sha256.Sum256(data), sha512.Sum384(data)
		return []Digest{{SHA256: hex.EncodeToString(s256[:]), SHA384: base64.StdEncoding.EncodeToString(s384[:])}}
	}
	switch address {
	case "https://www.w3.org/ns/credentials/v2":
		return []Digest{
			{SHA256: "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734", SHA384: "l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"},
			{SHA256: "24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9", SHA384: "NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg"},
		}
	case "https://www.w3.org/2018/credentials/v1":
		return []Digest{
			{SHA256: "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc", SHA384: "gsOz6rhjdUu/0rnxfY1tufYRafMBy/CwXh/EvrX1xR3U0uiIwnT0nD+7JAj2H67R"},
		}
	case "https://www.w3.org/ns/credentials/examples/v2":
		return []Digest{
			{SHA256: "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c", SHA384: "zNNbQTWCSUSi0bbz7dbua+RcENv7C6FvlmYJ1Y+I727HsPOHdzwELMYO9Mz68M26"},
		}
	case "https://www.w3.org/2018/credentials/examples/v1":
		return []Digest{
			{SHA256: "2070ae4e75bc3b4c2cfe2b8b6e86ec45119672bbb5da283f0399ea96c60a0104", SHA384: "KAEVVL+ub5UqO9KKkhQFtmwaTQWecNIM2yQkyl+KURpXaWDVanBnC+NiYzIlEi8o"},
		}
	case "https://www.w3.org/ns/credentials/undefined-terms/v2":
		return []Digest{
			{SHA256: "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581", SHA384: "sqZszdunC6Z62Zwv9S5gVY3wBjzqUcTKiG4l2epzz6u4eLr5LcKtK9omwxORhQ1o"},
		}
	case "https://www.w3.org/ns/credentials/status/v1":
		return []Digest{
			{SHA256: "fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7", SHA384: "rA74E4M+vWZrYXCmHFrazG19L1oEDRbCko6EFNT6B/ZNcDEwIeAr9Pl73RI+2ahO"},
		}
	case "https://w3id.org/vc/status-list/2021/v1":
		return []Digest{
			{SHA256: "6dd06a52bedb771e059c1083ba8ba7848dce22f6b4a8cfa0b98ba3fc188870e4", SHA384: "Oc9AfsrrWHpZ4uNnOEIZ0U5S1Zl2JM5hu8mvSn5OP2IF5dEAtMTm/R4ZvDcEbFGU"},
		}
	case "https://w3id.org/security/data-integrity/v1":
		return []Digest{
			{SHA256: "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554", SHA384: "H3tRFUwstZa4BNPu3qu3Z4x+pNNvUgFJamgdvYaNXcDLkKiDn1FCzNyR/bksWtzy"},
		}
	case "https://w3id.org/security/data-integrity/v2":
		return []Digest{
			{SHA256: "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4", SHA384: "DuLXYmcX+LB81Em1JdXitx/icgn8meUwieAWndKUTXk/7qRSb8YLucyhzZZRI5H2"},
		}
	case "https://w3id.org/security/multikey/v1":
		return []Digest{
			{SHA256: "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597", SHA384: "D6UWQdEvuMcBsuapSSVW8l0yu0r4SpbxGAjwpiO5ckNN0YqPHxhlvGjY7gRsTlo+"},
		}
	case "https://w3id.org/security/jwk/v1":
		return []Digest{
			{SHA256: "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece", SHA384: "di3FXOefNh47vrfTyw3bPkS44ohSYfgoMYOVnRqqM5BK9qgAUFntlkFQDqt9jdrl"},
		}
	case "https://www.w3.org/ns/cid/v1":
		return []Digest{
			{SHA256: "ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85", SHA384: "Mn2STUpIUY61Ql6KlDCj8g2WeLsREc3b8P8qZ7hU7khcLvFJ381FFt/Br35zO+wY"},
		}
	case "https://www.w3.org/ns/did/v1":
		return []Digest{
			{SHA256: "adefa50311393eb1bd788a38ac9fe2696c65367928f6996812cd54577394f4da", SHA384: "zAm3mPG9My8w/g+qEMbFXLG0qcuuBIZdaj3c9wmbvgW56e6YLSr894KjAFpSe7q3"},
		}
	case "https://w3id.org/security/v1":
		return []Digest{
			{SHA256: "abaf97e107d1925503c433dcaf3ffd2831697cacc1ed2a293e1bc8030d5bcb47", SHA384: "VgCmSRydJZ6z+mBaRx0Jb1H4gh8CXjrEBodDo9Adx7aHh3GGIMbPrKCj6cYU1tJC"},
		}
	case "https://w3id.org/security/v2":
		return []Digest{
			{SHA256: "611bd81151d5efe53ec9aed78f5a813e577287bc9451ee26d6879b1b8b46bc3b", SHA384: "A4m81fPMqat1qu1tJACJdZ8Mzx843lgjQhGW6co4Yz27sLOUNWp5MGDcR92EeiUp"},
		}
	case "https://w3id.org/security/suites/ed25519-2020/v1":
		return []Digest{
			{SHA256: "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588", SHA384: "CYsY9HK4Qs+nUgNk1AYqo8l4lsF6alrnLmv7UJZB5k7tlhVrNfd3EoPf06U8zXnR"},
		}
	case "https://w3id.org/security/suites/jws-2020/v1":
		return []Digest{
			{SHA256: "d648e05ddc6577827ca2bfd5e931f53e9ebc6e52a57a8da81df4ec8c46ffcd1e", SHA384: "aKzpbl5oj07QdMz03NKVLhKuZTUQBH/AsGdwdgD6bgYbHvPs8VlG1FKtTJ/SRhc7"},
		}
	case "https://purl.imsglobal.org/spec/ob/v3p0/context.json":
		return []Digest{
			{SHA256: "b077fa134d909d92c1dcd1c153f2af1b244aeb415967fdc1467d7fc5dd48ac10", SHA384: "zHcVdFeEExngWrDZZX/hRBUKYmwfD9icDmOfWNRo7bVRNZfZ8URZMQyG7GuXW3TM"},
		}
	case "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json":
		return []Digest{
			{SHA256: "cfc147db5fd5e3575b06bd471fe04784e92de69296f64a351b8dff0ec3372e9c", SHA384: "rLjNRjXFWIXsyJ8zol3RdQd0IosjMuHkaxj0K87wQ67OSMsBRBbNCHxXYqwJE0ST"},
		}
	case "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json":
		return []Digest{
			{SHA256: "bba433989e1e700ca60838a3c22378e7d8381aeb0c9590f9ddf84d1714f10296", SHA384: "pEezHo9uhm2MbfQfZhkogjVxvQnNbNBUesL79d/KGZ9bFK4osq8rh8dNPsHT5tMt"},
		}
	case "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json":
		return []Digest{
			{SHA256: "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761", SHA384: "yFn2wAoeABPuecHlzHVmtt+mwolxxGzhqzIhzfuitsbYbmMOVn0DwMeAvC+a1Rek"},
		}
	case "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json":
		return []Digest{
			{SHA256: "146f85aa16effd7ca1da8056eb443f53ce1eca8a34186cb062832c0a97d889c3", SHA384: "z1mktLGQrnmIFKtryRHALv3ikcOGrtG7Eb1aVy0esmab/YcBnplDiNtQSgmsJE1e"},
		}
	}
	return nil
}
