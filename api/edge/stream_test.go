package edge_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"heartmark/api/edge"
)

// slow is a connection that notes its deadlines; past one of them it takes no more.
type slow struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
	late      bool
}

func (s *slow) SetWriteDeadline(at time.Time) error {
	s.deadlines = append(s.deadlines, at)
	return nil
}

func (s *slow) Write(b []byte) (int, error) {
	if s.late {
		return 0, os.ErrDeadlineExceeded
	}
	return s.ResponseRecorder.Write(b)
}

func TestStreamBoundsEachWrite(t *testing.T) {
	t.Parallel()
	w := &slow{ResponseRecorder: httptest.NewRecorder()}
	s := edge.NewStream(w)
	for n := range 3 {
		if err := s.Write(": here\n\n"); err != nil || len(w.deadlines) != n+1 {
			t.Fatalf("write %d: %v, %d deadlines", n, err, len(w.deadlines))
		}
		if d := time.Until(w.deadlines[n]); d <= 0 || d > 10*time.Second {
			t.Errorf("write %d may take %s", n, d)
		}
	}
	if w.Code != 200 || !w.Flushed || w.Header().Get("Content-Type") != "text/event-stream" || strings.Count(w.Body.String(), "here") != 3 {
		t.Errorf("answer = %d %v %q", w.Code, w.Header(), w.Body)
	}
	w.late = true
	if err := s.Write(": here\n\n"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("to a reader that does not read: %v", err)
	}
}
