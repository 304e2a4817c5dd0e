// Package assessment turns consented evidence into a Report on skills in written communication in the four dimensions
// of digital emotional intelligence: score, interval, level, abstention and explanation.
//
// It scores what the wording does in its context. It does not say what a person feels, does not diagnose, and never
// uses voice, face, typing rhythm or reply time; of time it knows the day only. Where the evidence is thin it says so
// and gives no number.
//
// Start at New and Assessor.Assess. The way of a batch: evidence.Read → turns and contexts → Classifier → gates and
// items → weights and caps → aggregation with error correction, shrinkage and intervals → levels → Report. RenderHTML
// writes the page for the subject, Attestation gives the issuer what a credential may state.
//
// The same batch, model, provider and seed give the same bytes.
package assessment
