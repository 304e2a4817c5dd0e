package rollout_test

import (
	"fmt"

	"heartmark/assessment/rollout"
	"heartmark/schemas"
)

// A score of a new model, on its new scale, is set beside one of the old model: the standard error of linking enters.
func ExampleLink_OldScale() {
	link := rollout.Link{Dimensions: map[schemas.Dimension]rollout.Linear{
		schemas.DimensionSocialSkills: {People: 500, Slope: 0.9, Intercept: 8, SE: 0.5},
	}}
	score, sem, ok := link.OldScale(schemas.DimensionSocialSkills, 60, 5)
	fmt.Printf("%.1f ± %.1f %v, same scale: %v\n", score, sem, ok, link.Identity())
	// Output: 62.0 ± 4.5 true, same scale: false
}
