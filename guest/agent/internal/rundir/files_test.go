package rundir

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEachFileSaysWhoWritesAndReadsItAndWhatARestartDoes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "files.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	check := func(name string, comment *ast.CommentGroup) {
		count++
		for _, part := range []string{name + " ", "\nWritten by: ", "\nRead by: ", "\nRestart: "} {
			if !strings.Contains("\n"+comment.Text(), part) {
				t.Errorf("the comment of %s lacks %q", name, part)
			}
		}
	}
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			check(declaration.Name.Name, declaration.Doc)
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				if value := spec.(*ast.ValueSpec); value.Names[0].Name != "Root" {
					check(value.Names[0].Name, value.Doc)
				}
			}
		}
	}
	if count < 20 {
		t.Errorf("%d files are named", count)
	}
}

func TestNoOtherFileNamesOneOfThem(t *testing.T) {
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		if filepath.Base(path) != "files.go" && (strings.Contains(string(data), `"/run/twinhull`) || strings.Contains(string(data), "rundir.Root +")) {
			t.Errorf("%s names a file of %s", path, Root)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
