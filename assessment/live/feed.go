package live

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/intake"
)

// Kinds of scene that a feed may be about.
func kinds() []string { return []string{"social", "game", "event", "support", "market", "other"} }

// Purposes of feeds.
func Purposes() []string {
	return []string{"community_care", "service_quality", "market_mood", "event_mood"}
}

// Measures of a window: means over authors.
func Measures() []string {
	return []string{"hostile", "distress", "anger", "fear", "sadness", "joy", "gratitude", "valence"}
}

// Ways of a Rule.
const (
	Above = "above" // the measure is at or above Bound
	Below = "below"
	Rise  = "rise" // it is Bound or more above the mean of the windows before
	Fall  = "fall"
)

// Rule raises an alert.
type Rule struct {
	Name    string  `json:"name"`
	Measure string  `json:"measure"`
	When    string  `json:"when"` // above, below, rise, fall
	Bound   float64 `json:"bound"`
	// Windows: for above and below, for how many shown windows in a row it must hold; for rise and fall, how many windows before
	// make the mean.
	Windows int `json:"windows"`
	// Cooldown is how many seconds the rule stays silent after an alert.
	Cooldown int `json:"cooldown_seconds"`
}

// Settings of a feed.
type Settings struct {
	Kind    string `json:"kind"`
	Purpose string `json:"purpose"`
	Window  int    `json:"window_seconds"`
	// Group is the smallest number of authors that is shown; 0 reads MinGroup.
	Group int    `json:"min_group"`
	Rules []Rule `json:"rules"`
}

var ruleName = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

func (s *Settings) check() error {
	switch {
	case s.Kind == "work" || s.Kind == "class":
		return fmt.Errorf("kind %s: %w", s.Kind, ErrForbiddenUse)
	case slices.Contains(intake.ForbiddenPurposes(), s.Purpose):
		return fmt.Errorf("purpose %s: %w", s.Purpose, ErrForbiddenUse)
	case !slices.Contains(kinds(), s.Kind):
		return field("/kind", strings.Join(kinds(), ", "))
	case !slices.Contains(Purposes(), s.Purpose):
		return field("/purpose", strings.Join(Purposes(), ", "))
	case s.Window < 60 || s.Window > 3600:
		return field("/window_seconds", "60 to 3600")
	case s.Group != 0 && s.Group < MinGroup || s.Group > 10000:
		return field("/min_group", fmt.Sprintf("%d to 10000", MinGroup))
	case len(s.Rules) > 20:
		return field("/rules", "at most 20 rules")
	}
	s.Group = max(s.Group, MinGroup)
	for i, r := range s.Rules {
		at := fmt.Sprintf("/rules/%d/", i)
		switch {
		case !ruleName.MatchString(r.Name) || slices.ContainsFunc(s.Rules[:i], func(o Rule) bool { return o.Name == r.Name }):
			return field(at+"name", "1 to 40 lower-case letters, digits, - and _, each once")
		case !slices.Contains(Measures(), r.Measure):
			return field(at+"measure", strings.Join(Measures(), ", "))
		case !slices.Contains([]string{Above, Below, Rise, Fall}, r.When):
			return field(at+"when", "above, below, rise or fall")
		case math.IsNaN(r.Bound) || r.Bound < -2 || r.Bound > 2:
			return field(at+"bound", "a number from -2 to 2")
		case r.Windows < 1 || r.Windows > maxHistory:
			return field(at+"windows", fmt.Sprintf("1 to %d", maxHistory))
		case r.Cooldown < 0 || r.Cooldown > 86400:
			return field(at+"cooldown_seconds", "0 to 86400")
		}
	}
	return nil
}

// Message is one line of a feed.
type Message struct {
	Author string `json:"author"`
	Text   string `json:"text"`
	// Role: lines by staff, host, agent, npc and bot are dropped before they are read.
	Role string `json:"role,omitempty"`
}

// Roles that are dropped.
func dropped(role string) bool {
	return slices.Contains([]string{"staff", "agent", "host", "moderator", "trainer", "npc", "bot"}, role)
}

// Added tells what became of messages that were sent.
type Added struct {
	Taken   int `json:"taken"`
	Dropped int `json:"dropped"` // staff, bots, languages that are not read
}

// Update is what a reader of a feed gets: a window or an alert.
type Update struct {
	Number uint64  `json:"number"`
	Window *Window `json:"window,omitempty"`
	Alert  *Alert  `json:"alert,omitempty"`
}

