package assessment

import "heartmark/schemas"

// facet is one observable part of a dimension.
type facet uint8

// The facets, in report order.
const (
	sa1 facet = iota
	sa2
	sa3
	sm1
	sm2
	sm3
	sm4
	so1
	so2
	so3
	sk1
	sk2
	sk3
	sk4
	sk5
	facetCount
)

// facetInfo is what is fixed about a facet.
type facetInfo struct {
	code  string
	share float64 // of its dimension; the shares of a dimension sum to 1
	heads []string
}

// facetTable returns the constants of each facet.
func facetTable() [facetCount]facetInfo {
	return [facetCount]facetInfo{
		sa1: {"SA1", 0.6, []string{HeadEmotion, HeadSelfNaming, HeadHostility}},
		sa2: {"SA2", 0.2, []string{HeadEmotion, HeadSelfNaming}},
		sa3: {"SA3", 0.2, []string{HeadEmotion, HeadSelfNaming}},
		sm1: {"SM1", 0.45, []string{HeadHostility}},
		sm2: {"SM2", 0.2, []string{HeadHostility, HeadAct, HeadRelevance}},
		sm3: {"SM3", 0.2, []string{HeadEmotion, HeadReappraisal}},
		sm4: {"SM4", 0.15, []string{HeadEmotion, HeadHostility, HeadVA}},
		so1: {"SO1", 0.4, []string{HeadDistress, HeadEmotion, HeadIP, HeadRelevance}},
		so2: {"SO2", 0.35, []string{HeadDistress, HeadEmotion, HeadER, HeadEX, HeadAct, HeadRelevance}},
		so3: {"SO3", 0.25, []string{HeadDistress, HeadEmotion, HeadCtxIgnore}},
		sk1: {"SK1", 0.3, []string{HeadDistress, HeadEmotion, HeadAct}},
		sk2: {"SK2", 0.25, []string{HeadHostility, HeadAct, HeadCtxEscalate}},
		sk3: {"SK3", 0.15, []string{HeadHostility, HeadAct, HeadPoliteness}},
		sk4: {"SK4", 0.2, []string{HeadHostility, HeadVA}},
		sk5: {"SK5", 0.1, []string{HeadHostility, HeadAct}},
	}
}

// dimensionFacets returns the facets of each dimension, by the order of schemas.Dimensions.
func dimensionFacets() [4][]facet {
	return [4][]facet{{sa1, sa2, sa3}, {sm1, sm2, sm3, sm4}, {so1, so2, so3}, {sk1, sk2, sk3, sk4, sk5}}
}

// gate is a situation that asks for a skill.
type gate uint8

const (
	gateProvoked gate = iota
	gateDistress
	gateJoy
	gateAsked
	gateEpisode
	gateConflict
	gateRepair
	gateCount
)

// gateNames are the names of the gates in the prompt bank.
func gateNames() [gateCount]string {
	return [gateCount]string{"provoked", "distress", "joy", "asked", "episode", "conflict", "owes_repair"}
}

// gateOpen is the calibrated probability from which a situation counts as an opportunity.
const gateOpen = 0.6

// dimensionIndex returns the position of d in schemas.Dimensions, or -1.
func dimensionIndex(d schemas.Dimension) int {
	for i, x := range schemas.Dimensions() {
		if x == d {
			return i
		}
	}
	return -1
}

// Facet is what a dimension is made of.
type Facet struct {
	Code  string  // SA1 … SK5
	Share float64 // of the dimension; the shares of a dimension sum to 1
}

// Facets are those of a dimension, in order (assessment design, section 5); none for an unknown one.
func Facets(d schemas.Dimension) []Facet {
	k := dimensionIndex(d)
	if k < 0 {
		return nil
	}
	table := facetTable()
	var out []Facet
	for _, f := range dimensionFacets()[k] {
		out = append(out, Facet{table[f].code, table[f].share})
	}
	return out
}
