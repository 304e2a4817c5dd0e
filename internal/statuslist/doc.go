// Package statuslist packs and opens the bit strings of status lists: W3C Bitstring Status List v1.0 (3.3, 3.4) as Bits,
// and IETF Token Status List (4.1, 4.2) as Tokens. The two count from opposite ends of a byte and are compressed
// differently, so they are two types: a list of one kind cannot be read as the other.
//
// Opening is strict: one spelling of base64url, exactly one compressed member, a cap on the opened size that holds while
// opening, and no look beyond the end. The package signs nothing, fetches nothing and knows no credential.
package statuslist