// Window is what a group wrote in a stretch of time.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Shown is false where too few wrote; then there is nothing but the times.
	Shown    bool               `json:"shown"`
	Authors  int                `json:"authors,omitempty"`
	Messages int                `json:"messages,omitempty"`
	Measures map[string]float64 `json:"measures,omitempty"`
}

// Alert is a rule that was met.
type Alert struct {
	Rule    string    `json:"rule"`
	Measure string    `json:"measure"`
	At      time.Time `json:"at"`
	Value   float64   `json:"value"`
	Bound   float64   `json:"bound"`
}

// maxHistory is how many shown windows a feed remembers, for rules; maxUpdates how many updates, for readers that come again.
const (
	maxHistory = 60
	maxUpdates = 200
)

// Feed is one stream of messages that belong to no subject.
type Feed struct {
	ID       string
	Settings Settings
	service  *Service
	tenant   string

	mu      sync.Mutex // guards what follows; held for bookkeeping only
	key     [32]byte   // of the open window; drawn anew for each
	from    time.Time
	authors map[[16]byte]*sums
	count   int
	waiting int
	history []map[string]float64
	quiet   map[string]time.Time // by rule: until when
	updates []Update
	number  uint64
	readers map[chan Update]bool
	used    time.Time
	ended   bool
}

// sums are what one author wrote in the open window.
type sums struct {
	n      float64
	values map[string]float64
}

func (f *Feed) begin(now time.Time) {
	f.from, f.authors, f.count = now, map[[16]byte]*sums{}, 0
	if f.quiet == nil {
		f.quiet = map[string]time.Time{}
	}
}

// Add takes messages. They are scored one after another; ErrBusy where too many wait already, and then none was taken.
func (f *Feed) Add(ctx context.Context, messages []Message) (Added, error) {
	var out Added
	jobs := make([]*job, 0, len(messages))
	for i, m := range messages {
		if n := len(m.Author); n < 1 || n > 128 {
			return out, field(fmt.Sprintf("/messages/%d/author", i), "a string of 1 to 128 bytes")
		}
		if dropped(m.Role) {
			out.Dropped++
			continue
		}
		in, err := f.service.input(m.Text)
		if errors.Is(err, ErrLanguage) {
			out.Dropped++
			continue
		}
		if err != nil {
			return out, field(fmt.Sprintf("/messages/%d/text", i), fmt.Sprintf("a text of 1 to %d characters", maxText))
		}
		author := m.Author
		jobs = append(jobs, &job{ctx: context.WithoutCancel(ctx), input: in, done: func(scores assessment.Scores, err error) { f.take(author, scores, err) }})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.ended:
		return Added{}, fmt.Errorf("feed: %w", ErrNotFound)
	case f.waiting+len(jobs) > maxWaiting:
		return Added{}, ErrBusy
	}
	f.used = f.service.c.Now()
	for _, j := range jobs {
		if !f.service.offer(j) {
			if out.Taken == 0 {
				return Added{}, ErrBusy
			}
			return out, nil // the caller reads how many were taken
		}
		f.waiting++
		out.Taken++
	}
	return out, nil
}

// take adds the scores of one message to the open window.
func (f *Feed) take(author string, scores assessment.Scores, err error) {
	s := f.service
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting--
	if err != nil || f.ended {
		return
	}
	mac := hmac.New(sha256.New, f.key[:])
	mac.Write([]byte(author))
	id := [16]byte(mac.Sum(nil))
	a := f.authors[id]
	if a == nil {
		a = &sums{values: map[string]float64{}}
		f.authors[id] = a
	}
	a.n++
	f.count++
	emotion := func(labels ...string) (p float64) {
		for _, l := range labels {
			p = max(p, s.probability(scores, assessment.HeadEmotion, l))
		}
		return p
	}
	for name, v := range map[string]float64{
		"hostile": s.hostile(scores), "distress": s.probability(scores, assessment.HeadDistress, ""), "anger": emotion("anger"),
		"fear": emotion("fear_worry"), "sadness": emotion("sadness"), "joy": emotion("joy", "amusement"), "gratitude": emotion("gratitude"),
		"valence": s.probability(scores, assessment.HeadVA, "valence"),
	} {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			a.values[name] += v
		}
	}
}

