package api_test

import (
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"heartmark/api"
	"heartmark/api/assessmentapi"
	"heartmark/api/intakeapi"
	"heartmark/api/issuerapi"
	"heartmark/api/keysapi"
	"heartmark/api/liveapi"
	"heartmark/api/policyapi"
	"heartmark/api/presentationapi"
	"heartmark/api/problem"
	"heartmark/api/registryapi"
	"heartmark/api/reviewapi"
	"heartmark/api/trainingapi"
	"heartmark/api/verifierapi"
	"heartmark/api/webhookapi"
	"heartmark/assessment/intake"
	"heartmark/assessment/live"
	"heartmark/assessment/review"
	"heartmark/assessment/training"
	"heartmark/schemas"
	"heartmark/verifier"

	"gopkg.in/yaml.v3"
)

// document is what the tests need of the OpenAPI document.
type document struct {
	OpenAPI    string                    `yaml:"openapi"`
	Paths      map[string]map[string]any `yaml:"paths"`
	Components struct {
		Schemas    map[string]schema `yaml:"schemas"`
		Parameters map[string]struct {
			Name string `yaml:"name"`
			In   string `yaml:"in"`
		} `yaml:"parameters"`
		Responses map[string]any `yaml:"responses"`
	} `yaml:"components"`
}

type schema struct {
	Required   []string       `yaml:"required"`
	Properties map[string]any `yaml:"properties"`
}

func contract(t *testing.T) document {
	t.Helper()
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := yaml.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1") || len(d.Paths) == 0 {
		t.Fatalf("document has version %q and %d paths", d.OpenAPI, len(d.Paths))
	}
	return d
}

var (
	echoParam    = regexp.MustCompile(`:(\w+)`)
	wildcards    = map[string]string{"/log/tile/*": "/log/tile/{path}"}
	otherMembers = []string{"parameters", "summary", "description"}
)

// documented is a route's path as the document writes it.
func documented(path string) string {
	if name, ok := wildcards[path]; ok {
		return name
	}
	if path == "/1.0/identifiers/*" {
		return "/1.0/identifiers/{did}"
	}
	return strings.ReplaceAll(echoParam.ReplaceAllString(path, "{$1}"), "*", "{name}")
}

func TestDocumentAgreesWithRoutes(t *testing.T) {
	t.Parallel()
	d := contract(t)
	table, _, err := api.TableAndRouter(newWorld(t).again(t))
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for path, members := range d.Paths {
		for method := range members {
			if !slices.Contains(otherMembers, method) {
				left[method+" "+path] = true
			}
		}
	}
	for _, r := range table {
		if r.Method == http.MethodHead {
			continue
		}
		line := strings.ToLower(r.Method) + " " + documented(r.Path)
		operation, ok := d.Paths[documented(r.Path)][strings.ToLower(r.Method)].(map[string]any)
		if !ok {
			t.Errorf("%s is served and not documented", line)
			continue
		}
		delete(left, line)
		if got := security(operation); got != string(r.Access)+" "+string(r.Scope) {
			t.Errorf("%s: document says access %q, table %q", line, got, string(r.Access)+" "+string(r.Scope))
		}
		_, replay := operation["parameters"]
		if r.Replay && !replay {
			t.Errorf("%s: document does not name Idempotency-Key", line)
		}
		fallback := reference(operation, "responses", "default")
		want := map[api.Dialect]string{api.Problems: "Problem", api.OAuth: "OAuthError", api.Pages: "Page"}[r.Dialect]
		if fallback != "#/components/responses/"+want {
			t.Errorf("%s: document says errors are %s, table %s", line, fallback, want)
		}
	}
	for line := range left {
		t.Errorf("%s is documented and not served", line)
	}
}

