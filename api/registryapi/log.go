package registryapi

import (
	"fmt"
	"strconv"

	"heartmark/api/edge"
	"heartmark/api/problem"

	"github.com/labstack/echo/v4"
)

// ConsistencyAnswer proves that the log of To entries only appended to the log of From entries.
type ConsistencyAnswer struct {
	From       uint64   `json:"from"`
	To         uint64   `json:"to"`
	Proof      []string `json:"proof"` // hashes, standard base64 (RFC 6962, 2.1.2)
	Checkpoint string   `json:"checkpoint"`
}

// Inclusion is GET /log/inclusion?index=: the proof that the entry at an index stands under the newest checkpoint. Nothing
// is looked up by what an entry says.
func (h *Handler) Inclusion(c echo.Context) error {
	query, err := edge.Query(c.Request(), "index")
	if err != nil {
		return err
	}
	index, err := queryNumber(query, "index")
	if err != nil {
		return err
	}
	found, err := h.Log.InclusionProof(c.Request().Context(), index)
	if err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	return h.public(c, found)
}

// Consistency is GET /log/consistency?from=&to=: sizes of the log, to no larger than that of the newest checkpoint.
func (h *Handler) Consistency(c echo.Context) error {
	query, err := edge.Query(c.Request(), "from", "to")
	if err != nil {
		return err
	}
	from, err := queryNumber(query, "from")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	checkpoint, err := h.Log.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	to, err := queryNumber(query, "to")
	if err != nil {
		return err
	}
	found, err := h.Log.ConsistencyProof(ctx, from, to)
	if err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	return h.public(c, ConsistencyAnswer{From: from, To: to, Proof: found, Checkpoint: string(checkpoint)})
}

// queryNumber reads a number that must be there, in its one decimal form.
func queryNumber(query map[string]string, name string) (uint64, error) {
	n, err := strconv.ParseUint(query[name], 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != query[name] {
		return 0, fmt.Errorf("%s is not a number: %w", name, problem.ErrQuery)
	}
	return n, nil
}
