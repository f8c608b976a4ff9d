package files

import (
	"bytes"
	"reflect"
	"regexp"

	"github.com/slipway-cd/slipway"
)

// conductorLine is where a slipway.yaml says who conducts.
var conductorLine = regexp.MustCompile(`(?m)^conductor[ \t]*:.*$`)

// EditConductor has a slipway.yaml, or one that does not exist yet, say who conducts
// the whole repository, and leaves everything else as it is. The error says that it is
// broken, or written so that a person must change it.
func EditConductor(file string, text []byte, by slipway.Conductor) ([]byte, error) {
	before, problems := ParseRepository(file, text)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	word := string(by)
	if by == slipway.ConductorBuiltin {
		word = conductorBuiltin
	}
	line := []byte("conductor: " + word)
	edited := conductorLine.ReplaceAll(text, line)
	if !conductorLine.Match(text) {
		edited = bytes.Join([][]byte{line, bytes.TrimPrefix(text, []byte("\ufeff"))}, []byte("\n"))
	}
	after, problems := ParseRepository(file, edited)
	before.Conductor = Conductor(word)
	if problems.Err() != nil || !reflect.DeepEqual(before, after) {
		return nil, &slipway.Error{
			Next: slipway.NextPerson, Message: file + " is written so that only a person can change it", Hint: "write in it: " + string(line),
		}
	}
	return edited, nil
}
