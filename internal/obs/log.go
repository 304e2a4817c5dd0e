package obs

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Config says how the log is written.
type Config struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

// Validate reports the first fault, naming the field.
func (c Config) Validate() error {
	if _, err := level(c.Level); err != nil {
		return err
	}
	if c.Format != "text" && c.Format != "json" {
		return fmt.Errorf("log.format: %q is neither text nor json", c.Format)
	}
	return nil
}

// hidden are attribute keys whose values never reach a log line, whatever is handed in (security rule R18).
var hidden = []string{"authorization", "token", "secret", "password", "tx_code", "code", "kek", "text", "quote", "credential"}

// NewLogger returns a logger that writes to w. Attributes whose key names a secret or personal text are replaced by a
// mark, as a second line behind the types that hide themselves.
func NewLogger(w io.Writer, c Config) (*slog.Logger, error) {
	l, err := level(c.Level)
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: l, ReplaceAttr: hide}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}

func level(name string) (slog.Level, error) {
	switch name {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("log.level: %q is none of debug, info, warn, error", name)
	}
}

func hide(_ []string, a slog.Attr) slog.Attr {
	key := strings.ToLower(a.Key)
	for _, h := range hidden {
		if key == h {
			return slog.String(a.Key, "[hidden]")
		}
	}
	return a
}
