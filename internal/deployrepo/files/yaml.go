package files

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseYAML reads text into a struct of structs, maps and scalars. It is
// strict and, unlike a decoder, goes on after a problem, so that all of them
// are told at once. The value is zero unless there are only warnings.
func parseYAML[T any](file string, text []byte) (T, Problems) {
	var value, zero T
	s := &yamlSource{newSource(file, text)}
	if len(s.problems) == 0 {
		s.read(reflect.ValueOf(&value).Elem())
	}
	if s.problems.Err() != nil {
		return zero, s.problems
	}
	return value, s.problems
}

type yamlSource struct{ *source }

// maxNesting is far above the three levels that the formats have. The parser
// takes minutes for 100 KB of brackets, which would delay every other app.
const maxNesting = 40

// nested returns where more than maxNesting brackets are open, or as many
// lists begin in one line.
func (s *yamlSource) nested() (offset int, found bool) {
	brackets, lists := 0, 0
	for i, b := range s.text {
		switch b {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(brackets-1, 0)
		case ' ':
			if i > 0 && s.text[i-1] == '-' {
				lists++
			}
		case '\n':
			lists = 0
		}
		if brackets > maxNesting || lists > maxNesting {
			return i, true
		}
	}
	return 0, false
}

func (s *yamlSource) read(target reflect.Value) {
	if offset, found := s.nested(); found {
		s.at(offset, "is nested too deeply: the settings have three levels")
		return
	}
	// The parser knows a lone CR as a line end; nothing else does.
	document, err := parser.ParseBytes([]byte(strings.ReplaceAll(string(s.text), "\r\n", "\n")), 0)
	if err != nil {
		s.syntax(err)
		return
	}
	docs := slices.DeleteFunc(document.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) > 1 {
		s.node(docs[1].Body, "holds a second document: write one file with one document")
		return
	}
	if len(docs) == 1 {
		s.decode(docs[0].Body, target, "the file")
	}
}

// syntax adds the parser's error at its place.
func (s *yamlSource) syntax(err error) {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil && e.GetToken().Position != nil {
		at := e.GetToken().Position
		s.add(at.Line, at.Column, "is not YAML: %s", e.GetMessage())
		return
	}
	s.whole("is not YAML: %v", err)
}

// node adds a problem at a node.
func (s *yamlSource) node(node ast.Node, format string, args ...any) {
	at := node.GetToken().Position
	s.add(at.Line, at.Column, format, args...)
}

// decode puts a node into target; what names it in messages.
func (s *yamlSource) decode(node ast.Node, target reflect.Value, what string) {
	switch n := node.(type) {
	case *ast.NullNode, *ast.CommentGroupNode:
		return // as if it were not there
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		s.node(n, "%s is an anchor, an alias or a tag: write the plain value", what)
		return
	}
	if scalar, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s.scalar(node, scalar, what)
		return
	}
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		s.node(node, "%s must be a mapping, like KEY: VALUE", what)
		return
	}
	for _, pair := range pairs {
		if target.Kind() == reflect.Map {
			s.entry(pair, target)
		} else {
			s.field(pair, target)
		}
	}
	if mapping, ok := target.Addr().Interface().(interface{ conflict() string }); ok {
		if conflict := mapping.conflict(); conflict != "" {
			s.node(pairs[0].Key, "%s: %s", what, conflict)
		}
	}
}

func (s *yamlSource) scalar(node ast.Node, target encoding.TextUnmarshaler, what string) {
	var text string
	switch n := node.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case ast.ScalarNode:
		text = n.GetToken().Value
	default:
		s.node(node, "%s must be a single value", what)
		return
	}
	if err := target.UnmarshalText([]byte(text)); err != nil {
		s.node(node, "%s: %v", what, err)
	}
}

// entry decodes one key of a map whose keys and values are of our types.
func (s *yamlSource) entry(pair *ast.MappingValueNode, target reflect.Value) {
	if target.IsNil() {
		target.Set(reflect.MakeMap(target.Type()))
	}
	key := reflect.New(target.Type().Key()).Elem()
	value := reflect.New(target.Type().Elem()).Elem()
	name := keyText(pair)
	if err := key.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(name)); err != nil {
		s.node(pair.Key, "%v", err)
	}
	s.decode(pair.Value, value, name)
	target.SetMapIndex(key, value)
}

// field decodes one key of a struct.
func (s *yamlSource) field(pair *ast.MappingValueNode, target reflect.Value) {
	name := keyText(pair)
	var known []string
	for i := range target.NumField() {
		key := target.Type().Field(i).Tag.Get("yaml")
		if key == name {
			s.decode(pair.Value, target.Field(i), name)
			return
		}
		known = append(known, key)
	}
	hint := didYouMean(name, known)
	if hint == "" {
		hint = fmt.Sprintf("; known are: %s", strings.Join(known, ", "))
	}
	s.node(pair.Key, "unknown key %q%s", name, hint)
}

func keyText(pair *ast.MappingValueNode) string { return pair.Key.GetToken().Value }
