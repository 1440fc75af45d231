package explain

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite comments.txt")

// module is the module's folder, from here.
const module = "../../../.."

// comments.txt is what the sources say of every struct and key that there is.
func TestCommentsAreThoseOfTheSources(t *testing.T) {
	r := &reader{wanted: map[string]bool{}, found: map[string]string{}}
	packages := map[string]bool{}
	for _, k := range keys() {
		for _, of := range []reflect.Type{k.Owner, element(k.Type)} {
			if name := typeName(of); strings.HasPrefix(name, "hwsim/") {
				r.wanted[name] = true
				packages[of.PkgPath()] = true
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(packages)) {
		require.NoError(t, r.readPackage(p))
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.found)) {
		fmt.Fprintf(&text, "%s\t%s\n", name, r.found[name])
	}
	if *update {
		require.NoError(t, os.WriteFile("comments.txt", []byte(text.String()), 0o666))
		return
	}
	require.Equal(t, text.String(), commentsFile, "comments.txt is not what the sources say: go generate ./cmd/hwsim/internal/explain")
}

// reader takes the comments of wanted types from sources.
type reader struct {
	wanted map[string]bool
	found  map[string]string
}

func (r *reader) readPackage(path string) error {
	files, err := filepath.Glob(filepath.Join(module, strings.TrimPrefix(path, "hwsim/"), "*.go"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				r.readDecl(path, g)
			}
		}
	}
	return nil
}

func (r *reader) readDecl(path string, g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			r.readType(path, g, s)
		case *ast.ValueSpec:
			r.readConstant(path, s)
		}
	}
}

func (r *reader) readType(path string, g *ast.GenDecl, s *ast.TypeSpec) {
	name := path + "." + s.Name.Name
	if !r.wanted[name] {
		return
	}
	doc := s.Doc
	if doc == nil {
		doc = g.Doc
	}
	r.keep(name, doc, s.Comment)
	fields, ok := s.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range fields.Fields.List {
		for _, n := range f.Names {
			if f.Tag != nil && strings.Contains(f.Tag.Value, "toml:") {
				r.keep(name+"."+n.Name, f.Doc, f.Comment)
			}
		}
	}
}

// readConstant keeps a word that values of a wanted type can be.
func (r *reader) readConstant(path string, s *ast.ValueSpec) {
	t, ok := s.Type.(*ast.Ident)
	if !ok || !r.wanted[path+"."+t.Name] {
		return
	}
	for _, v := range s.Values {
		if l, ok := v.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if word, err := strconv.Unquote(l.Value); err == nil {
				r.found[path+"."+t.Name+"="+word] = ""
				r.keep(path+"."+t.Name+"="+word, s.Doc, s.Comment)
			}
		}
	}
}

func (r *reader) keep(name string, groups ...*ast.CommentGroup) {
	var text []string
	for _, g := range groups {
		if g != nil {
			text = append(text, strings.Fields(g.Text())...)
		}
	}
	if len(text) > 0 {
		r.found[name] = strings.Join(text, " ")
	}
}
