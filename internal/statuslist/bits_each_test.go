package statuslist_test

import (
	"slices"
	"testing"

	"heartmark/internal/statuslist"
)

func TestEach(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 4, 8} {
		bits, err := statuslist.NewBits(64, size)
		if err != nil {
			t.Fatal(err)
		}
		want := []uint64{0, 1, 7, 31, 62, 63}
		for _, index := range want {
			if err := bits.Set(index, 1); err != nil {
				t.Fatal(err)
			}
		}
		if got := slices.Collect(bits.Each()); !slices.Equal(got, want) {
			t.Errorf("%d bits an entry: %v, want %v", size, got, want)
		}
		for index := range bits.Each() {
			if index != 0 {
				t.Errorf("first of %v is %d", want, index)
			}
			break
		}
	}
	for range (statuslist.Bits{}).Each() {
		t.Error("the zero value has an entry")
	}
}
