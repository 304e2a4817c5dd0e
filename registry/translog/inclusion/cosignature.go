package inclusion

import (
	"fmt"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// Cosignature is a witness's word that it saw a checkpoint, consistent with what it saw before (C2SP tlog-cosignature).
type Cosignature struct {
	Witness string
	At      time.Time
}

// Cosignatures returns those of a checkpoint that verify with the witnesses' keys, given in note form with either Ed25519
// algorithm byte. Lines of other witnesses are passed over. It returns ErrCheckpoint for a key or note that is malformed.
func Cosignatures(signed []byte, witnesses ...string) ([]Cosignature, error) {
	if len(signed) > maxCheckpoint {
		return nil, fmt.Errorf("%d bytes: %w", len(signed), ErrCheckpoint)
	}
	var out []Cosignature
	for _, key := range witnesses {
		v, err := formats.NewVerifierForCosignatureV1(key)
		if err != nil {
			return nil, fmt.Errorf("witness key: %w: %w", err, ErrCheckpoint)
		}
		n, err := note.Open(signed, note.VerifierList(v))
		if _, none := err.(*note.UnverifiedNoteError); none { //nolint:errorlint // the library returns it as it is
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, ErrCheckpoint)
		}
		at, err := formats.CoSigV1Timestamp(n.Sigs[0])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, ErrCheckpoint)
		}
		out = append(out, Cosignature{Witness: v.Name(), At: at.UTC()})
	}
	return out, nil
}
