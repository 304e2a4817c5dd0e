// Package review puts people into the decision (security rules G9 and G11; design.md §9.18): a queue of reports that wait for a
// reviewer, readings with marks and a signed verdict per dimension, contests by the subject that a second reviewer decides while
// credentials are suspended, marks by the subject, agreement between reviewers, and labelled passages for research.
//
// Start at New; Service.Open, Take, Decide and Contest are the main path, Standing is what an issuer asks. A case belongs to one
// report and goes with it: what a person wrote is sealed under the key of that report, and erasing the report erases its cases.
//
// Order of writes, and what a crash after each leaves. A decision, and the effect that it must have on credentials, are one durable
// write; the effect is then carried out, and noted as done. A crash in between is completed by Sweep, which Run calls at the start
// and every minute. An open contest suspends again on every sweep, so that a credential whose issue was under way is caught too.
//
// The package signs nothing, knows no HTTP, and never changes a score.
package review
