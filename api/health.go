package api

import (
	"fmt"
	"net/http"

	"heartmark/api/edge"
	"heartmark/api/problem"

	"github.com/labstack/echo/v4"
)

// Health answers the probes.
type Health struct {
	Status string `json:"status"`
}

// healthz says that the process answers.
func (s *server) healthz(c echo.Context) error {
	return edge.JSON(c.Response(), http.StatusOK, Health{Status: "ok"})
}

// readyz says whether all parts can work. What is wrong stands in the log, not in the answer.
func (s *server) readyz(c echo.Context) error {
	if err := s.c.Ready(c.Request().Context()); err != nil {
		return fmt.Errorf("not ready: %w: %w", problem.ErrUnavailable, err)
	}
	return edge.JSON(c.Response(), http.StatusOK, Health{Status: "ready"})
}
