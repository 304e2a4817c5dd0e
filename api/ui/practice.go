package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/ui/words"
	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/schemas"
)

// Practice gives scenarios, reads answers to them and counts what people think of the feedback.
type Practice interface {
	// Scenarios returns all scenarios, in their order.
	Scenarios() []training.Scenario
	// Practise reads an answer; nothing of it is kept. It returns problem.ErrUnavailable where there is no classifier, and
	// problem.ErrBusy where too many are being read.
	Practise(ctx context.Context, x assessment.Exchange) (assessment.Practised, error)
	// Available reports whether answers can be read at all.
	Available() bool
	// Mark counts a mark of the feedback on a scenario.
	Mark(scenario string, m FeedbackMark)
}

// FeedbackMark is what a person thinks of feedback.
type FeedbackMark string

// The marks.
const (
	FeedbackFits    FeedbackMark = "fits"
	FeedbackWrong   FeedbackMark = "wrong"
	FeedbackContext FeedbackMark = "context"
)

// Valid reports whether m is one of the marks.
func (m FeedbackMark) Valid() bool {
	return m == FeedbackFits || m == FeedbackWrong || m == FeedbackContext
}

type practicePage struct {
	page
	Available           bool
	Progress            progressView
	Next                *scenarioLine
	Scenes              []scenarioLine
	Count               string
	More                bool // there are scenes that are not listed yet
	Dimensions          []option
	Difficulties        []option
	Dimension, Hardness string
}

// firstScenes is how many scenes are listed before the visitor asks for more.
const firstScenes = 12

type option struct {
	Value, Text string
	Chosen      bool
}

type scenarioLine struct {
	ID, Situation, Dimension, Scene, Difficulty string
	Level                                       int
	Done                                        bool
}

type scenePage struct {
	page
	Available bool
	Scene     scenarioLine
	Message   string
	Skilful   string
	Answer    string
	Feedback  *feedbackView
	Thanks    bool
	NextID    string
	MaxAnswer int
}

type feedbackView struct {
	Heading, Status string
	Lines           []feedbackLine
	Care            bool
}

type feedbackLine struct {
	Seen, Word, Side, Text, Direction string
}

// PracticeHome answers the list of scenarios with the visitor's progress.
func (p *Pages) PracticeHome(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	query := r.URL.Query()
	data := practicePage{
		page: p.page(texts, "practice", "practice"), Available: p.c.Practice.Available(),
		Dimension: query.Get("dimension"), Hardness: query.Get("difficulty"),
	}
	all := p.c.Practice.Scenarios()
	progress := readProgress(r)
	data.Progress = progress.view(texts, p.c.Now(), len(all))
	if next, ok := nextScenario(all, progress, texts.Lang, ""); ok {
		line := sceneLine(texts, next, progress)
		data.Next = &line
	}
	for _, s := range inOrder(all, texts.Lang) {
		if data.Dimension != "" && string(s.Dimension()) != data.Dimension || data.Hardness != "" && strconv.Itoa(s.Difficulty) != data.Hardness {
			continue
		}
		data.Scenes = append(data.Scenes, sceneLine(texts, s, progress))
	}
	data.Count = texts.Text("practice.one")
	if n := len(data.Scenes); n != 1 {
		data.Count = texts.Fill("practice.count", "n", strconv.Itoa(n))
	}
	if plain := data.Dimension == "" && data.Hardness == "" && !query.Has("all"); plain && len(data.Scenes) > firstScenes {
		data.Scenes, data.More = data.Scenes[:firstScenes], true
	}
	for _, d := range schemas.Dimensions() {
		data.Dimensions = append(data.Dimensions, option{string(d), d.Name(texts.Lang), string(d) == data.Dimension})
	}
	for n := 1; n <= training.Difficulties; n++ {
		value := strconv.Itoa(n)
		data.Difficulties = append(data.Difficulties, option{value, texts.Text("practice.difficulty." + value), value == data.Hardness})
	}
	return p.render(w, texts.Lang, "practice", "base", http.StatusOK, data)
}

