package rollout

import "math"

// fineBins is how finely values are counted. Bins are joined when they are compared, so that the reference decides where.
const fineBins = 20

// minBinShare is the share of the reference that a joined bin holds at least.
const minBinShare = 0.05

// histogram counts values of one label in fineBins bins of equal width.
type histogram [fineBins]uint64

// add counts a value of [low, 1].
func (h *histogram) add(v, low float64) {
	if math.IsNaN(v) {
		return
	}
	bin := int(float64(fineBins) * (v - low) / (1 - low))
	h[min(max(bin, 0), fineBins-1)]++
}

func (h *histogram) total() (n uint64) {
	for _, c := range h {
		n += c
	}
	return n
}

// psi is the population stability index of live counts against reference counts over the same categories: the sum of
// (p - q) ln(p / q), p and q the shares. Half a count is added to each category, so that an empty one has a share. 0.1 is
// taken for a small shift, 0.2 for a large one.
func psi(reference, live []uint64) float64 {
	p, q := shares(reference), shares(live)
	sum := 0.0
	for i := range p {
		sum += (q[i] - p[i]) * math.Log(q[i]/p[i])
	}
	return sum
}

func shares(counts []uint64) []float64 {
	total := 0.5 * float64(len(counts))
	for _, c := range counts {
		total += float64(c)
	}
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = (float64(c) + 0.5) / total
	}
	return out
}

// psiOf joins neighbouring bins until each holds minBinShare of the reference, and compares. Values that all lie in one bin of
// the reference leave a second one for what lies elsewhere.
func psiOf(reference, live *histogram) float64 {
	need := minBinShare * float64(reference.total())
	var ref, now []uint64
	var r, l uint64
	for i := range reference {
		r, l = r+reference[i], l+live[i]
		if float64(r) >= need && r > 0 {
			ref, now = append(ref, r), append(now, l)
			r, l = 0, 0
		}
	}
	if r > 0 || l > 0 { // what is left at the upper end
		if len(ref) > 1 {
			ref[len(ref)-1] += r
			now[len(now)-1] += l
		} else {
			ref, now = append(ref, r), append(now, l)
		}
	}
	return psi(ref, now)
}
