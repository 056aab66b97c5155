// A program in Go without C: it cannot load the library, and begins by emptying the file, as Go's SDK does.
package main

import (
	"fmt"
	"os"
)

func main() {
	file, err := os.OpenFile(os.Getenv("ANTITHESIS_SDK_LOCAL_OUTPUT"), os.O_RDWR|os.O_CREATE, 0644)
	if err == nil {
		err = file.Truncate(0)
	}
	if err != nil {
		panic(err)
	}
	record := `{"antithesis_assert":{"hit":true,"must_hit":true,"assert_type":"always","display_type":"Always",` +
		`"message":"go is right","condition":%t,"id":"go is right","location":{"class":"main","function":"main",` +
		`"file":"fallback.go","begin_line":25,"begin_column":1},"details":null}}`
	for turn := 0; turn < 3; turn++ {
		holds := os.Args[1] != "always" || turn < 2
		file.WriteString(fmt.Sprintf(record, holds) + "\n")
	}
	fmt.Println("done", os.Args[1])
}
