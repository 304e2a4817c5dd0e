package schemas

import (
	"fmt"
	"strconv"
)

// Level is an ordinal band with a rubric, 1 to 4. It is no score; the zero value is no level.
type Level int

// The four levels, lowest first.
const (
	LevelEmerging   Level = 1
	LevelDeveloping Level = 2
	LevelProficient Level = 3
	LevelAdvanced   Level = 4
)

// Levels returns the four levels, lowest first.
func Levels() []Level { return []Level{LevelEmerging, LevelDeveloping, LevelProficient, LevelAdvanced} }

// ParseLevel returns the level with the given code ("proficient"), and ErrMalformed for any other text.
func ParseLevel(code string) (Level, error) {
	for _, l := range Levels() {
		if l.Code() == code {
			return l, nil
		}
	}
	return 0, fmt.Errorf("level %q: %w", code, ErrMalformed)
}

// Valid reports whether l is one of the four levels.
func (l Level) Valid() bool { return l >= LevelEmerging && l <= LevelAdvanced }

// Code returns the level's code, such as "proficient", and "" for no level.
func (l Level) Code() string {
	switch l {
	case LevelEmerging:
		return "emerging"
	case LevelDeveloping:
		return "developing"
	case LevelProficient:
		return "proficient"
	case LevelAdvanced:
		return "advanced"
	}
	return ""
}

// Number returns the level as the decimal text that stands in a rubric ("3").
func (l Level) Number() string { return strconv.Itoa(int(l)) }

// Name returns the level's name, in Chinese for a Chinese language tag and in English otherwise.
func (l Level) Name(lang string) string { return pick(levelName(l), lang) }

// Rubric returns the words that say what a person at level l of d does.
func (l Level) Rubric(d Dimension, lang string) string { return pick(rubricText(d, l), lang) }
