// Package text turns a written message into what the classifier reads: the model view of a text, its language and its
// token ids (assessment design, section 3 "Pipeline" and section 4 "ONNX").
//
// [Clean] makes the model view: NFKC, no invisible or control characters, quoted blocks removed, look-alike letters
// folded, traditional characters made simplified, long runs cut. [Language] tells English, Chinese and other languages
// apart. [Tokenizer] reads a tokenizer.json of the Unigram kind and gives the ids of the reference library.
//
// The package scrubs nothing (see assessment/evidence), keeps no text and has no state that changes.
package text
