package app

import (
	"fmt"
	"runtime"

	"heartmark/assessment/model"

	"github.com/spf13/cobra"
)

// version is set at link time.
var version = "unknown"

func versionCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Version of the program and of the classifier in it", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			m, err := model.Open(model.Embedded())
			if err != nil {
				return exitWith(ExitUnavailable, err)
			}
			return c.answer(
				map[string]any{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "model": m.ID},
				fmt.Sprintf("heartmark %s (%s, %s/%s), model %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, m.ID),
			)
		},
	}
}
