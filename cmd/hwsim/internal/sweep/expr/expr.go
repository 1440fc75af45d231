// Package expr evaluates the small expressions of a sweep: constraints, derived
// values and objectives.
//
// An expression is written as in Go: numbers, "strings", true and false, names with
// dots such as kv.split.ddr, parentheses, + - * /, comparisons, && || and !. There
// are no functions and no assignments. A part of a name may not be a keyword of Go:
// such a key needs an axis with a name of its own.
//
// Numbers are float64, rounded to 12 digits after each operation, so that 0.1 + 0.2
// equals 0.3 and a share left over from others is as a person would write it.
package expr

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"slices"
	"strconv"
)

// An Expr is a parsed expression.
type Expr struct {
	text string
	root ast.Expr
}

// maxLength bounds an expression; a longer one is no constraint that anybody wrote.
const maxLength = 1 << 10

// Parse reads an expression.
func Parse(text string) (*Expr, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("an expression of %d bytes is too long: at most %d", len(text), maxLength)
	}
	root, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("%q is not an expression", text)
	}
	e := &Expr{text, root}
	return e, e.check(root)
}

// String returns the text.
func (e *Expr) String() string { return e.text }

// check refuses what Go has and an expression has not.
func (e *Expr) check(n ast.Expr) error {
	switch n := n.(type) {
	case *ast.ParenExpr:
		return e.check(n.X)
	case *ast.UnaryExpr:
		if n.Op == token.SUB || n.Op == token.NOT {
			return e.check(n.X)
		}
	case *ast.BinaryExpr:
		if slices.Contains(operators, n.Op) {
			if err := e.check(n.X); err != nil {
				return err
			}
			return e.check(n.Y)
		}
	case *ast.BasicLit:
		_, err := literal(n)
		return err
	case *ast.Ident, *ast.SelectorExpr:
		if name(n) != "" {
			return nil
		}
	}
	return fmt.Errorf("%q: only names, numbers, strings, + - * /, comparisons, && || ! and parentheses are allowed", e.text)
}

var operators = []token.Token{
	token.ADD, token.SUB, token.MUL, token.QUO, token.LAND, token.LOR,
	token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ,
}

// name returns a dotted name, "" if n is none.
func name(n ast.Expr) string {
	switch n := n.(type) {
	case *ast.Ident:
		return n.Name
	case *ast.SelectorExpr:
		if x := name(n.X); x != "" {
			return x + "." + n.Sel.Name
		}
	}
	return ""
}

func literal(n *ast.BasicLit) (any, error) {
	switch n.Kind {
	case token.INT, token.FLOAT:
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return v, nil
		}
	case token.STRING:
		if s, err := strconv.Unquote(n.Value); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s is not a number or a string", n.Value)
}

// Names returns the names in the expression, each once, in order.
func (e *Expr) Names() []string {
	var names []string
	ast.Inspect(e.root, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		s := name(x)
		if s != "" && s != "true" && s != "false" && !slices.Contains(names, s) {
			names = append(names, s)
		}
		return s == "" // the parts of a dotted name are no names
	})
	return names
}

// Values looks a name up. Numbers may be int64 or float64.
type Values func(name string) (any, bool)

// Number evaluates an expression that is a number.
func (e *Expr) Number(of Values) (float64, error) { return valueOf[float64](e, of, "a number") }

// Bool evaluates an expression that is true or false.
func (e *Expr) Bool(of Values) (bool, error) { return valueOf[bool](e, of, "true or false") }

func valueOf[T any](e *Expr, of Values, what string) (value T, err error) {
	v, err := eval(e.root, of)
	if err != nil {
		return value, fmt.Errorf("%q: %w", e.text, err)
	}
	value, ok := v.(T)
	if !ok {
		return value, fmt.Errorf("%q is %v, not %s", e.text, v, what)
	}
	return value, nil
}

func eval(n ast.Expr, of Values) (any, error) {
	switch n := n.(type) {
	case *ast.ParenExpr:
		return eval(n.X, of)
	case *ast.BasicLit:
		return literal(n)
	case *ast.UnaryExpr:
		return unary(n, of)
	case *ast.BinaryExpr:
		return binary(n, of)
	}
	return lookup(name(n), of)
}

func lookup(name string, of Values) (any, error) {
	switch name {
	case "true", "false":
		return name == "true", nil
	}
	v, ok := of(name)
	if !ok {
		return nil, fmt.Errorf("%s has no value", name)
	}
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64, string, bool:
		return v, nil
	}
	return nil, fmt.Errorf("%s is no number, string or boolean", name)
}

func unary(n *ast.UnaryExpr, of Values) (any, error) {
	x, err := eval(n.X, of)
	if err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case float64:
		if n.Op == token.SUB {
			return -x, nil
		}
	case bool:
		if n.Op == token.NOT {
			return !x, nil
		}
	}
	return nil, fmt.Errorf("%v of %v", n.Op, x)
}

func binary(n *ast.BinaryExpr, of Values) (any, error) {
	x, err := eval(n.X, of)
	if err != nil {
		return nil, err
	}
	if b, ok := x.(bool); ok && (n.Op == token.LAND && !b || n.Op == token.LOR && b) {
		return b, nil // the right side may be without a value
	}
	y, err := eval(n.Y, of)
	if err != nil {
		return nil, err
	}
	if a, ok := x.(float64); ok {
		if b, ok := y.(float64); ok {
			return numbers(n.Op, a, b)
		}
	}
	switch n.Op {
	case token.EQL, token.NEQ:
		if fmt.Sprintf("%T", x) == fmt.Sprintf("%T", y) {
			return (x == y) == (n.Op == token.EQL), nil
		}
	case token.LAND, token.LOR:
		if b, ok := y.(bool); ok {
			if _, ok := x.(bool); ok {
				return b, nil
			}
		}
	}
	return nil, fmt.Errorf("%v %v %v", x, n.Op, y)
}

func numbers(op token.Token, a, b float64) (any, error) {
	switch op {
	case token.ADD:
		return finite(a + b)
	case token.SUB:
		return finite(a - b)
	case token.MUL:
		return finite(a * b)
	case token.QUO:
		return finite(a / b)
	case token.EQL:
		return a == b, nil
	case token.NEQ:
		return a != b, nil
	case token.LSS:
		return a < b, nil
	case token.LEQ:
		return a <= b, nil
	case token.GTR:
		return a > b, nil
	case token.GEQ:
		return a >= b, nil
	}
	return nil, fmt.Errorf("%v %v %v", a, op, b)
}

func finite(v float64) (any, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("the result is not finite")
	}
	return Round(v), nil
}

// Round returns v to 12 digits.
func Round(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
	if err != nil {
		return v
	}
	return r
}
