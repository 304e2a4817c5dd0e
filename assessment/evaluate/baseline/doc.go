// Package baseline holds the classical models that `heartmark evaluate` prints beside the transformer, in the project's
// own code and without a dependency: M3, the floor (TF-IDF of words and characters with L2-regularised logistic or ridge
// regression), and a linear SVM and a random forest on the frozen encoder's vectors (specification of the assessment,
// sections 4 and 10).
//
// Start with [FitTFIDF] and [FitLogistic] for texts, with [FitSVM] and [FitForest] for vectors. The solvers are textbook
// ones: truncated Newton with preconditioned conjugate gradients for the logistic loss (Lin, Weng, Keerthi 2008),
// conjugate gradients for ridge regression, dual coordinate descent with shrinking for the squared hinge (Hsieh et al.
// 2008, as in LIBLINEAR), Breiman's forest (2001) on quantile bins. The same rows, options and seed give the same model
// on the same machine whatever the number of workers, since nothing is summed in the order in which workers finish.
//
// Every fit panics when rows and labels differ in number or a label is outside [0, classes): those are mistakes of the
// calling code, never of the data. Nothing is read, written or logged here, and no model is stored: they are fitted again
// by each evaluation in seconds.
package baseline
