// Package dataset reads the annotated sets that the evaluation measures on and maps their labels to those of the heads
// (assessment design, sections 4 and 10). The sets lie in a folder of their own, one folder a set with train.jsonl,
// dev.jsonl and test.jsonl (or eval.jsonl); nothing of them is part of this program.
//
// [Open] checks that the sets are there. [Lines] gives the records of one file as they are written; [Folder.Rows] gives
// labelled rows of one task, which is a head and a set: "emotion/xed". Every label of a row was decided by annotators:
// what a rule derives is not used to measure. The rules that make rows for training, weak labels among them, live with
// the training code in assessment/model/train; the tables of classes here mirror it.
//
// Sets of tier E (never train on them) have no train rows here either.
package dataset
