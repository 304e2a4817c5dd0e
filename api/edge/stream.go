package edge

import (
	"errors"
	"net/http"
	"time"
)

// streamWrite bounds one write to a reader that does not read.
const streamWrite = 10 * time.Second

// Stream is an answer of server-sent events.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// NewStream begins a stream: from here on the answer is 200, and errors can no longer be told.
func NewStream(w http.ResponseWriter) Stream {
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return Stream{w, http.NewResponseController(w)}
}

// Write sends text, whole events or comments, at once. An error says that the reader is gone, or did not read in time.
func (s Stream) Write(text string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) { //nolint:forbidigo // a deadline of the network, which has the system's clock
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
