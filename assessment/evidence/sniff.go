package evidence

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"strings"
)

// sniff names the format from the first bytes, without reading on. It answers "" when it knows none.
func sniff(br *bufio.Reader) string {
	head, _ := br.Peek(4096)
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimLeft(head, " \t\r\n")
	if len(trimmed) == 0 {
		return FormatJSONL
	}
	switch trimmed[0] {
	case '[':
		// A WhatsApp export of iOS starts with a bracketed date, a Slack export is a JSON array.
		if line, _, _ := bytes.Cut(trimmed, []byte("\n")); textHeader(string(bytes.TrimSpace(line))) {
			return FormatText
		}
		return FormatSlack
	case '{':
		line, _, _ := bytes.Cut(trimmed, []byte("\n"))
		if bytes.Contains(trimmed, []byte(`"guild"`)) && bytes.Contains(trimmed, []byte(`"channel"`)) && !bytes.Contains(line, []byte(`"v"`)) {
			return FormatDiscord
		}
		return FormatJSONL
	}
	lines := strings.Split(strings.ReplaceAll(string(head), "\r", ""), "\n")
	for i, line := range lines {
		if i > 4 {
			break
		}
		if textHeader(strings.TrimSpace(line)) {
			return FormatText
		}
	}
	if isCSVHeader(lines[0]) {
		return FormatCSV
	}
	return ""
}

func isCSVHeader(line string) bool {
	row, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return false
	}
	cols := csvColumns(row)
	_, text := cols["text"]
	_, ts := cols["ts"]
	_, actor := cols["actor"]
	return text && ts && actor
}
