package statuslist_test

import (
	"fmt"

	"heartmark/internal/statuslist"
)

func Example() {
	list, err := statuslist.NewBits(statuslist.MinEntries, 1)
	if err != nil {
		panic(err)
	}
	if err := list.Set(94567, 1); err != nil {
		panic(err)
	}
	encoded, err := list.Encode()
	if err != nil {
		panic(err)
	}
	read, err := statuslist.Decode(encoded, 0)
	if err != nil {
		panic(err)
	}
	index, err := statuslist.ParseIndex("94567")
	if err != nil {
		panic(err)
	}
	value, err := read.Get(index)
	fmt.Println(value, read.Len(), err)
	// Output: 1 131072 <nil>
}
