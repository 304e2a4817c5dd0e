package baseline

import (
	"math"
	"math/rand/v2"
)

// DenseLinear is a linear SVM on dense vectors, which it standardises itself. Safe for use by several goroutines.
type DenseLinear struct {
	scale     standard
	weights   [][]float64 // by output: one weight a feature, then the bias
	twoMargin bool        // one output stands for two classes
}

// FitSVM fits a linear support vector machine, one class against the rest: ½‖w‖² + C Σ weight(y) max(0, 1 - y w·x)² on
// features of mean 0 and standard deviation 1, the bias a regularised weight of the constant 1 (as in LIBLINEAR, L2-loss,
// dual). The vectors are finite and of one width. Two classes are one model.
func FitSVM(x [][]float32, y []int, classes int, o Options) *DenseLinear {
	check(len(x), y, classes)
	o.C = orDefault(o.C, 0.001)
	o.MaxIterations = orDefault(o.MaxIterations, 1000)
	o.Tolerance = orDefault(o.Tolerance, 0.01)
	m := &DenseLinear{scale: newStandard(x), twoMargin: classes == 2}
	rows, squares := m.scale.all(x)
	outputs, first := classes, 0
	if m.twoMargin {
		outputs, first = 1, 1
	}
	m.weights = make([][]float64, outputs)
	inParallel(outputs, o.Workers, func(i int) {
		sides := against(y, first+i)
		m.weights[i] = newMargin(rows, squares, sides, balance(sides, 2, o.Balanced), o).fit(o, uint64(i))
	})
	return m
}

// Decision returns the margin of each class ([-f, f] for two classes): above 0 speaks for the class.
func (m *DenseLinear) Decision(x []float32) []float64 {
	row := m.scale.one(x, nil)
	out := make([]float64, len(m.weights), max(len(m.weights), 2))
	for i, w := range m.weights {
		out[i] = product(row, w)
	}
	if m.twoMargin {
		return append(out[:0], -out[0], out[0])
	}
	return out
}

// Predict returns the class with the largest margin, the first of equal ones.
func (m *DenseLinear) Predict(x []float32) int { return largest(m.Decision(x)) }

// standard brings each feature to mean 0 and standard deviation 1, with the figures of the training rows; a feature that
// never changes becomes 0.
type standard struct {
	mean    []float64
	inverse []float64 // of the standard deviation
}

func newStandard(x [][]float32) standard {
	if len(x) == 0 {
		return standard{}
	}
	n := float64(len(x))
	s := standard{mean: make([]float64, len(x[0])), inverse: make([]float64, len(x[0]))}
	for _, row := range x {
		for f, v := range row {
			s.mean[f] += float64(v) / n
		}
	}
	for _, row := range x {
		for f, v := range row {
			d := float64(v) - s.mean[f]
			s.inverse[f] += d * d / n
		}
	}
	for f, variance := range s.inverse {
		s.inverse[f] = 0
		if deviation := math.Sqrt(variance); deviation > 1e-7*math.Abs(s.mean[f]) { // below it: float32 rounding
			s.inverse[f] = 1 / deviation
		}
	}
	return s
}

// one appends the standardised row to buf.
func (s standard) one(row, buf []float32) []float32 {
	for f := range s.mean {
		buf = append(buf, float32((float64(row[f])-s.mean[f])*s.inverse[f]))
	}
	return buf
}

// all standardises x into one block of memory; squares are the squared lengths with the bias.
func (s standard) all(x [][]float32) (rows [][]float32, squares []float64) {
	wide := len(s.mean)
	block := make([]float32, 0, len(x)*wide)
	for _, row := range x {
		at := len(block)
		block = s.one(row, block)
		own := block[at : at+wide : at+wide]
		sum := 1.0
		for _, v := range own {
			sum += float64(v) * float64(v)
		}
		rows, squares = append(rows, own), append(squares, sum)
	}
	return rows, squares
}

