package head

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// FitOptions tell how a network is trained. The zero value takes the defaults that stand beside the fields.
type FitOptions struct {
	Hidden   int       // hidden units; 0: a linear head
	L2       []float64 // weight decays to try; nil: 0.001, 0.01, 0.1, 1
	Epochs   int       // at most so many passes over the training rows; 0: 60
	Patience int       // passes without a better validation loss before training stops; 0: 5
	Batch    int       // rows a step; 0: a fiftieth of the training rows, 8 to 64
	Rate     float64   // step size of Adam; 0: 0.001
	Dropout  float64   // share of hidden units left out a step, in [0, 1)
	Balanced bool      // weigh labels by their rarity, up to 5
	Seed     uint64
	Workers  int                   // weight decays tried at once; 0: one a processor
	Progress func(done, total int) // of passes over the training rows, all weight decays together; may be nil
}

func (o FitOptions) withDefaults() FitOptions {
	if o.L2 == nil {
		o.L2 = []float64{1e-3, 1e-2, 1e-1, 1}
	}
	for _, d := range []struct {
		value  *int
		preset int
	}{{&o.Epochs, 60}, {&o.Patience, 5}, {&o.Workers, runtime.GOMAXPROCS(0)}} {
		if *d.value == 0 {
			*d.value = d.preset
		}
	}
	if o.Rate == 0 {
		o.Rate = 1e-3
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

// Validate reports all faults at once.
func (o FitOptions) Validate() error {
	o = o.withDefaults()
	var faults []error
	if o.Hidden < 0 || o.Hidden > maxHidden {
		faults = append(faults, fmt.Errorf("hidden units: %d is not between 0 and %d", o.Hidden, maxHidden))
	}
	if o.Epochs < 1 || o.Patience < 1 || o.Batch < 0 || o.Workers < 1 {
		faults = append(faults, errors.New("epochs, patience, batch and workers must not be negative"))
	}
	if !(o.Rate > 0 && o.Rate < 1) || !(o.Dropout >= 0 && o.Dropout < 1) {
		faults = append(faults, fmt.Errorf("rate %g or dropout %g is out of range", o.Rate, o.Dropout))
	}
	for _, l2 := range o.L2 {
		if !(l2 >= 0 && l2 <= 100) {
			faults = append(faults, fmt.Errorf("weight decay %g is not between 0 and 100", l2))
		}
	}
	if len(o.L2) == 0 {
		faults = append(faults, errors.New("no weight decay to try"))
	}
	return errors.Join(faults...)
}

// Trial is one training run.
type Trial struct {
	L2 float64 `json:"l2"`
	// Epochs were run; the weights of the epoch Best (1-based) were kept.
	Epochs int `json:"epochs"`
	Best   int `json:"best_epoch"`
	// TrainLoss and ValidationLoss are the mean losses by epoch, without the weight decay.
	TrainLoss      []float64 `json:"train_loss"`
	ValidationLoss []float64 `json:"validation_loss"`
}

// Training tells how a network came to be.
type Training struct {
	Trials []Trial `json:"trials"`
	Chosen int     `json:"chosen"` // place in Trials: the lowest validation loss, the larger weight decay of equals
}

// Fit trains a network on the training rows of vectors [rows][width] by Adam in mini-batches, once for each weight decay,
// each stopped when the validation loss no longer falls, and returns the one with the lowest validation loss. Equal input
// gives equal weights, whatever the number of workers. It stops when ctx ends.
func Fit(ctx context.Context, vectors [][]float32, t Targets, p Parts, o FitOptions) (*Network, Training, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, Training{}, err
	}
	if len(vectors) != len(t.Has) || len(p.Train) == 0 || len(p.Validation) == 0 {
		return nil, Training{}, fmt.Errorf("%w: %d vectors for %d rows, %d to train and %d to validate", ErrData,
			len(vectors), len(t.Has), len(p.Train), len(p.Validation))
	}
	if o.Batch == 0 {
		o.Batch = max(8, min(64, len(p.Train)/50)) // few rows need small steps to be walked often enough
	}
	for i, v := range vectors {
		if len(v) != len(vectors[0]) {
			return nil, Training{}, fmt.Errorf("%w: vector %d has %d values, the first %d", ErrData, i, len(v), len(vectors[0]))
		}
		if notFinite(v) >= 0 {
			return nil, Training{}, fmt.Errorf("%w: vector %d", ErrWeights, i)
		}
	}
	base := &Network{Width: len(vectors[0]), Hidden: o.Hidden, Outputs: len(t.Labels)}
	base.Mean, base.Scale = moments(vectors, p.Train)
	s := &trainer{
		options: o, targets: t, width: base.Width, weights: classWeights(t, p.Train, o.Balanced),
		train: set{at: p.Train, z: standardised(vectors, p.Train, base)}, validation: set{at: p.Validation, z: standardised(vectors, p.Validation, base)},
	}
	return s.choose(ctx, base)
}

// moments are, by dimension, the mean and one over the standard deviation of the rows; 0 where a dimension does not vary.
func moments(vectors [][]float32, at []int) (mean, scale []float32) {
	width := len(vectors[0])
	sum, squares := make([]float64, width), make([]float64, width)
	for _, i := range at {
		for d, x := range vectors[i] {
			sum[d] += float64(x)
		}
	}
	for d := range sum {
		sum[d] /= float64(len(at))
	}
	for _, i := range at {
		for d, x := range vectors[i] {
			squares[d] += (float64(x) - sum[d]) * (float64(x) - sum[d])
		}
	}
	mean, scale = make([]float32, width), make([]float32, width)
	for d := range mean {
		mean[d] = float32(sum[d])
		if deviation := math.Sqrt(squares[d] / float64(len(at))); deviation > 1e-5 {
			scale[d] = float32(1 / deviation)
		}
	}
	return mean, scale
}

func standardised(vectors [][]float32, at []int, n *Network) []float32 {
	out := make([]float32, len(at)*n.Width)
	for j, i := range at {
		standardise(out[j*n.Width:(j+1)*n.Width], vectors[i], n.Mean, n.Scale)
	}
	return out
}

// set is a part of the rows with its standardised vectors, row by row.
type set struct {
	at []int
	z  []float32
}

func (s set) row(j, width int) []float32 { return s.z[j*width : (j+1)*width] }

// trainer holds what all trials share; it is not changed while they run.
type trainer struct {
	options           FitOptions
	targets           Targets
	width             int
	weights           []float64
	train, validation set

	mu   sync.Mutex // guards done
	done int
}

func (s *trainer) choose(ctx context.Context, base *Network) (*Network, Training, error) {
	trials := make([]Trial, len(s.options.L2))
	networks := make([]*Network, len(trials))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.options.Workers)
	for i, l2 := range s.options.L2 {
		g.Go(func() error {
			var err error
			networks[i], trials[i], err = s.trial(ctx, base, l2)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, Training{}, err
	}
	chosen := 0
	for i, trial := range trials {
		best, loss := trials[chosen], trial.ValidationLoss[trial.Best-1]
		if least := best.ValidationLoss[best.Best-1]; loss < least || loss == least && trial.L2 > best.L2 {
			chosen = i
		}
	}
	return networks[chosen], Training{Trials: trials, Chosen: chosen}, networks[chosen].check()
}

// trainStream is the second half of the generator's seed.
const trainStream = 0x747261696e

// trial is one training run. All trials start from the same weights and see the rows in the same order.
func (s *trainer) trial(ctx context.Context, base *Network, l2 float64) (*Network, Trial, error) {
	draw := rand.New(rand.NewPCG(s.options.Seed, trainStream))
	count := size(s.width, s.options.Hidden, len(s.targets.Labels))
	w := make([]float32, count)
	m := newMLP(s.width, s.options.Hidden, len(s.targets.Labels), w)
	start(m, draw)
	step := newAdam(count, s.options.Rate)
	pass := newPass(s, m, l2)
	best := make([]float32, count)
	trial := Trial{L2: l2}
	order := make([]int, len(s.train.at))
	for i := range order {
		order[i] = i
	}
	for epoch := 1; epoch <= s.options.Epochs; epoch++ {
		draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		loss, err := pass.epoch(ctx, order, step, w, draw)
		if err != nil {
			return nil, Trial{}, err
		}
		validation := pass.loss(s.validation)
		trial.Epochs, trial.TrainLoss, trial.ValidationLoss = epoch, append(trial.TrainLoss, loss), append(trial.ValidationLoss, validation)
		if trial.Best == 0 || validation < trial.ValidationLoss[trial.Best-1] {
			trial.Best = epoch
			copy(best, w)
		}
		stop := epoch-trial.Best >= s.options.Patience
		s.progress(epoch, stop)
		if stop {
			break
		}
	}
	n := *base
	kept := newMLP(s.width, n.Hidden, n.Outputs, best)
	n.W1, n.B1, n.W2, n.B2 = kept.w1, kept.b1, kept.w2, kept.b2
	return &n, trial, nil
}

// progress counts the passes that are done or will not be needed.
func (s *trainer) progress(epoch int, stopped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if stopped {
		s.done += s.options.Epochs - epoch
	}
	s.options.Progress(s.done, s.options.Epochs*len(s.options.L2))
}

// start draws the weights (He for the rectified layer, small for the last one) and sets the biases to 0.
func start(m mlp[float32], draw *rand.Rand) {
	for i := range m.w1 {
		m.w1[i] = float32(draw.NormFloat64() * math.Sqrt(2/float64(m.width)))
	}
	for i := range m.w2 {
		m.w2[i] = float32(draw.NormFloat64() * 0.1 / math.Sqrt(float64(m.inner())))
	}
}

// DefaultHidden is the usual number of hidden units.
const DefaultHidden = 32