// security writes the security requirement of an operation as access and scope.
func security(operation map[string]any) string {
	list, ok := operation["security"].([]any)
	if !ok {
		return "unstated"
	}
	access, scope := string(api.Public), ""
	for _, item := range list {
		requirement, _ := item.(map[string]any)
		if scopes, ok := requirement["apiKey"].([]any); ok {
			access = string(api.WithKey)
			if len(list) > 1 {
				access = string(api.OptionalKey)
			}
			scope, _ = scopes[0].(string)
		}
		if _, ok := requirement["accessToken"]; ok {
			access = string(api.WithToken)
		}
	}
	return access + " " + scope
}

func reference(m map[string]any, names ...string) string {
	for _, name := range names {
		m, _ = m[name].(map[string]any)
	}
	ref, _ := m["$ref"].(string)
	return ref
}

func TestDocumentReferences(t *testing.T) {
	t.Parallel()
	d := contract(t)
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`#/components/(\w+)/(\w+)`).FindAllStringSubmatch(string(data), -1) {
		_, inSchemas := d.Components.Schemas[m[2]]
		_, inParameters := d.Components.Parameters[m[2]]
		_, inResponses := d.Components.Responses[m[2]]
		if !map[string]bool{"schemas": inSchemas, "parameters": inParameters, "responses": inResponses}[m[1]] {
			t.Errorf("%s leads nowhere", m[0])
		}
	}
}

