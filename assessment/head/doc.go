// Package head fits small classifiers on an operator's own labelled texts over the frozen encoder of the built-in model,
// and runs them (issue: any label set, such as the tone of a customer service or the sentiment of a financial text). The
// encoder does not change; a head has a few hundred to a few hundred thousand weights: parameter-efficient adaptation,
// without Python.
//
// The way of a head: [Read] takes the operator's file and names every bad line; [Label] turns its labels into classes;
// [Split] parts the rows by group, so that no group and no repeated text stands on two sides; [Vectors] encodes; [Fit]
// trains by cross-entropy with weight decay chosen and stopped on the validation rows; [Calibrate] fits a temperature
// (softmax) or a Platt curve a label (sigmoid) on the validation rows; [Measure] reports on the test rows. [Suggest] names
// the unlabelled rows that are worth a label next. [Save] writes a folder: the ONNX graph (opset 21, input `pooled`
// [batch, width] fp32, output `logits_<name>` [batch, labels] fp32), the manifest head.json, a card, and SHA256SUMS.
//
// [Load] reads such a folder and refuses what was changed or is not what this package writes; [Open] joins it with the
// running encoder, and refuses an encoder that it was not fitted on. Graphs run in ONNX Runtime through [Runner]; this
// package itself is pure Go. No text and no vector enters the folder of a head: counts and digests only.
//
// Everything is deterministic by seed. The operator vouches for the right to train on the texts (security rule G23): a
// head whose subjects withdraw is fitted again without their rows.
package head