// roll closes the window where its time is over, and forgets who wrote.
func (f *Feed) roll(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	length := time.Duration(f.Settings.Window) * time.Second
	if f.ended || now.Sub(f.from) < length {
		return
	}
	w := Window{From: f.from, To: f.from.Add(length)}
	if len(f.authors) >= f.Settings.Group {
		w.Shown, w.Authors, w.Messages, w.Measures = true, len(f.authors), f.count, f.means()
	}
	mac := hmac.New(sha256.New, f.key[:])
	mac.Write([]byte("next window"))
	f.key = [32]byte(mac.Sum(nil))
	f.begin(now)
	f.publish(Update{Window: &w})
	if w.Shown {
		f.alert(w)
		f.history = append(f.history, w.Measures)
		f.history = f.history[max(0, len(f.history)-maxHistory):]
	}
}

// means are the means over authors, each counted once, in two decimals.
func (f *Feed) means() map[string]float64 {
	out := map[string]float64{}
	for _, name := range Measures() {
		var each []float64
		for _, a := range f.authors {
			each = append(each, a.values[name]/a.n)
		}
		slices.Sort(each) // floats add up alike in one order only
		total := 0.0
		for _, v := range each {
			total += v
		}
		out[name] = math.Round(100*total/float64(len(each))) / 100
	}
	return out
}

// alert holds the rules against a shown window.
func (f *Feed) alert(w Window) {
	for _, r := range f.Settings.Rules {
		value := w.Measures[r.Measure]
		if !f.met(r, value) || w.To.Before(f.quiet[r.Name]) {
			continue
		}
		f.quiet[r.Name] = w.To.Add(time.Duration(r.Cooldown) * time.Second)
		f.publish(Update{Alert: &Alert{Rule: r.Name, Measure: r.Measure, At: w.To, Value: value, Bound: r.Bound}})
	}
}

func (f *Feed) met(r Rule, value float64) bool {
	holds := func(v float64) bool {
		if r.When == Above {
			return v >= r.Bound
		}
		return v <= r.Bound
	}
	switch r.When {
	case Above, Below:
		if !holds(value) || len(f.history) < r.Windows-1 {
			return false
		}
		return !slices.ContainsFunc(f.history[len(f.history)-r.Windows+1:], func(m map[string]float64) bool { return !holds(m[r.Measure]) })
	}
	if len(f.history) < r.Windows {
		return false
	}
	mean := 0.0
	for _, m := range f.history[len(f.history)-r.Windows:] {
		mean += m[r.Measure] / float64(r.Windows)
	}
	const slack = 1e-9 // of sums of two decimals
	if r.When == Rise {
		return value-mean >= r.Bound-slack
	}
	return mean-value >= r.Bound-slack
}

// publish sends an update to the readers. One that does not keep up is cut off: it comes again and goes on after its last number.
func (f *Feed) publish(u Update) {
	f.number++
	u.Number = f.number
	f.updates = append(f.updates, u)
	f.updates = f.updates[max(0, len(f.updates)-maxUpdates):]
	for r := range f.readers {
		select {
		case r <- u:
		default:
			delete(f.readers, r)
			close(r)
			f.used = f.service.c.Now() // it may come again
		}
	}
}

// Follow returns the updates after a number that are still remembered, and a channel of those to come. The channel is closed when the
// feed ends or its reader does not keep up. stop ends following; it may be called more than once.
func (f *Feed) Follow(after uint64) (past []Update, next <-chan Update, stop func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil, nil, nil, fmt.Errorf("feed: %w", ErrNotFound)
	}
	const room, maxReaders = 64, 100
	if len(f.readers) >= maxReaders {
		return nil, nil, nil, ErrBusy
	}
	for _, u := range f.updates {
		if u.Number > after {
			past = append(past, u)
		}
	}
	ch := make(chan Update, room)
	f.readers[ch] = true
	f.used = f.service.c.Now()
	return past, ch, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.readers[ch] {
			delete(f.readers, ch)
			close(ch)
		}
	}, nil
}

func (f *Feed) idle(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.readers) == 0 && now.Sub(f.used) > idleLife
}

// end closes the feed and forgets what it holds.
func (f *Feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for r := range f.readers {
		close(r)
	}
	f.readers, f.authors, f.history, f.updates = map[chan Update]bool{}, nil, nil, nil
}
