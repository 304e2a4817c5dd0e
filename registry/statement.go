package registry

import (
	"context"
	"fmt"
	"maps"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// AnswerLife is how long a signed answer may be relied on.
const AnswerLife = 5 * time.Minute

// SignAnswer signs what the registry answers to a question of anybody, as a compact JWS of the type typ: claims, with iss,
// iat and exp. It is signed with the statement key and, unlike a change, without a line in the journal: look-ups leave no
// diary (security rule R12), and what is signed says nothing that the log does not hold.
func (r *Registry) SignAnswer(ctx context.Context, typ string, claims map[string]any) (string, error) {
	return r.sign(ctx, r.did, typ, r.did, AnswerLife, claims)
}

// sign signs claims with the statement key of owner's DID, as iss.
func (r *Registry) sign(ctx context.Context, owner, typ, iss string, life time.Duration, claims map[string]any) (string, error) {
	signer, method, err := r.c.Signers.StatementSigner(ctx, owner)
	if err != nil {
		return "", fmt.Errorf("statement key of %s: %w", owner, err)
	}
	now := r.now()
	body := maps.Clone(claims)
	body["iss"], body["iat"], body["exp"] = iss, now.Unix(), now.Add(life).Unix()
	payload, err := schemas.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", typ, err)
	}
	token, err := jose.Sign(map[string]any{"typ": typ, "kid": method}, payload, signer)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return token, nil
}
