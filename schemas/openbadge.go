package schemas

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// contextOpenBadges are the addresses of the Open Badges 3.0 context and its revisions.
var contextOpenBadges = regexp.MustCompile(`^https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)?\.json$`)

// IsOpenBadge reports whether a credential says that it is an Open Badge, by either of the two names for it.
func IsOpenBadge(doc map[string]any) bool {
	types, err := typesOf(doc, "")
	return err == nil && (slices.Contains(types, TypeOpenBadgeCredential) || slices.Contains(types, TypeAchievementCredential))
}

// ValidateOpenBadge checks a credential that passed ValidateCredential against the rules of Open Badges 3.0: those of
// ValidateOpenBadgeShape, and that each result fits the result description it names (its achievedLevel is a level of that
// very description). It returns a *FieldError with the first value at fault.
func ValidateOpenBadge(doc map[string]any) error {
	if err := ValidateOpenBadgeShape(doc); err != nil {
		return err
	}
	subject, _ := doc["credentialSubject"].(map[string]any)
	achievement, _ := subject["achievement"].(map[string]any)
	descriptions, err := checkAchievement(achievement, "/credentialSubject/achievement")
	if err != nil {
		return err
	}
	return eachBelow(subject, "/credentialSubject", "result", func(r map[string]any, at string) error {
		return checkResultFits(r, at, descriptions)
	})
}

// ValidateOpenBadgeShape checks what the JSON Schema of Open Badges 3.0 can say: what an OpenBadgeCredential must have,
// the types of the objects inside, and that nothing is null and no set empty. credentialStatus may be an array, as the
// data model allows. Badges in the wild, 1EdTech's own complete example among them, name levels of another result
// description; they pass here and not in ValidateOpenBadge.
func ValidateOpenBadgeShape(doc map[string]any) error {
	list, _ := doc["@context"].([]any)
	if len(list) < 2 {
		return malformedAt("/@context", "the Open Badges context second")
	}
	if s, ok := list[1].(string); !ok || !contextOpenBadges.MatchString(s) {
		return malformedAt("/@context/1", ContextOpenBadges)
	}
	if err := checkTypes(doc, "", TypeOpenBadgeCredential, TypeAchievementCredential); err != nil {
		return err
	}
	if !filled(doc) {
		return checkFilled(doc, "")
	}
	for _, name := range []string{"id", "validFrom"} {
		if err := needString(doc, "", name); err != nil {
			return err
		}
	}
	if issuer, ok := doc["issuer"].(map[string]any); ok {
		if err := checkProfile(issuer, "/issuer", 0); err != nil {
			return err
		}
	}
	if _, _, err := dateAt(doc, "awardedDate"); err != nil {
		return err
	}
	subject, ok := doc["credentialSubject"].(map[string]any)
	if !ok {
		return malformedAt("/credentialSubject", "one object")
	}
	if err := checkAchievementSubject(subject); err != nil {
		return err
	}
	return eachBelow(doc, "", "evidence", func(m map[string]any, at string) error {
		if err := checkTypes(m, at, "Evidence"); err != nil {
			return err
		}
		return checkStrings(m, at, "narrative", "name", "description", "genre", "audience")
	})
}

// filled is checkFilled without the pointer, for the many documents that are right.
func filled(v any) bool {
	switch c := v.(type) {
	case nil:
		return false
	case []any:
		for _, item := range c {
			if !filled(item) {
				return false
			}
		}
		return len(c) > 0
	case map[string]any:
		for name, item := range c {
			if name != "@context" && !filled(item) {
				return false
			}
		}
	}
	return true
}

