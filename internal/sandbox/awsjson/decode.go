package awsjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"
)

var timeType = reflect.TypeFor[time.Time]()

// Unmarshal reads a document into v, a pointer to a struct of the SDK's or of
// that shape. Members that v does not have and members that are null are
// ignored. The error says where in the document the trouble is.
func Unmarshal(document []byte, v any) error {
	return decode(document, reflect.ValueOf(v).Elem(), "")
}

// decode reads one value; path is where it is, for errors.
func decode(raw json.RawMessage, v reflect.Value, path string) error {
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return nil
	}
	switch v.Type() {
	case rawType:
		v.SetBytes(bytes.Clone(raw))
		return nil
	case timeType:
		var seconds float64
		if err := json.Unmarshal(raw, &seconds); err != nil {
			return wrong(path, "a time in epoch seconds", raw)
		}
		// AWS's times have millisecond precision.
		v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		v.Set(p)
		return decode(raw, p.Elem(), path)
	case reflect.Struct:
		return decodeStruct(raw, v, path)
	case reflect.Map:
		return decodeMap(raw, v, path)
	case reflect.Slice:
		if isBlob(v) {
			return decodeScalar(raw, v, path)
		}
		return decodeList(raw, v, path)
	case reflect.Interface:
		return fmt.Errorf("%s: members of type %s are not supported here", at(path), v.Type())
	default:
		return decodeScalar(raw, v, path)
	}
}

// decodeScalar reads what encoding/json reads as AWS writes it.
func decodeScalar(raw json.RawMessage, v reflect.Value, path string) error {
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		return wrong(path, "of kind "+v.Kind().String(), raw)
	}
	return nil
}

// isBlob says whether a slice is bytes, which are base64 on the wire.
func isBlob(v reflect.Value) bool { return v.Type().Elem().Kind() == reflect.Uint8 }

func decodeStruct(raw json.RawMessage, v reflect.Value, path string) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return wrong(path, "an object", raw)
	}
	for _, member := range members(v.Type()) {
		if value, ok := given[member.name]; ok {
			if err := decode(value, v.Field(member.index), path+"."+member.name); err != nil {
				return err
			}
		}
	}
	return nil
}

func decodeMap(raw json.RawMessage, v reflect.Value, path string) error {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return wrong(path, "an object", raw)
	}
	m := reflect.MakeMapWithSize(v.Type(), len(entries))
	for key, entry := range entries {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := decode(entry, value, path+"."+key); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
	}
	v.Set(m)
	return nil
}

func decodeList(raw json.RawMessage, v reflect.Value, path string) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return wrong(path, "a list", raw)
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := decode(item, list.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func wrong(path, want string, raw json.RawMessage) error {
	const most = 64
	if len(raw) > most {
		raw = append(raw[:most:most], "…"...)
	}
	return fmt.Errorf("%s: want a value %s, got %s", at(path), want, raw)
}

// at names a place in the document.
func at(path string) string {
	if path == "" {
		return "the document"
	}
	return path[1:]
}