// margin is the dual of one binary SVM: minimise ½ αᵀQα - Σα over α ≥ 0, with Q = y y' x·x' and 1/(2 C weight) added to
// its diagonal. w holds Σ α y x.
type margin struct {
	rows  [][]float32
	sign  []float64
	slack []float64 // by row: what is added to the diagonal of Q
	bend  []float64 // by row: the diagonal of Q
	alpha []float64
	w     []float64 // features, then the bias
}

func newMargin(rows [][]float32, squares []float64, sides []int, classWeights []float64, o Options) *margin {
	m := &margin{rows: rows, w: make([]float64, 1)}
	if len(rows) > 0 {
		m.w = make([]float64, len(rows[0])+1)
	}
	m.sign, m.slack = make([]float64, len(rows)), make([]float64, len(rows))
	m.bend, m.alpha = make([]float64, len(rows)), make([]float64, len(rows))
	for i, side := range sides {
		m.sign[i] = float64(2*side - 1)
		m.slack[i] = 1 / (2 * o.C * classWeights[side])
		m.bend[i] = squares[i] + m.slack[i]
	}
	return m
}

// fit runs passes of dual coordinate descent in random order (Hsieh et al. 2008, algorithm 3): rows that stay at the
// bound leave the active ones, and a pass over all of them confirms the end.
func (m *margin) fit(o Options, stream uint64) []float64 {
	random := rand.New(rand.NewPCG(o.Seed, stream))
	active := make([]int, len(m.rows))
	for i := range active {
		active[i] = i
	}
	size, ceiling := len(active), math.Inf(1)
	for range o.MaxIterations {
		random.Shuffle(size, func(i, j int) { active[i], active[j] = active[j], active[i] })
		var highest, lowest float64
		size, highest, lowest = m.pass(active, size, ceiling)
		if highest-lowest <= o.Tolerance {
			if size == len(active) {
				break
			}
			size, ceiling = len(active), math.Inf(1) // look at the rows that had left
			continue
		}
		if ceiling = highest; ceiling <= 0 {
			ceiling = math.Inf(1)
		}
	}
	return m.w
}

// pass takes one Newton step in each active coordinate and returns how many stay active and the extreme projected
// gradients, 0 when there were none.
func (m *margin) pass(active []int, size int, ceiling float64) (left int, highest, lowest float64) {
	for at := 0; at < size; {
		i := active[at]
		g := m.sign[i]*product(m.rows[i], m.w) - 1 + m.alpha[i]*m.slack[i]
		projected := g
		if m.alpha[i] == 0 {
			if g > ceiling { // stays at the bound: shrink
				size--
				active[at], active[size] = active[size], active[at]
				continue
			}
			projected = min(g, 0)
		}
		highest, lowest = max(highest, projected), min(lowest, projected)
		if math.Abs(projected) > 1e-12 {
			before := m.alpha[i]
			m.alpha[i] = max(before-g/m.bend[i], 0)
			m.add(i, (m.alpha[i]-before)*m.sign[i])
		}
		at++
	}
	return size, highest, lowest
}

// add adds step times row i to w.
func (m *margin) add(i int, step float64) {
	row := m.rows[i]
	w := m.w[:len(row)]
	for f, v := range row {
		w[f] += step * float64(v)
	}
	m.w[len(row)] += step
}

// product is the scalar product of a row, with the constant 1 after it, and w. Four sums keep the processor busy.
func product(row []float32, w []float64) float64 {
	var a, b, c, d float64
	own := w[:len(row)]
	f := 0
	for ; f+4 <= len(row); f += 4 {
		r, v := row[f:f+4:f+4], own[f:f+4:f+4]
		a += float64(r[0]) * v[0]
		b += float64(r[1]) * v[1]
		c += float64(r[2]) * v[2]
		d += float64(r[3]) * v[3]
	}
	for ; f < len(row); f++ {
		a += float64(row[f]) * own[f]
	}
	return a + b + c + d + w[len(row)]
}