// checkFilled refuses null and empty arrays anywhere outside contexts. Open Badges 3.0, serialization.
func checkFilled(v any, at string) error {
	switch c := v.(type) {
	case nil:
		return malformedAt(at, "a value; what is absent is left out")
	case []any:
		if len(c) == 0 {
			return malformedAt(at, "at least one item; an empty set is left out")
		}
		for i, item := range c {
			if err := checkFilled(item, at+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range sortedKeys(c) {
			if name == "@context" {
				continue
			}
			if err := checkFilled(c[name], at+"/"+escapePointer(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func needString(m map[string]any, at, name string) error {
	if s, ok := m[name].(string); !ok || s == "" {
		return malformedAt(at+"/"+name, "a text")
	}
	return nil
}

// checkStrings: where present, these members are plain strings.
func checkStrings(m map[string]any, at string, names ...string) error {
	for _, name := range names {
		if v, ok := m[name]; ok {
			if _, isString := v.(string); !isString {
				return malformedAt(at+"/"+name, "a text")
			}
		}
	}
	return nil
}

// maxProfileDepth bounds parentOrg inside parentOrg.
const maxProfileDepth = 8

func checkProfile(m map[string]any, at string, depth int) error {
	if depth > maxProfileDepth {
		return malformedAt(at, "a shorter chain of organisations")
	}
	if id, ok := m["id"].(string); !ok || !IsURL(id) {
		return malformedAt(at+"/id", "a URL")
	}
	if err := checkTypes(m, at, "Profile"); err != nil {
		return err
	}
	if err := checkStrings(m, at, "name", "url", "phone", "description", "email"); err != nil {
		return err
	}
	err := eachBelow(m, at, "otherIdentifier", func(e map[string]any, at string) error {
		if err := checkTypes(e, at, "IdentifierEntry"); err != nil {
			return err
		}
		return needString(e, at, "identifier")
	})
	if err != nil {
		return err
	}
	return eachBelow(m, at, "parentOrg", func(p map[string]any, at string) error { return checkProfile(p, at, depth+1) })
}

func checkAchievementSubject(m map[string]any) error {
	const at = "/credentialSubject"
	if err := checkTypes(m, at, "AchievementSubject"); err != nil {
		return err
	}
	_, hasID := m["id"]
	if _, hasIdentifier := m["identifier"]; !hasID && !hasIdentifier {
		return malformedAt(at+"/id", "an id or an identifier")
	}
	err := eachBelow(m, at, "identifier", func(o map[string]any, at string) error {
		if err := checkTypes(o, at, "IdentityObject"); err != nil {
			return err
		}
		if _, ok := o["hashed"].(bool); !ok {
			return malformedAt(at+"/hashed", "true or false")
		}
		return needString(o, at, "identityHash")
	})
	if err != nil {
		return err
	}
	err = eachBelow(m, at, "source", func(p map[string]any, at string) error { return checkProfile(p, at, 0) })
	if err != nil {
		return err
	}
	achievement, ok := m["achievement"].(map[string]any)
	if !ok {
		return malformedAt(at+"/achievement", "an achievement")
	}
	if _, err := checkAchievement(achievement, at+"/achievement"); err != nil {
		return err
	}
	return eachBelow(m, at, "result", checkResult)
}

// resultKind is what a result must fit to.
type resultKind struct {
	resultType string
	levels     map[string]bool
	allowed    []string
}

func checkAchievement(m map[string]any, at string) (map[string]resultKind, error) {
	if id, ok := m["id"].(string); !ok || !IsURL(id) {
		return nil, malformedAt(at+"/id", "a URL")
	}
	if err := checkTypes(m, at, "Achievement"); err != nil {
		return nil, err
	}
	for _, name := range []string{"name", "description"} {
		if err := needString(m, at, name); err != nil {
			return nil, err
		}
	}
	criteria, ok := m["criteria"].(map[string]any)
	if !ok || len(criteria) == 0 {
		return nil, malformedAt(at+"/criteria", "an object with id or narrative")
	}
	if err := checkStrings(criteria, at+"/criteria", "id", "narrative"); err != nil {
		return nil, err
	}
	if err := checkStrings(m, at, "achievementType", "version", "inLanguage", "humanCode", "fieldOfStudy"); err != nil {
		return nil, err
	}
	descriptions := map[string]resultKind{}
	err := eachBelow(m, at, "resultDescription", func(rd map[string]any, at string) error {
		return checkResultDescription(rd, at, descriptions)
	})
	if err != nil {
		return nil, err
	}
	err = eachBelow(m, at, "alignment", func(a map[string]any, at string) error {
		if err := checkTypes(a, at, "Alignment"); err != nil {
			return err
		}
		if err := needString(a, at, "targetName"); err != nil {
			return err
		}
		return needString(a, at, "targetUrl")
	})
	if err != nil {
		return nil, err
	}
	return descriptions, eachBelow(m, at, "related", func(r map[string]any, at string) error {
		if err := needString(r, at, "id"); err != nil {
			return err
		}
		return checkTypes(r, at, "Related")
	})
}

func checkResultDescription(m map[string]any, at string, into map[string]resultKind) error {
	for _, name := range []string{"id", "name", "resultType"} {
		if err := needString(m, at, name); err != nil {
			return err
		}
	}
	if err := checkTypes(m, at, "ResultDescription"); err != nil {
		return err
	}
	id := m["id"].(string)
	if _, twice := into[id]; twice {
		return malformedAt(at+"/id", "an id of its own")
	}
	if err := checkStrings(m, at, "requiredLevel", "requiredValue", "valueMin", "valueMax"); err != nil {
		return err
	}
	kind := resultKind{resultType: m["resultType"].(string), levels: map[string]bool{}}
	if allowed, ok := m["allowedValue"].([]any); ok {
		for i, v := range allowed {
			s, isString := v.(string)
			if !isString {
				return malformedAt(at+"/allowedValue/"+strconv.Itoa(i), "a text")
			}
			kind.allowed = append(kind.allowed, s)
		}
	}
	err := eachBelow(m, at, "rubricCriterionLevel", func(l map[string]any, at string) error {
		if err := checkTypes(l, at, "RubricCriterionLevel"); err != nil {
			return err
		}
		for _, name := range []string{"id", "name"} {
			if err := needString(l, at, name); err != nil {
				return err
			}
		}
		if kind.levels[l["id"].(string)] {
			return malformedAt(at+"/id", "an id of its own")
		}
		kind.levels[l["id"].(string)] = true
		return checkStrings(l, at, "level", "description", "points")
	})
	if err != nil {
		return err
	}
	if required, ok := m["requiredLevel"].(string); ok && !kind.levels[required] {
		return malformedAt(at+"/requiredLevel", "the id of one of its levels")
	}
	into[id] = kind
	return nil
}

// resultStatus are the values of a result's status.
const resultStatus = "Completed Enrolled Failed InProgress OnHold Provisional Withdrew"

func checkResult(m map[string]any, at string) error {
	if err := checkTypes(m, at, "Result"); err != nil {
		return err
	}
	if err := checkStrings(m, at, "value", "achievedLevel", "resultDescription", "status"); err != nil {
		return err
	}
	status, hasStatus := m["status"].(string)
	if hasStatus && !slices.Contains(strings.Fields(resultStatus), status) {
		return malformedAt(at+"/status", "one of "+resultStatus)
	}
	return nil
}

// checkResultFits: a result is read through its result description and must fit it.
func checkResultFits(m map[string]any, at string, descriptions map[string]resultKind) error {
	_, hasStatus := m["status"]
	level, hasLevel := m["achievedLevel"].(string)
	named, ok := m["resultDescription"].(string)
	if !ok {
		if hasLevel {
			return malformedAt(at+"/resultDescription", "the result description that the level belongs to")
		}
		return nil
	}
	kind, known := descriptions[named]
	if !known {
		return malformedAt(at+"/resultDescription", "the id of one of the achievement's result descriptions")
	}
	if hasLevel && !kind.levels[level] {
		return malformedAt(at+"/achievedLevel", "the id of a level of the same result description")
	}
	if kind.resultType == "Status" && !hasStatus {
		return malformedAt(at+"/status", "a status, since the result description asks for one")
	}
	if value, ok := m["value"].(string); ok && kind.allowed != nil && !slices.Contains(kind.allowed, value) {
		return malformedAt(at+"/value", "one of the allowed values")
	}
	return nil
}
