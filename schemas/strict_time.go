package schemas

import (
	"strings"
	"time"
)

// ParseTime reads an XML Schema 1.1 dateTimeStamp (VC Data Model 2.0, 4.9 and its section on representing time): upper
// case T and Z, years 0001 to 9999, an offset of at most 14 hours, fractions of any length up to 30 digits (kept to the
// nanosecond), and 24:00:00 for midnight at a day's end. A date without offset is an error here; see ParseTimeLax.
// The result is in UTC. Errors wrap ErrMalformed.
func ParseTime(s string) (time.Time, error) { return parseTime(s, false) }

// ParseTimeLax reads as ParseTime does and takes a date without offset as UTC, as the data model tells readers to.
func ParseTimeLax(s string) (time.Time, error) { return parseTime(s, true) }

// FormatTime writes t in UTC with Z, to the second.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

const timeLayout = "YYYY-MM-DDThh:mm:ss"

func parseTime(s string, lax bool) (time.Time, error) {
	if len(s) < len(timeLayout) || len(s) > 64 {
		return time.Time{}, badTime("a date and time such as 2026-01-31T09:30:00Z")
	}
	for i, c := range []byte(timeLayout) {
		digit := s[i] >= '0' && s[i] <= '9'
		if isLetter := c != '-' && c != 'T' && c != ':'; isLetter && !digit || !isLetter && s[i] != c {
			return time.Time{}, badTime("a date and time such as 2026-01-31T09:30:00Z")
		}
	}
	year, month, day := number(s[0:4]), number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	nano, rest, err := fraction(s[len(timeLayout):])
	if err != nil {
		return time.Time{}, err
	}
	offset, err := zone(rest, lax)
	if err != nil {
		return time.Time{}, err
	}
	endOfDay := hour == 24 && minute == 0 && second == 0 && nano == 0
	if hour > 23 && !endOfDay || minute > 59 || second > 59 {
		return time.Time{}, badTime("a time of the day")
	}
	// time.Date carries over: 30 February becomes March, so what comes out is compared with what went in.
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year == 0 || date.Year() != year || int(date.Month()) != month || date.Day() != day {
		return time.Time{}, badTime("a day of the calendar")
	}
	return time.Date(year, time.Month(month), day, hour, minute-offset, second, nano, time.UTC), nil
}

func badTime(expected string) error {
	return &FieldError{Expected: expected, Err: malformed("unreadable date")}
}

func fraction(s string) (nano int, rest string, err error) {
	if !strings.HasPrefix(s, ".") {
		return 0, s, nil
	}
	n := digits(s[1:])
	if n == 0 || n > 30 {
		return 0, "", badTime("1 to 30 digits after the point")
	}
	padded := s[1:1+min(n, 9)] + "000000000"
	return number(padded[:9]), s[1+n:], nil
}

// zone returns the offset in minutes east of UTC.
func zone(s string, lax bool) (int, error) {
	switch {
	case s == "Z":
		return 0, nil
	case s == "" && lax:
		return 0, nil
	case s == "":
		return 0, badTime("an offset: Z, or hours and minutes such as +08:00")
	case len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' || digits(s[1:3]) != 2 || digits(s[4:6]) != 2:
		return 0, badTime("an offset: Z, or hours and minutes such as +08:00")
	}
	minutes := number(s[1:3])*60 + number(s[4:6])
	if number(s[4:6]) > 59 || minutes > 14*60 {
		return 0, badTime("an offset of at most 14 hours")
	}
	if s[0] == '-' {
		return -minutes, nil
	}
	return minutes, nil
}

// number reads decimal digits, of which the caller has made sure.
func number(s string) int {
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	return n
}
