// Package liveapi serves live scoring over HTTP: feeds of groups by WebSocket or by POST and server-sent events, and practice by
// WebSocket (design.md §9.24). Nothing of what passes is kept or logged.
package liveapi
