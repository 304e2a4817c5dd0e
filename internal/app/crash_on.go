//go:build crashpoints

package app

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// crashPoint kills this process, as a power cut would, when the point that HEARTMARK_CRASH_POINT names is passed for the
// n-th time: "issue.after_sign:3". Only builds for the kill loop have it.
func crashPoint() func(string) {
	name, count, _ := strings.Cut(os.Getenv("HEARTMARK_CRASH_POINT"), ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	var passed atomic.Int64
	return func(point string) {
		if point == name && passed.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way; nothing more is done
		}
	}
}
