// Package suite measures the product, not its heads: what assessment.Assessor says of replies, logs and people when the
// words, the writer or the intent change (assessment design, section 10, "Product level"). Each suite is one function that
// takes an [Env] and answers an [Outcome] of measures with their gates, tables and notes.
//
// Everything goes through the product's own code: texts become evidence batches, are read by package evidence and assessed
// by an Assessor; simulated people are made of items that came out of that, and are put together by assessment.Aggregate.
// Annotated sets are read in place through package dataset. The texts that perturb, swap identities or try to cheat are
// written for the project.
//
// A suite is deterministic by Env.Seed, bounded by Env.Sizes, and draws nothing from the network. It does not measure heads
// against their labels; that is package evaluate's part.
package suite