func sceneLine(w words.Words, s training.Scenario, done progress) scenarioLine {
	return scenarioLine{
		ID: s.ID, Situation: s.Situation.In(w.Lang), Dimension: s.Dimension().Name(w.Lang), Scene: training.SceneName(s.Scene, w.Lang),
		Difficulty: w.Text("practice.difficulty." + strconv.Itoa(s.Difficulty)), Level: s.Difficulty, Done: done.has(s.ID),
	}
}

// inOrder puts the scenarios that were written in the reader's language first, the plain before the subtle.
func inOrder(all []training.Scenario, lang string) []training.Scenario {
	out := make([]training.Scenario, 0, len(all))
	for n := 1; n <= training.Difficulties; n++ {
		for _, own := range []bool{true, false} {
			for _, s := range all {
				if s.Difficulty == n && (s.Origin == lang) == own {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// nextScenario is the first one not answered yet, of the dimension that was practised least; after those, any other than
// the one at hand.
func nextScenario(all []training.Scenario, done progress, lang, at string) (training.Scenario, bool) {
	counts := map[schemas.Dimension]int{}
	for _, s := range all {
		if done.has(s.ID) {
			counts[s.Dimension()]++
		}
	}
	var best training.Scenario
	found := false
	for _, s := range inOrder(all, lang) {
		if done.has(s.ID) || s.ID == at {
			continue
		}
		if !found || counts[s.Dimension()] < counts[best.Dimension()] && s.Difficulty <= best.Difficulty {
			best, found = s, true
		}
	}
	if !found {
		for _, s := range inOrder(all, lang) {
			if s.ID != at {
				return s, true
			}
		}
	}
	return best, found
}

func (p *Pages) scenario(id string) (training.Scenario, error) {
	for _, s := range p.c.Practice.Scenarios() {
		if s.ID == id {
			return s, nil
		}
	}
	return training.Scenario{}, fmt.Errorf("practice scenario: %w", problem.ErrNotFound)
}

func (p *Pages) scenePage(texts words.Words, s training.Scenario, done progress) scenePage {
	data := scenePage{
		page: p.page(texts, "practice", "practice"), Available: p.c.Practice.Available(), Scene: sceneLine(texts, s, done),
		Message: s.Message.In(texts.Lang), Skilful: s.Skilful.In(texts.Lang), MaxAnswer: assessment.MaxAnswer,
	}
	if next, ok := nextScenario(p.c.Practice.Scenarios(), done, texts.Lang, s.ID); ok {
		data.NextID = next.ID
	}
	return data
}

// PracticeScene answers one scenario, ready to be answered.
func (p *Pages) PracticeScene(w http.ResponseWriter, r *http.Request, id string) error {
	texts := p.begin(w, r)
	s, err := p.scenario(id)
	if err != nil {
		return err
	}
	data := p.scenePage(texts, s, readProgress(r))
	data.Thanks = r.URL.Query().Has("thanks")
	return p.render(w, texts.Lang, "scene", "base", http.StatusOK, data)
}

// PracticeAnswer reads an answer and shows what it showed.
func (p *Pages) PracticeAnswer(w http.ResponseWriter, r *http.Request, id string) error {
	texts := p.begin(w, r)
	s, form, err := p.practiceForm(r, id)
	if err != nil {
		return err
	}
	answer := strings.TrimSpace(strings.ReplaceAll(form.Get("answer"), "\r\n", "\n"))
	found, err := p.c.Practice.Practise(r.Context(), assessment.Exchange{
		Facet: s.Facet, Message: s.Message.In(texts.Lang), Answer: answer, Lang: texts.Lang,
	})
	if err != nil {
		return fmt.Errorf("practice: %w", err)
	}
	done := readProgress(r)
	if found.Status == assessment.PractiseRead {
		done = done.add(s.ID, p.c.Now())
		p.keepProgress(w, done)
	}
	data := p.scenePage(texts, s, done)
	data.Answer, data.Feedback = answer, feedback(texts, found)
	w.Header().Set("Cache-Control", "no-store")
	return p.render(w, texts.Lang, "scene", "base", http.StatusOK, data)
}

// practiceForm reads a form that this origin's own page sent.
func (p *Pages) practiceForm(r *http.Request, id string) (training.Scenario, url.Values, error) {
	if err := p.sameSite(r); err != nil {
		return training.Scenario{}, nil, err
	}
	s, err := p.scenario(id)
	if err != nil {
		return s, nil, err
	}
	form, err := edge.ReadForm(r)
	return s, form, err
}

// sameSite refuses a form that another site's page sent (security rule R10). Browsers say where a form comes from in one of
// two headers; a client that says neither is no browser and can be made to send nothing in somebody else's name.
func (p *Pages) sameSite(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site != "" && site != "same-origin" && site != "none" || origin != "" && origin != p.c.Origin && site == "" {
		return fmt.Errorf("form of another site: %w", problem.ErrCrossSite)
	}
	return nil
}

// feedback puts what an answer showed into words.
func feedback(w words.Words, found assessment.Practised) *feedbackView {
	if found.Status != assessment.PractiseRead {
		return &feedbackView{
			Heading: w.Text("practice.head.none"), Status: w.Text("practice.status." + string(found.Status)),
			Care: found.Status == assessment.PractiseCare,
		}
	}
	v := &feedbackView{}
	shown := 0
	for _, o := range found.Observations {
		line := feedbackLine{
			Seen: string(o.Seen), Word: w.Text("practice." + string(o.Seen)), Side: assessment.FacetName(o.Facet, w.Lang),
			Text: w.Or("side."+o.Facet+"."+string(o.Seen), "practice.partly.text"),
		}
		if o.Seen == assessment.SeenShown {
			shown++
		} else {
			line.Direction = w.Text("side." + o.Facet + ".try")
		}
		v.Lines = append(v.Lines, line)
	}
	switch {
	case !found.Own:
		v.Heading, v.Status = w.Text("practice.head.part"), w.Text("practice.unjudged")
	case shown == len(v.Lines):
		v.Heading = w.Text("practice.head.all")
	case found.Observations[0].Seen == assessment.SeenShown:
		v.Heading = w.Text("practice.head.some")
	default:
		v.Heading = w.Text("practice.head.open")
	}
	return v
}

// PracticeMark counts a mark of the feedback and leads back to the scenario.
func (p *Pages) PracticeMark(w http.ResponseWriter, r *http.Request, id string) error {
	s, form, err := p.practiceForm(r, id)
	if err != nil {
		return err
	}
	mark := FeedbackMark(form.Get("mark"))
	if !mark.Valid() {
		return &schemas.FieldError{Pointer: "/mark", Expected: "fits, wrong or context", Err: schemas.ErrMalformed}
	}
	p.c.Practice.Mark(s.ID, mark)
	http.Redirect(w, r, "/practice/"+s.ID+"?thanks", http.StatusSeeOther)
	return nil
}

// PracticeGoal sets the visitor's own aim, or forgets all progress.
func (p *Pages) PracticeGoal(w http.ResponseWriter, r *http.Request) error {
	if err := p.sameSite(r); err != nil {
		return err
	}
	form, err := edge.ReadForm(r)
	if err != nil {
		return err
	}
	done := readProgress(r)
	if form.Has("forget") {
		done = progress{}
	} else if done.goal, err = strconv.Atoi(form.Get("goal")); err != nil || !validGoal(done.goal) {
		return &schemas.FieldError{Pointer: "/goal", Expected: "1, 3 or 5", Err: errors.Join(schemas.ErrMalformed, err)}
	}
	p.keepProgress(w, done)
	http.Redirect(w, r, "/practice", http.StatusSeeOther)
	return nil
}
