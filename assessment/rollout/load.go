package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/model"
)

// ErrHeads is wrapped when a model lacks a head that the assessment reads. Such a model could not score all dimensions; it
// does not load.
var ErrHeads = errors.New("model lacks a head")

// requiredHeads are the heads that gates and facets read. The others are for evaluation and for the literature.
func requiredHeads() []string {
	return []string{
		assessment.HeadEmotion, assessment.HeadVA, assessment.HeadER, assessment.HeadIP, assessment.HeadEX, assessment.HeadHostility,
		assessment.HeadCtxIgnore, assessment.HeadCtxEscalate, assessment.HeadCtxInsult, assessment.HeadPoliteness, assessment.HeadAct,
		assessment.HeadReappraisal, assessment.HeadSelfNaming, assessment.HeadDistress, assessment.HeadRelevance,
	}
}

// BuiltIn describes the model that is compiled into this program.
func BuiltIn() (Model, error) {
	m, err := model.Open(model.Embedded())
	if err != nil {
		return Model{}, err
	}
	digest, err := model.SumsDigest(model.Embedded())
	if err != nil {
		return Model{}, err
	}
	d := describe(m, Digest(digest))
	d.BuiltIn = true
	return d, nil
}

// ErrSeal is wrapped when an entry of the list was not made by this installation's own Register: add the model again with
// the digest of its release.
var ErrSeal = errors.New("model was not added by this installation")

// sealKind names what is sealed: what the operator vouched for when the model was added.
const sealKind = "model"

// statement is what the operator vouched for.
func statement(m Model) []byte {
	return []byte(strings.Join([]string{"heartmark/model/v1", string(m.Digest), m.ID, m.Version, m.SHA256}, "\x00"))
}

// Load reads the files of a catalogued model. A model that is not built in must carry the seal that this installation made when
// the operator added it (design, section 9 decision 23); each call checks every file against the digest that was given then, the
// card, and the heads. It wraps ErrSeal, model.ErrDigest, model.ErrCard, model.ErrManifest and ErrHeads.
func (c *Catalogue) Load(ctx context.Context, m Model) (*model.Manifest, error) {
	if !m.BuiltIn {
		vouched, err := c.c.Sealer.Open(ctx, "", sealKind, string(m.Digest), m.Seal)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w: %w", m.Name(), ErrSeal, err)
		}
		if !bytes.Equal(vouched, statement(m)) {
			return nil, fmt.Errorf("model %s: %w: the list says otherwise than the seal", m.Name(), ErrSeal)
		}
	}
	return load(m)
}

func load(m Model) (*model.Manifest, error) {
	if m.BuiltIn {
		manifest, err := model.Open(model.Embedded())
		if err != nil {
			return nil, fmt.Errorf("built-in model: %w", err)
		}
		if err := checkHeads(manifest); err != nil {
			return nil, err
		}
		return manifest, nil
	}
	manifest, err := model.OpenFolder(os.DirFS(m.Folder), string(m.Digest))
	if err == nil {
		err = checkHeads(manifest)
	}
	if err != nil {
		return nil, fmt.Errorf("model folder %s: %w", m.Folder, err)
	}
	return manifest, nil
}

func checkHeads(m *model.Manifest) error {
	labels := m.Labels()
	var missing []string
	for _, head := range requiredHeads() {
		if len(labels[head]) == 0 {
			missing = append(missing, head)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrHeads, strings.Join(missing, ", "))
	}
	return nil
}

func describe(m *model.Manifest, digest Digest) Model {
	d := Model{Digest: digest, ID: m.ID, Version: m.Version, SHA256: m.Digests[model.FileModel], Scale: m.Scale}
	for _, h := range m.Heads {
		d.Heads = append(d.Heads, h.Name)
	}
	return d
}
