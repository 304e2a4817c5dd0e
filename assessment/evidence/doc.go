// Package evidence reads chat and interaction records into a Batch that may be assessed: it parses, validates, applies
// the consent gate, resolves edits and deletions, orders, parts conversations, cuts times to the day and scrubs
// contact data and names. It holds no scoring logic and stores nothing.
//
// Start at Read. The event format is the project's own JSON Lines (one object a line, 64 KiB at most); CSV, Discord and
// Slack JSON exports and WhatsApp or WeChat style text exports are turned into the same events by adapters.
//
// The rules it enforces: no receipt, no processing (G1, G2); work and class scenes are refused without a documented
// voluntary purpose (G3); time stamps are cut to the day and replies are never timed (G5); contact data and names are
// masked (G6); persons under 18 are refused (G16).
package evidence