// TestDocumentAgreesWithWireTypes compares every wire type with its schema: the same members, and required where the type
// always writes them.
func TestDocumentAgreesWithWireTypes(t *testing.T) {
	t.Parallel()
	d := contract(t)
	types := map[string]any{
		"FeedAnswer": liveapi.FeedAnswer{}, "MessagesRequest": liveapi.MessagesRequest{}, "FeedFrame": liveapi.FeedFrame{}, "PracticeLine": liveapi.PracticeLine{},
		"PracticeFrame": liveapi.PracticeFrame{}, "PracticeHint": liveapi.PracticeHint{}, "FeedSettings": live.Settings{}, "FeedRule": live.Rule{}, "LiveMessage": live.Message{},
		"LiveAdded": live.Added{}, "LiveUpdate": live.Update{}, "LiveWindow": live.Window{}, "LiveAlert": live.Alert{}, "PracticeTurn": live.Turn{},
		"ReviewMark": review.Mark{}, "LabelledPassage": review.Labelled{}, "GivenLabel": review.GivenLabel{},
		"OpenRequest": reviewapi.OpenRequest{}, "CaseHead": reviewapi.CaseHead{}, "CasePage": reviewapi.CasePage{}, "CaseAnswer": reviewapi.CaseAnswer{}, "DecisionRequest": reviewapi.DecisionRequest{}, "ContestRequest": reviewapi.ContestRequest{}, "FeedbackRequest": reviewapi.FeedbackRequest{}, "SubjectCases": reviewapi.SubjectCases{}, "StandingAnswer": reviewapi.StandingAnswer{},
		"ReviewerRequest": reviewapi.ReviewerRequest{}, "ReviewerAnswer": reviewapi.ReviewerAnswer{}, "ReviewerList": reviewapi.ReviewerList{}, "AgreementAnswer": reviewapi.AgreementAnswer{}, "AgreementMeasure": reviewapi.AgreementMeasure{}, "AgreementPair": reviewapi.AgreementPair{}, "ReviewerWork": reviewapi.ReviewerWork{}, "LabelledList": reviewapi.LabelledList{},
		"Problem": problem.Document{}, "ProblemField": problem.Field{}, "AssessmentAnswer": assessmentapi.AssessmentAnswer{},
		"ReportAnswer": assessmentapi.ReportAnswer{}, "IssueList": assessmentapi.IssueList{}, "ReportPage": assessmentapi.ReportPage{},
		"ClassifyRequest": assessmentapi.ClassifyRequest{}, "ClassifyText": assessmentapi.ClassifyText{}, "ClassifyTurn": assessmentapi.ClassifyTurn{},
		"ClassifyAnswer": assessmentapi.ClassifyAnswer{}, "ClassifyResult": assessmentapi.ClassifyResult{},
		"HeadAnswer": assessmentapi.HeadAnswer{}, "HeadPage": assessmentapi.HeadPage{},
		"CredentialRequest": issuerapi.CredentialRequest{}, "Subject": issuerapi.Subject{}, "CredentialAnswer": issuerapi.CredentialAnswer{},
		"FormCredential": issuerapi.FormCredential{}, "CredentialPage": issuerapi.CredentialPage{}, "StatusRequest": issuerapi.StatusRequest{},
		"StatusAnswer": issuerapi.StatusAnswer{}, "ConfigurationPage": issuerapi.ConfigurationPage{},
		"ConfigurationAnswer": issuerapi.ConfigurationAnswer{}, "DisplayAnswer": issuerapi.DisplayAnswer{},
		"OfferRequest": issuerapi.OfferRequest{}, "OfferAnswer": issuerapi.OfferAnswer{}, "OfferState": issuerapi.OfferState{},
		"ReleaseRequest": issuerapi.ReleaseRequest{}, "AttestationChallenge": issuerapi.AttestationChallenge{},
		"KeyRequest": keysapi.KeyRequest{}, "KeyAnswer": keysapi.KeyAnswer{}, "NewKeyAnswer": keysapi.NewKeyAnswer{}, "KeyPage": keysapi.KeyPage{},
		"NonceAnswer": issuerapi.NonceAnswer{}, "VerifyRequest": verifierapi.VerifyRequest{}, "LogProof": verifierapi.LogProof{},
		"VerifyAnswer": verifierapi.VerifyAnswer{}, "Check": verifier.Check{}, "Health": api.Health{},
		"PlanRequest": trainingapi.PlanRequest{}, "PlanAnswer": trainingapi.PlanAnswer{}, "PlanView": training.PlanView{},
		"PlanModule": training.ModuleView{}, "PlanFigures": training.Figures{}, "PlanExercise": training.ExerciseView{},
		"PlanMissing": training.MissingView{}, "Scenario": training.ScenarioView{}, "ScenarioPage": trainingapi.ScenarioPage{},
		"SessionAnswer": trainingapi.SessionAnswer{}, "DueExercise": trainingapi.DueExercise{}, "NextExercise": trainingapi.NextExercise{},
		"CompletionRequest": trainingapi.CompletionRequest{}, "MarkRequest": trainingapi.MarkRequest{}, "ApprovedAnswer": trainingapi.ApprovedAnswer{},
		"AnswerPage": trainingapi.AnswerPage{}, "AnswerCount": trainingapi.AnswerCount{}, "SuggestionRequest": trainingapi.SuggestionRequest{},
		"SuggestionAnswer": trainingapi.SuggestionAnswer{}, "SuggestedAnswer": trainingapi.SuggestedAnswer{},
		"AuthorityRecord": registryapi.AuthorityRecord{}, "LogRef": registryapi.LogRef{}, "IssuerRecord": registryapi.IssuerRecord{},
		"KeyRecord": registryapi.KeyRecord{}, "ArtefactRecord": registryapi.ArtefactRecord{},
		"LogInclusion": schemas.LogProof{}, "LogConsistency": registryapi.ConsistencyAnswer{},
		"EventRecord": registryapi.EventRecord{}, "RegistryMetadata": registryapi.RegistryMetadata{}, "LogMetadata": registryapi.LogMetadata{}, "Framework": registryapi.Framework{},
		"FrameworkRule": registryapi.FrameworkRule{}, "TRQPRequest": registryapi.TRQPRequest{}, "TRQPAnswer": registryapi.TRQPAnswer{},
	}
	for name, value := range map[string]any{
		"ChallengeRequest": registryapi.ChallengeRequest{}, "Challenge": registryapi.Challenge{}, "ChallengeAnswer": registryapi.ChallengeAnswer{},
		"ControlRequest": registryapi.ControlRequest{}, "GrantRequest": registryapi.GrantRequest{},
		"AuthorityStatusRequest": registryapi.AuthorityStatusRequest{}, "DeactivateRequest": registryapi.DeactivateRequest{},
		"DeactivateAnswer": registryapi.DeactivateAnswer{}, "AccreditationRecord": registryapi.AccreditationRecord{},
		"WebhookRequest": webhookapi.WebhookRequest{}, "WebhookAnswer": webhookapi.WebhookAnswer{}, "WebhookPage": webhookapi.WebhookPage{},
		"DeadLetter": webhookapi.DeadLetter{}, "DeadLetterPage": webhookapi.DeadLetterPage{}, "ReplayRequest": webhookapi.ReplayRequest{},
		"ConsentRequest": intakeapi.ConsentRequest{}, "Confirmation": intakeapi.Confirmation{}, "ConsentAnswer": intakeapi.ConsentAnswer{},
		"ConsentPage": intakeapi.ConsentPage{}, "ConsentText": intakeapi.ConsentText{}, "ConsentTexts": intakeapi.ConsentTexts{},
		"ConsentTerms": intake.Terms{}, "ConsentTextRef": intake.TextRef{}, "ConsentSetting": intake.Setting{},
		"BatchAnswer": intakeapi.BatchAnswer{}, "Quarantine": intakeapi.Quarantine{}, "FinishRequest": intakeapi.FinishRequest{},
		"SubjectExport": intakeapi.SubjectExport{}, "SubjectReport": intakeapi.SubjectReport{}, "ErasureAnswer": intakeapi.ErasureAnswer{},
		"RestrictionRequest": intakeapi.RestrictionRequest{}, "RestrictionAnswer": intakeapi.RestrictionAnswer{},
		"CorrectionAnswer": intakeapi.CorrectionAnswer{}, "ScoringRequest": intakeapi.ScoringRequest{}, "ScoringAnswer": intakeapi.ScoringAnswer{},
		"BulkRow": verifierapi.BulkRow{}, "BulkReport": verifierapi.BulkReport{}, "VCAPIResult": verifierapi.VCAPIResult{}, "VCAPIProblem": verifierapi.VCAPIProblem{},
		"PolicyDocument": policyapi.PolicyDocument{}, "PolicyAnswer": policyapi.PolicyAnswer{}, "PolicyPage": policyapi.PolicyPage{},
		"PresentationRequest": presentationapi.PresentationRequest{}, "PresentationTemplate": presentationapi.PresentationTemplate{},
		"PresentationCreated": presentationapi.PresentationCreated{}, "DigitalRequest": presentationapi.DigitalRequest{},
		"PresentationStatus": presentationapi.PresentationStatus{}, "PresentationResult": presentationapi.PresentationResult{},
		"PresentedCredential": presentationapi.PresentedCredential{}, "BrowserAnswer": presentationapi.BrowserAnswer{},
	} {
		types[name] = value
	}
	for name, value := range types {
		s, ok := d.Components.Schemas[name]
		if !ok {
			t.Errorf("type %s has no schema", name)
			continue
		}
		var members, required []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(value)) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" || tag == "-" {
				continue
			}
			members = append(members, tag)
			if !strings.Contains(options, "omit") {
				required = append(required, tag)
			}
		}
		for _, m := range members {
			if _, ok := s.Properties[m]; !ok {
				t.Errorf("%s: member %q is not in the document", name, m)
			}
		}
		if len(members) != len(s.Properties) {
			t.Errorf("%s: the type has %v, the document %d members", name, members, len(s.Properties))
		}
		for _, r := range s.Required {
			if !slices.Contains(required, r) {
				t.Errorf("%s: %q is required in the document and left out at times by the type", name, r)
			}
		}
	}
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("GET", "/v1/openapi.json", "")
	if got := decode[map[string]any](t, rec); got["openapi"] != "3.1.0" || rec.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("document: %v %v", got["openapi"], rec.Header())
	}
}
