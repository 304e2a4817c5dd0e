package edge

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"heartmark/api/problem"
)

// Accept picks one of the media types that can be sent by the request's Accept header (RFC 9110, 12.5.1); the first where there
// is none or where several are wanted alike. What the client takes none of is problem.ErrNotAcceptable.
func Accept(r *http.Request, offers ...string) (string, error) {
	header := strings.Join(r.Header.Values("Accept"), ",")
	const longest = 1024 // parsing is linear, the header is a stranger's
	if header == "" || len(header) > longest {
		return offers[0], nil
	}
	best, found := 0.0, ""
	for _, offer := range offers {
		if q := quality(header, offer); q > best {
			best, found = q, offer
		}
	}
	if found == "" {
		return "", fmt.Errorf("accept %q: %w", header, problem.ErrNotAcceptable)
	}
	return found, nil
}

// quality is the weight that the most special range of an Accept header gives to a media type.
func quality(header, mediaType string) float64 {
	kind, _, _ := strings.Cut(mediaType, "/")
	q, rank := 0.0, 0
	for entry := range strings.SplitSeq(header, ",") {
		parts := strings.Split(entry, ";")
		special := map[string]int{mediaType: 3, kind + "/*": 2, "*/*": 1}[strings.ToLower(strings.TrimSpace(parts[0]))]
		if special <= rank {
			continue
		}
		weight := 1.0
		for _, p := range parts[1:] {
			name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if strings.EqualFold(name, "q") {
				v, err := strconv.ParseFloat(value, 64)
				if err != nil || v < 0 || v > 1 {
					v = 0
				}
				weight = v
			}
		}
		q, rank = weight, special
	}
	return q
}
