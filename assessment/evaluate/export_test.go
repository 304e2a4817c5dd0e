package evaluate

// ProductSuites are the names of the suites that package suite runs.
func ProductSuites() []string {
	var names []string
	for _, s := range productSuites() {
		names = append(names, s.name)
	}
	return names
}
