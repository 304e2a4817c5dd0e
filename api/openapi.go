package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"heartmark/api/edge"

	"github.com/labstack/echo/v4"
	"gopkg.in/yaml.v3"
)

//go:embed openapi.yaml
var contractYAML []byte

// contract is the OpenAPI 3.1 document in both forms.
type contract struct{ yaml, json []byte }

func loadContract() (contract, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(contractYAML, &doc); err != nil {
		return contract{}, fmt.Errorf("OpenAPI document: %w", err)
	}
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return contract{}, fmt.Errorf("OpenAPI document: %w", err)
	}
	return contract{yaml: contractYAML, json: body}, nil
}

// openAPI answers the document in the form of mediaType.
func (s *server) openAPI(mediaType string) echo.HandlerFunc {
	return func(c echo.Context) error {
		body := s.contract.yaml
		if mediaType == "application/json" {
			body = s.contract.json
		}
		return edge.Public{Body: body, MediaType: mediaType, MaxAge: 5 * time.Minute}.Serve(c.Response(), c.Request())
	}
}
