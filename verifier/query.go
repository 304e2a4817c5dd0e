package verifier

import "slices"

// query puts the caller's question to the credentials that came. It is asked of what was read, good or bad: a verdict says
// both whether a credential is true and whether it is the one wanted.
func (r *run) query(kind Kind) {
	if r.in.Query == nil {
		return
	}
	r.checks = slices.DeleteFunc(r.checks, func(c Check) bool { return c.Code == "query_none" })
	credentials := []map[string]any{r.doc}
	if kind == KindPresentation {
		credentials = nil
		for _, inner := range r.inner {
			credentials = append(credentials, inner.Credential)
		}
	}
	if err := r.in.Query(credentials); err != nil {
		r.addField("query_unsatisfied", err)
		return
	}
	r.add("query_ok", "")
}
