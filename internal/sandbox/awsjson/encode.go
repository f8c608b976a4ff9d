package awsjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Marshal writes v, a pointer to a struct of the SDK's or of that shape, as a
// document. Nil members and empty enumerations are omitted; numbers, booleans
// and empty lists are not, as in AWS's own answers.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := encode(&b, reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// encode writes one value.
func encode(b *bytes.Buffer, v reflect.Value) error {
	switch v.Type() {
	case rawType:
		b.Write(v.Bytes())
		return nil
	case timeType:
		at := v.Interface().(time.Time)
		b.WriteString(strconv.FormatFloat(math.Round(float64(at.UnixMicro())/1000)/1000, 'f', -1, 64))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("null")
			return nil
		}
		return encode(b, v.Elem())
	case reflect.Struct:
		return encodeStruct(b, v)
	case reflect.Map:
		return encodeMap(b, v)
	case reflect.Slice:
		if isBlob(v) {
			return encodeScalar(b, v)
		}
		return encodeList(b, v)
	case reflect.Interface:
		return encodeDocument(b, v)
	case reflect.String:
		return encodeString(b, v.String())
	default:
		return encodeScalar(b, v)
	}
}

// encodeDocument writes a value whose shape is the customer's.
func encodeDocument(b *bytes.Buffer, v reflect.Value) error {
	value, ok := v.Interface().(interface{ MarshalSmithyDocument() ([]byte, error) })
	if !ok {
		return fmt.Errorf("values of type %s are not supported here", v.Type())
	}
	document, err := value.MarshalSmithyDocument()
	b.Write(document)
	return err
}

// encodeScalar writes what encoding/json writes as AWS reads it.
func encodeScalar(b *bytes.Buffer, v reflect.Value) error {
	scalar, err := json.Marshal(v.Interface())
	b.Write(scalar)
	return err
}

// encodeString writes a string as encoding/json does, which is asked only for one
// that is not written as it is: most of a document is names and ARNs.
func encodeString(b *bytes.Buffer, s string) error {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return encodeScalar(b, reflect.ValueOf(s))
		}
	}
	b.WriteByte('"')
	b.WriteString(s)
	b.WriteByte('"')
	return nil
}

func encodeStruct(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('{')
	first := true
	for _, member := range members(v.Type()) {
		value := v.Field(member.index)
		if omitted(value) {
			continue
		}
		if err := encodeEntry(b, &first, member.name, value); err != nil {
			return fmt.Errorf("%s: %w", v.Type().Field(member.index).Name, err)
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeMap(b *bytes.Buffer, v reflect.Value) error {
	entries := map[string]reflect.Value{}
	for key, value := range v.Seq2() {
		entries[key.String()] = value
	}
	b.WriteByte('{')
	first := true
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if err := encodeEntry(b, &first, key, entries[key]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeList(b *bytes.Buffer, v reflect.Value) error {
	b.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encode(b, v.Index(i)); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

// encodeEntry writes one name and value of an object.
func encodeEntry(b *bytes.Buffer, first *bool, name string, value reflect.Value) error {
	if !*first {
		b.WriteByte(',')
	}
	*first = false
	if err := encodeString(b, name); err != nil {
		return err
	}
	b.WriteByte(':')
	return encode(b, value)
}

// omitted says whether a member is absent from the document.
func omitted(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}
