// Package report verifies files one after another and reports the answers to people, in English or Chinese, and to
// machines. It is what the commands `heartmark verify` and `heartmark-verify` share. Start at Job.Check, then Printer.Write
// and Exit.
//
// The sentences for checks are those of the web page, so that a reader meets one wording.
package report
