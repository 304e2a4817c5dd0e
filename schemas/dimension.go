package schemas

import "fmt"

// Dimension is the code of one dimension of digital emotional intelligence, or DimensionOverall.
type Dimension string

// The dimensions and the overall result.
const (
	DimensionSelfAwareness   Dimension = "self_awareness"
	DimensionSelfManagement  Dimension = "self_management"
	DimensionSocialAwareness Dimension = "social_awareness"
	DimensionSocialSkills    Dimension = "social_skills"
	// DimensionOverall is stated only when all four dimensions are.
	DimensionOverall Dimension = "overall"
)

// Dimensions returns the four dimensions in their fixed order, without DimensionOverall.
func Dimensions() []Dimension {
	return []Dimension{DimensionSelfAwareness, DimensionSelfManagement, DimensionSocialAwareness, DimensionSocialSkills}
}

// ResultDimensions returns DimensionOverall and then the four dimensions: the order of results in a credential.
func ResultDimensions() []Dimension {
	return append([]Dimension{DimensionOverall}, Dimensions()...)
}

// ParseDimension returns the dimension (or DimensionOverall) with the given code, and ErrMalformed for any other text.
func ParseDimension(code string) (Dimension, error) {
	for _, d := range ResultDimensions() {
		if string(d) == code {
			return d, nil
		}
	}
	return "", fmt.Errorf("dimension %q: %w", code, ErrMalformed)
}

// Valid reports whether d is one of the four dimensions or DimensionOverall.
func (d Dimension) Valid() bool {
	_, err := ParseDimension(string(d))
	return err == nil
}

// Name returns the dimension's name as a heading, in Chinese for a Chinese language tag and in English otherwise.
func (d Dimension) Name(lang string) string { return pick(dimensionText(d).name, lang) }

// Phrase returns the name as it stands inside a sentence ("self-awareness").
func (d Dimension) Phrase(lang string) string { return pick(dimensionText(d).phrase, lang) }

// Description returns one sentence that says what counts as skill in d.
func (d Dimension) Description(lang string) string { return pick(dimensionText(d).description, lang) }
