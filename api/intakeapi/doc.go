// Package intakeapi serves consent receipts, evidence batches, the rights of subjects and the operator's switch over HTTP: it
// decodes, calls assessment/intake and encodes. A platform sends evidence in one request, or in pieces by Upload-Offset, under a
// receipt; the batch is scored by the queue and read as state and counts here, as a report at /v1/assessments/{id}. Nothing of the
// text is kept by this package.
package intakeapi
