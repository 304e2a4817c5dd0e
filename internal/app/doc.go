// Package app builds the parts from the configuration, joins them, starts and stops them, and holds the commands of the
// one program. Start reading at Build (the parts and how they meet) and Main (the commands).
package app
