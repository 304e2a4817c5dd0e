// Package rollout keeps several models side by side: which there are, which one answers, which one is tried beside it, and
// whether what is scored still looks like what the model was released for (assessment design, section 4 "Model", section 7
// "linking", section 13 "drift watch").
//
// A model is known by its id and version and by the SHA-256 of its SHA256SUMS file, its [Digest]. It is registered, scored
// in the shadow of the current one, linked with it, promoted, rolled back, removed; each act is a [Transition] in an
// append-only list, and the state of every model is what the list says. Start at [New] and [Catalogue.Register].
//
// The built-in model belongs to the program: it is current until another one is promoted, and stays in the catalogue. There
// is one current model for an installation; a promotion takes effect when the server starts next, since one process scores
// with one model from its first report to its last.
//
// # The scale
//
// Levels are criterion-referenced and error rates belong to a model, so scores of a new model are not bent to those of the
// old one: that would carry the old one's errors on. What linking finds (linear, mean and sigma, on 500 simulated people) is
// recorded instead, with its standard error. Where it is not the identity, the promoted model reports on a new scale version;
// [Link.OldScale] brings a score of the new scale to the old one for comparisons over time. Old reports keep their scale.
//
// # What is kept of people
//
// Nothing that points to one. The shadow's comparison and the drift watch are counts and sums; texts stay in a bounded queue in
// memory until they are scored, and counts are stored once they cover ten people or more (security requirements, section 7, G8;
// assessment design, section 12).
package rollout
