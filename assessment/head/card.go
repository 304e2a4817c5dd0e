package head

import (
	"fmt"
	"slices"
	"strings"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/model"
)

// weakECE is the calibration error of heads that the evaluation allows (assessment design, section 10).
const weakECE = 0.08

// fewRows is how many test rows a label needs for its figures to say much.
const fewRows = 30

// card is head_card.md: what the head is for, what it comes from, how it did and where it ends (security rule G17).
func card(a Manifest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Head `%s`\n\n", a.Name)
	fmt.Fprintf(&b, "Made by `heartmark train` on %s. Graph SHA-256 `%s`.\n\n", a.Created.Format("2006-01-02"), a.GraphSHA256)
	fmt.Fprintf(&b, "## Use\n\n%s\n\n", use(a))
	fmt.Fprintf(&b, "Not for: decisions about people, ranking people, monitoring of staff or pupils, diagnosis, lie detection. Its labels "+
		"describe wording, not what a person feels. It has no part in DEI scores, levels or credentials.\n\n")
	cardData(&b, a)
	chosen := a.Training.Trials[a.Training.Chosen]
	fmt.Fprintf(&b, "## Model\n\nEncoder `%s` (graph SHA-256 `%s`), frozen; %s; %d weights. Weight decay %g, chosen of %d by validation loss; "+
		"stopped after epoch %d, weights of epoch %d kept. Seed %d; class weights %s; dropout %g.\n\n",
		a.Encoder.ID, a.Encoder.SHA256, layers(a.Hidden), a.Parameters, chosen.L2, len(a.Training.Trials), chosen.Epochs, chosen.Best,
		a.Settings.Seed, map[bool]string{true: "by rarity, at most 5", false: "none"}[a.Settings.Balanced], a.Settings.Dropout)
	cardMetrics(&b, a.Report)
	cardLimits(&b, a)
	return b.String()
}

func use(a Manifest) string {
	labels := make([]string, len(a.Labels))
	for i, l := range a.Labels {
		labels[i] = "`" + strings.NewReplacer("`", "'", "|", "/").Replace(l) + "`"
	}
	one := "each text gets any number of the labels"
	if a.Kind == model.Softmax {
		one = "each text gets one of the labels"
	}
	return fmt.Sprintf("Labels single messages: %s %s. Values are calibrated probabilities. It runs on the encoder below (and its exports for GPUs) only.",
		one, strings.Join(labels, ", "))
}

func layers(hidden int) string {
	if hidden == 0 {
		return "one linear layer"
	}
	return fmt.Sprintf("one hidden layer of %d rectified units and a linear one", hidden)
}

func cardData(b *strings.Builder, a Manifest) {
	fmt.Fprintf(b, "## Data\n\nThe operator's own labelled file (SHA-256 `%s`): %d rows in %d groups, %d with context. No text of it is in this "+
		"folder. The operator vouches for the right to train on it; when a subject withdraws, train again without the rows.\n\n",
		a.Data.SHA256, a.Data.Rows, a.Data.Groups, a.Data.WithContext)
	b.WriteString("| label | train | validation | test |\n| --- | --- | --- | --- |\n")
	for _, l := range a.Labels {
		fmt.Fprintf(b, "| %s | %d | %d | %d |\n", cell(l), a.Data.Labels[Train][l], a.Data.Labels[Validation][l], a.Data.Labels[Test][l])
	}
	fmt.Fprintf(b, "| rows | %d | %d | %d |\n\n", a.Data.Parts[Train], a.Data.Parts[Validation], a.Data.Parts[Test])
	b.WriteString("Languages:")
	for _, lang := range slices.Sorted(keysOf(a.Data.Languages)) {
		fmt.Fprintf(b, " %s %d", lang, a.Data.Languages[lang])
	}
	b.WriteString(".\n\n")
}

// cell keeps a label from breaking the table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func cardMetrics(b *strings.Builder, r Report) {
	fmt.Fprintf(b, "## Measured on the %d test rows\n\n| label | precision | recall | F1 | rows |\n| --- | --- | --- | --- | --- |\n", r.Rows)
	for _, c := range r.Classes {
		fmt.Fprintf(b, "| %s | %.3f | %.3f | %.3f | %d |\n", cell(c.Label), c.Precision, c.Recall, c.F1, c.Support)
	}
	fmt.Fprintf(b, "\nMacro-F1 %.3f (90 %% interval %.3f to %.3f); always the commonest answer: %.3f. Calibration error (15 bins): %.3f raw, %.3f calibrated.\n\n",
		r.MacroF1, r.Interval90[0], r.Interval90[1], r.Majority, r.ECEBefore, r.ECEAfter)
	for _, lang := range slices.Sorted(keysOf(r.Languages)) {
		fmt.Fprintf(b, "Language %s: %d rows, macro-F1 %.3f.\n", lang, r.Languages[lang].Rows, r.Languages[lang].MacroF1)
	}
	b.WriteByte('\n')
}

// cardLimits says what these figures do not show.
func cardLimits(b *strings.Builder, a Manifest) {
	b.WriteString("## Limits\n\n- English and Chinese only; other languages are not labelled.\n" +
		"- Figures hold for texts like those of the file. Another platform, topic or time needs its own test.\n" +
		"- No test of fairness between groups of people was made: the file does not say who wrote.\n")
	for _, l := range Warnings(a) {
		fmt.Fprintf(b, "- %s\n", cell(l))
	}
}

// Warnings say in what ways the figures of a head are weak. They are printed and stand in the card.
func Warnings(a Manifest) []string {
	var out []string
	for _, c := range a.Report.Classes {
		if c.Label == metric.LabelMacro || c.Label == metric.LabelWeighted {
			continue
		}
		if c.Support < fewRows {
			out = append(out, fmt.Sprintf("Label %s has %d test rows: its figures are rough.", c.Label, c.Support))
		}
	}
	if a.Report.ECEAfter > weakECE {
		out = append(out, fmt.Sprintf("The calibration error %.3f is over %.2f: probabilities are rough.", a.Report.ECEAfter, weakECE))
	}
	if a.Report.Interval90[0] <= a.Report.Majority {
		out = append(out, "The head may be no better than always giving the commonest answer.")
	}
	for _, lang := range []string{"en", "zh"} {
		if n := a.Data.Languages[lang]; n < fewRows {
			out = append(out, fmt.Sprintf("The file has %d rows in %s: little is known of how it does there.", n, lang))
		}
	}
	return out
}
